import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { requestSchema } from "../../src/client/request-schema.ts";
import { EFFECTS, PRINCIPAL_TYPES } from "../../src/core/words.ts";
import { randomRuns } from "../core/random-rules.ts";

const schema = requestSchema();
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false });
ajv.addVocabulary(["doNotSuggest"]);
const validate = ajv.compile(schema);

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Every field of a request that is offered, with its schema. */
function fieldsOf(message: JsonObject): readonly (readonly [string, JsonObject])[] {
  const properties = isObject(message["properties"]) ? Object.entries(message["properties"]) : [];
  return properties.flatMap(([name, field]) => {
    if (!isObject(field) || field["doNotSuggest"] === true) return [];
    const inner = isObject(field["items"]) ? field["items"] : field;
    return [[name, field] as const, ...fieldsOf(inner)];
  });
}

const reads = (request: JsonObject): boolean => {
  try {
    readRequestJson(request);
    return true;
  } catch (error) {
    // In our own words, not those of a library.
    expect(String(error), JSON.stringify(request)).not.toMatch(/behest\.v1|decode|google|protobuf/);
    return false;
  }
};

describe("the schema of a request", () => {
  it("says what every field is for", () => {
    expect(fieldsOf(schema).length).toBeGreaterThan(35);
    for (const [name, field] of fieldsOf(schema)) expect(field["description"], name).toMatch(/\w+\W+\w+/);
  });

  it("offers the words that the core knows", () => {
    expect(JSON.stringify(schema)).toContain(JSON.stringify(EFFECTS));
    expect(JSON.stringify(schema)).toContain(JSON.stringify(PRINCIPAL_TYPES));
  });

  it("fits the examples of the documentation", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/examples/first-steps.json"), "utf8");
    const requests: readonly JsonObject[] = [JSON.parse(text)].flat();
    for (const request of requests) expect(validate(request), JSON.stringify(validate.errors)).toBe(true);
  });

  // Protobuf's JSON has numbers for enums as well, which nobody writes by hand.
  it("accepts what a client reads, and nothing else, whatever a field holds, but for enums by number", () => {
    const fields = fieldsOf(schema).map(([name]) => name);
    const value = fc.constantFrom<JsonValue>(
      "a",
      "send",
      "EFFECT_PAY",
      "user",
      "redact",
      "60s",
      7,
      -1,
      1.5,
      true,
      {},
      { id: "x" },
      [],
      ["log"],
      [{}],
    );
    const request = fc.tuple(
      fc.constantFrom("", "agent", "action", "data", "context", "task", "permit"),
      fc.constantFrom(...fields, "nothing"),
      value,
    );
    fc.assert(
      fc.property(request, ([inside, name, held]) => {
        fc.pre(!(name === "effect" && typeof held === "number"));
        const stated = inside === "" ? { [name]: held } : { [inside]: { [name]: held } };
        expect(validate(stated), JSON.stringify([stated, validate.errors])).toBe(reads(stated));
      }),
      randomRuns(3_000),
    );
  });
});
