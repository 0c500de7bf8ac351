import { hash } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { actionOf, type HostileServer, malformed, outcomeOf, requestOf, runHostileServer, withJson, withStruct } from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

afterEach(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});

const refusedJson = (why: string) => malformed(`\`action.arguments_json\` is refused: ${why}`, "action.arguments_json");
const refusedStruct = (why: string) => malformed(`\`action.arguments\` is refused: ${why}`, "action.arguments");

const recordedArguments = (decisionId: string): unknown => {
  const [row] = server.rows(`SELECT record FROM decisions WHERE decision_id = '${decisionId}'`);
  return JSON.parse(String(row?.["record"])).subject.request.action.arguments;
};

describe("JSON text", () => {
  it.each<{ says: string; text: string; why: string }>([
    { says: "a key that stands twice", text: '{"path":"/srv/a","path":"/etc/shadow"}', why: "a key stands twice in one object" },
    {
      says: "a key that stands twice in another spelling",
      text: '{"path":"/srv/a","p\\u0061th":"/etc/shadow"}',
      why: "a key stands twice in one object",
    },
    { says: "a key that stands twice further in", text: '{"a":[{"b":1,"b":2}]}', why: "a key stands twice in one object" },
    { says: "`__proto__`", text: '{"__proto__":{"path":"/srv/a"}}', why: "`__proto__` is no key" },
    { says: "`__proto__` in another spelling", text: '{"a":{"__pr\\u006fto__":1}}', why: "`__proto__` is no key" },
    { says: "2^53", text: '{"a":9007199254740992}', why: "an integer beyond 2^53 would lose precision" },
    { says: "-2^53 in a list", text: '{"a":[-9007199254740992]}', why: "an integer beyond 2^53 would lose precision" },
    { says: "an integer of a hundred digits", text: `{"a":1${"0".repeat(99)}}`, why: "an integer beyond 2^53 would lose precision" },
    { says: "a number without end", text: '{"a":1e400}', why: "a number would lose precision (at character 6)" },
    { says: "a lone surrogate", text: '{"a":"\\ud800"}', why: "a string holds a lone surrogate" },
    { says: "surrogates the wrong way round", text: '{"a":"\\udc00\\ud800"}', why: "a string holds a lone surrogate" },
    { says: "a lone surrogate as a key", text: '{"\\ud800":1}', why: "a key holds a lone surrogate" },
  ])("is refused with $says", async ({ text, why }) => {
    expect(await server.refusal(withJson(text))).toEqual(refusedJson(why));
  });

  it.each<{ says: string; text: string }>([
    { says: "2^53 + 1", text: '{"a":9007199254740993}' },
    { says: "more decimals than a double has", text: '{"a":0.1000000000000000055}' },
    { says: "a number too small for a double", text: '{"a":1e-400}' },
    { says: "no text", text: "" },
    { says: "NaN", text: '{"a":NaN}' },
    { says: "a leading zero", text: '{"a":01}' },
    { says: "a trailing comma", text: '{"a":1,}' },
    { says: "a comment", text: '{"a":1/**/}' },
    { says: "single quotes", text: "{'a':1}" },
    { says: "two texts", text: "{} {}" },
    { says: "a byte-order mark", text: "\ufeff{}" },
    { says: "a bare control character", text: '{"a":"\u0001"}' },
    { says: "an open string", text: '{"a":"' },
    { says: "an open escape", text: '{"a":"\\' },
  ])("is refused with $says", async ({ text }) => {
    const message = expect.stringMatching(/^`action\.arguments_json` is refused: /);
    expect(await server.refusal(withJson(text))).toEqual({ ...refusedJson(""), message });
  });

  it.each(["[]", '"path"', "1", "null", "true"])("is refused when it is %s, which is no object", async (text) => {
    expect(await server.refusal(withJson(text))).toEqual(malformed("`action.arguments_json` is not a JSON object", "action.arguments_json"));
  });

  it.each<{ says: string; text: string }>([
    { says: "a word after a secret's key", text: '{"password": hunter2}' },
    { says: "a number after a secret's key", text: '{"pin": 12345678901234567890}' },
  ])("is refused without repeating $says", async ({ text }) => {
    const reply = await server.refusal(withJson(text));
    expect(reply).toMatchObject({ code: "INVALID_ARGUMENT", field: "action.arguments_json" });
    expect(JSON.stringify(reply)).not.toMatch(/hunter2|1234567890/);
  });

  it.each<{ says: string; text: string }>([
    { says: "an ordinary fraction", text: '{"a":0.1}' },
    { says: "2^53 - 1", text: '{"a":9007199254740991}' },
    { says: "colons and braces inside strings", text: '{"a":"{\\":[:,:}"}' },
    { says: "an empty key", text: '{"":1}' },
    { says: "the same key in two objects", text: '{"a":{"c":1},"b":{"c":2}}' },
    { says: "names that every object has", text: '{"constructor":{"prototype":{"path":"/etc"}},"toString":1,"hasOwnProperty":2,"valueOf":3}' },
  ])("is taken with $says, as it stands", async ({ text }) => {
    const { decisionId } = await server.decide(withJson(text));
    expect(recordedArguments(decisionId)).toEqual(JSON.parse(text));
  });
});

describe("a Struct", () => {
  it.each<{ says: string; value: JsonObject; why: string }>([
    { says: "`__proto__`", value: JSON.parse('{"__proto__":{"path":"/srv/a"}}'), why: "`__proto__` is no key" },
    { says: "`__proto__` further in", value: JSON.parse('{"a":[{"__proto__":1}]}'), why: "`__proto__` is no key" },
    { says: "NaN", value: { a: Number.NaN }, why: "a number is not finite" },
    { says: "infinity", value: { a: [Number.POSITIVE_INFINITY] }, why: "a number is not finite" },
    { says: "minus infinity", value: { a: { b: Number.NEGATIVE_INFINITY } }, why: "a number is not finite" },
    { says: "2^53", value: { a: 2 ** 53 }, why: "an integer beyond 2^53 would lose precision" },
    { says: "1e300", value: { a: 1e300 }, why: "an integer beyond 2^53 would lose precision" },
  ])("is refused with $says", async ({ value, why }) => {
    expect(await server.refusal(withStruct(value))).toEqual(refusedStruct(why));
  });

  it.each<{ says: string; value: JsonObject }>([
    { says: "an ordinary fraction", value: { a: 0.1 } },
    { says: "2^53 - 1", value: { a: 2 ** 53 - 1 } },
    {
      says: "names that every object has",
      value: { constructor: { prototype: { path: "/etc" } }, toString: 1, hasOwnProperty: 2, valueOf: 3 } as JsonObject,
    },
  ])("is taken with $says, as it stands", async ({ value }) => {
    const { decisionId } = await server.decide(withStruct(value));
    expect(recordedArguments(decisionId)).toEqual(value);
  });

  it("of attributes is refused as one of arguments is", async () => {
    const attributes: JsonObject = JSON.parse('{"__proto__":1}');
    expect(await server.refusal(requestOf({ agent: { id: "reader", attributes } }))).toEqual(
      malformed("`agent.attributes` is refused: `__proto__` is no key", "agent.attributes"),
    );
    expect(await server.refusal(requestOf({ context: { attributes } }))).toEqual(
      malformed("`context.attributes` is refused: `__proto__` is no key", "context.attributes"),
    );
  });
});

it("leaves the prototype of objects alone, whatever was sent", () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect("path" in {}).toBe(false);
});

describe("the digest of arguments", () => {
  const field = "action.arguments_digest";
  const digest = (text: string): string => `sha256:${hash("sha256", text)}`;
  const text = '{"b":1,"path":"/srv/handbook.md"}';
  const asked = (argumentsDigest: string, argumentsTruncated = false) =>
    requestOf({
      action: actionOf({
        argumentsForm: { case: "argumentsJson", value: '{ "path": "/srv/handbook.md", "b": 1.0 }' },
        argumentsDigest,
        argumentsTruncated,
      }),
    });

  it("is answered over their RFC 8785 form, and taken when it is the same", async () => {
    expect((await server.decide(asked(""))).argumentsDigest).toBe(digest(text));
    expect((await server.decide(asked(digest(text)))).argumentsDigest).toBe(digest(text));
  });

  it("is refused when it is of other arguments", async () => {
    expect(await server.refusal(asked(digest("{}")))).toEqual(
      malformed(`\`action.arguments_digest\` is not the digest of the arguments, which is \`${digest(text)}\``, field),
    );
  });

  it.each([
    "sha256:",
    "sha256:ABCDEF",
    `sha1:${"0".repeat(64)}`,
    `sha256:${"0".repeat(63)}`,
    `sha256:${"0".repeat(65)}`,
    `sha256:${"A".repeat(64)}`,
    `sha256:${"0".repeat(64)}\n`,
  ])("is refused as %j", async (wrong) => {
    expect(await server.refusal(asked(wrong))).toEqual(malformed("`action.arguments_digest` is not `sha256:` and 64 hexadecimal digits", field));
    expect(await server.refusal(asked(wrong, true))).toEqual(
      malformed("`action.arguments_digest` is not `sha256:` and 64 hexadecimal digits", field),
    );
  });

  it("is required of arguments that are cut, and then believed", async () => {
    expect(await server.refusal(asked("", true))).toEqual(
      malformed("`action.arguments_digest` is missing: arguments that are cut need the digest of the whole", field),
    );
    expect((await server.decide(asked(digest("the whole"), true))).argumentsDigest).toBe(digest("the whole"));
  });

  it("of a tool's definition has the same form", async () => {
    expect(await server.refusal(requestOf({ action: actionOf({ toolDefinitionDigest: "sha256:1" }) }))).toEqual(
      malformed("`action.tool_definition_digest` is not `sha256:` and 64 hexadecimal digits", "action.tool_definition_digest"),
    );
  });
});
