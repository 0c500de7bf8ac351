import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { BUILT_IN_FINDINGS, BUILT_IN_HOLDS, findingNameOf, INVARIANT_CODES, STATEMENT_DIFFERS } from "../../src/core/built-in.ts";
import { REASON_CODES } from "../../src/core/words.ts";
import { readCases } from "../../src/policy/cases.ts";
import { type Complaint, formatComplaint, PolicyInvalid } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { complaintsOf, filesOf } from "../policies.ts";

const root = join(import.meta.dirname, "../..");
const blocksOf = (file: string): readonly string[] =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^```json\n(.*?)^```$/gms)].map((match) => match[1] ?? "");

const blocks = ["README.md", "docs/rules.md"]
  .flatMap(blocksOf)
  .map((text) => ({ text, value: JSON.parse(text) as Readonly<Record<string, unknown>> }));
const deny = { type: "deny", params: { reason: "r", controls: [] } };

describe("every example in the documentation", () => {
  it("is a rule, a condition or a file of cases", () => {
    expect(blocks.map(({ value }) => ["event", "all", "any", "cases"].find((key) => key in value))).toEqual([
      "event",
      "event",
      "event",
      "all",
      "cases",
      "cases",
      "cases",
      "any",
    ]);
  });

  it.each(blocks.filter(({ value }) => "event" in value))("that is a rule loads without a warning: $text", ({ value }) => {
    expect(
      compilePolicy(filesOf({ settings: { groups: { approvers: ["user:local"], treasury: ["user:local"] } }, rules: [value] })).warnings,
    ).toEqual([]);
  });

  it.each(blocks.filter(({ value }) => "all" in value || "any" in value))("that is a condition loads: $text", ({ value }) => {
    expect(complaintsOf(() => compilePolicy(filesOf({ rules: [{ name: "x", conditions: value, event: deny }] })))).toEqual([]);
  });

  it.each(blocks.filter(({ value }) => "cases" in value))("that is a file of cases is read: $text", ({ text }) => {
    const complaints: Complaint[] = [];
    const document = readDocument("x.cases.json", text, complaints);
    expect(document && readCases([document]).length).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });
});

describe("the glossary", () => {
  const glossary = readFileSync(join(root, "docs/rules.md"), "utf8").split("## Glossary")[1];
  const rows = glossary
    ?.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | "));

  it("has every reason code once, in their order", () => {
    expect(rows?.map(([code]) => code)).toEqual(REASON_CODES.map((code) => `| \`${code}\``));
  });

  it("has beside each what Behest itself finds or holds, and nothing else", () => {
    const own = rows?.map((row) => row[1]?.match(/behest:[a-z-]+/)?.[0]).filter((name) => name !== undefined);
    // A remark has no reason code; it is told above them.
    expect([...(own ?? []), STATEMENT_DIFFERS].toSorted()).toEqual([...new Set([...BUILT_IN_FINDINGS, ...BUILT_IN_HOLDS])].sort());
    expect(glossary).toContain(`\`${STATEMENT_DIFFERS}\` is a remark that decides nothing`);
    expect(glossary).toContain("`behest:outside-scope` is a hold as well");
    for (const code of INVARIANT_CODES) expect(rows?.find(([first]) => first === `| \`${code}\``)?.[1]).toBe(`\`${findingNameOf(code)}\``);
  });
});

describe("the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");

  it("shows a rule of the starter policy as it is", () => {
    const [shown] = blocksOf("README.md").map((text): { readonly name: string; readonly conditions: unknown } => JSON.parse(text));
    const { rules }: { readonly rules: readonly { readonly name: string }[] } = JSON.parse(
      readFileSync(join(STARTER_RULES, "secrets.rules.json"), "utf8"),
    );
    expect(rules.find(({ name }) => name === shown?.name)).toMatchObject({ conditions: shown?.conditions });
  });

  it("shows a complaint as it is printed", () => {
    const line = `${" ".repeat(10)}{ "fact": "agnet.trust", "operator": "equal", "value": "low" },`;
    const text = `{ "rules": [ { "name": "x", "event": ${JSON.stringify(deny)}, "conditions": { "all": [${"\n".repeat(13)}${line}\n { "fact": "agent.id", "operator": "equal", "value": "a" } ] } } ] }`;
    const [complaint] = complaintsFrom(() => compilePolicy({ ...filesOf({}), "data.rules.json": text }));
    expect(readme).toContain(`\`\`\`text\n${complaint && formatComplaint(complaint)}\n\`\`\``);
  });
});

function complaintsFrom(run: () => unknown): readonly Complaint[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof PolicyInvalid) return error.complaints;
    throw error;
  }
}
