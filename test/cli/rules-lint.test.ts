import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Draft4 from "ajv-draft-04";
import addFormats from "ajv-formats";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());
const starter = (name: string): string => readFileSync(new URL(`../../rules/${name}`, import.meta.url), "utf8");

let made = 0;
/** A rules directory with these files beside the starter's policy.json. */
function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = join(home.path, `rules-${++made}`);
  mkdirSync(directory);
  for (const [name, text] of Object.entries({ "policy.json": starter("policy.json"), ...files })) writeFileSync(join(directory, name), text);
  return directory;
}

const rule = (name: string, condition: string, type = "deny"): string =>
  `{ "name": "${name}", "conditions": { "all": [${condition}] },\n    "event": { "type": "${type}", "params": { "reason": "r", "controls": ["owasp:ASI02"] } } }`;
const NEVER = rule("too-high", `{ "fact": "data.classification_rank", "operator": "greaterThan", "value": 3 }`);
const FINE = rule("fine", `{ "fact": "action.tool", "operator": "equal", "value": "x" }`);
const SPLIT = rule("split", `{ "fact": "action", "path": "$.tool", "operator": "equal", "value": "y" }`);
const BROKEN = rule("broken", `{ "fact": "action.tol", "operator": "equal", "value": "x" }`);
const file = (...rules: readonly string[]): string => `{ "rules": [\n  ${rules.join(",\n  ")}\n] }\n`;

const clean = directoryOf({ "a.rules.json": file(FINE) });
const warned = directoryOf({ "a.rules.json": file(FINE, NEVER, SPLIT) });
const refused = directoryOf({ "a.rules.json": file(FINE, BROKEN) });

describe("behest rules lint", () => {
  it("finds nothing in the starter policy", async () => {
    const { code, stdout, stderr } = await run(["rules", "lint", "rules", "--strict"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^nothing to complain of in \d+ rules; next: bin\/behest rules test\n$/),
    });
  });

  it("shows each complaint with its place, its line and its id", async () => {
    const { code, stdout, stderr } = await run(["rules", "lint", warned]);
    expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
      `${warned}/a.rules.json:4:49: warning: rule \`too-high\` can never fire: \`data.classification_rank greaterThan 3\` never holds [never-fires]`,
      `    { "name": "too-high", "conditions": { "all": [{ "fact": "data.classification_rank", "operator": "greaterThan", "value"`,
      `${" ".repeat(2 + 48)}^`,
      "",
      `${warned}/a.rules.json:6:56: warning: \`fact\` and \`path\` are one name: write \`action.tool\` [path-spelling]`,
      `    { "name": "split", "conditions": { "all": [{ "fact": "action", "path": "$.tool", "operator": "equal", "value": "y" }]`,
      `${" ".repeat(2 + 55)}^`,
      "",
      "",
    ]);
    expect(stderr).toBe(
      `note: there are no cases, so nothing shows what the rules do; write some into a \`NAME.cases.json\`\n0 errors, 2 warnings in 3 rules; next: bin/behest rules lint ${warned} --fix\n`,
    );
    expect(code).toBe(0);
  });

  it.each([
    { says: "a clean policy", args: [clean], code: 0 },
    { says: "a clean policy, strictly", args: [clean, "--strict"], code: 0 },
    { says: "warnings", args: [warned], code: 0 },
    { says: "warnings, strictly", args: [warned, "--strict"], code: 3 },
    { says: "warnings that were not asked for, strictly", args: [warned, "--strict", "--id", "often-absent"], code: 0 },
    { says: "a warning that was, strictly", args: [warned, "--strict", "--id", "often-absent", "never-fires"], code: 3 },
    { says: "an error", args: [refused], code: 3 },
    { says: "an error that was not asked for", args: [refused, "--id", "never-fires"], code: 3 },
    { says: "no such directory", args: [join(home.path, "nowhere")], code: 3 },
    {
      says: "a mistyped id",
      args: [clean, "--id", "never-fire"],
      code: 2,
      stderr: "No complaint has the id `never-fire`; did you mean `never-fires`? docs/lint/ lists them.",
    },
    {
      says: "an id that is nothing like one",
      args: [clean, "--id", "nope"],
      code: 2,
      stderr: "No complaint has the id `nope`. docs/lint/ lists them.",
    },
    { says: "a format that is none", args: [clean, "--format", "html"], code: 2, stderr: "Allowed choices are pretty, json, github, sarif, junit" },
  ])("exits $code on $says", async ({ args, code, stderr = "" }) => {
    const found = await run(["rules", "lint", ...args]);
    expect(found.code).toBe(code);
    expect(found.stderr).toContain(stderr);
  });

  it("tells at most 50 complaints to people, errors first, and says how many more there are", async () => {
    const many = directoryOf({
      "a.rules.json": file(...Array.from({ length: 70 }, (_, at) => NEVER.replace("too-high", `r-${at}`).replace("> 3", `> ${at}`))),
    });
    const { stdout, stderr } = await run(["rules", "lint", many, "--id", "never-fires"]);
    expect(stdout.match(/\[never-fires\]/g)).toHaveLength(50);
    expect(stdout).toContain("… and 20 more; `--format json` tells all");
    expect(stderr).toContain("0 errors, 70 warnings in 70 rules");
  });

  it("stops at a thousand errors", async () => {
    const huge = directoryOf({ "a.rules.json": `{"rules":[],${Array.from({ length: 10_001 }, (_, at) => `"k${at}":1`).join(",")}}` });
    const { code, stderr, stdout } = await run(["rules", "lint", huge]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `1001 errors, 0 warnings; next: mend them (docs/lint/unknown-key.md says more), then bin/behest rules lint ${huge}\n`,
    });
    expect(stdout).toContain("… and 951 more;");
  });

  it("obeys no escape sequence of a file", async () => {
    const escaping = directoryOf({ "a.rules.json": file(FINE.replace(`"x"`, `"x", "\u001b[2J": 1`)) });
    const { stdout, stderr } = await run(["rules", "lint", escaping]);
    expect(stdout + stderr).not.toContain("\u001b");
  });

  it("complains of cases that cannot be read, and leaves rules without cases alone then", async () => {
    const directory = directoryOf({ "a.rules.json": file(FINE), "a.cases.json": `{ "cases": [{ "name": "a" }] }` });
    const { code, stdout } = await run(["rules", "lint", directory, "--format", "json"]);
    const { complaints } = JSON.parse(stdout);
    expect(code).toBe(3);
    expect(complaints).toMatchObject([{ id: "missing-key", file: `${directory}/a.cases.json`, line: 1, message: "the key `expect` is missing" }]);
  });
});

describe("behest rules lint --format", () => {
  it("json is one object with all that is known of each", async () => {
    const { stdout } = await run(["rules", "lint", refused, "--format", "json"]);
    expect(JSON.parse(stdout)).toEqual({
      complaints: [
        {
          id: "unknown-fact",
          severity: "error",
          file: `${refused}/a.rules.json`,
          line: 4,
          column: 57,
          source: expect.stringContaining(`"name": "broken"`),
          message: "unknown fact `action.tol`; did you mean `action.tool`?",
          suggestion: "action.tool",
          help: "docs/lint/unknown-fact.md",
        },
      ],
      summary: { directory: refused, rules: null, errors: 1, warnings: 0, notes: [] },
    });
  });

  it("github annotates the lines", async () => {
    const { stdout } = await run(["rules", "lint", warned, "--format", "github"]);
    expect(stdout.split("\n").slice(0, 2)).toEqual([
      `::warning file=${warned}/a.rules.json,line=4,col=49,title=never-fires::rule \`too-high\` can never fire: \`data.classification_rank greaterThan 3\` never holds`,
      `::warning file=${warned}/a.rules.json,line=6,col=56,title=path-spelling::\`fact\` and \`path\` are one name: write \`action.tool\``,
    ]);
    expect(stdout).toContain("::notice title=behest rules lint::there are no cases");
  });

  it("junit has a failing case for each complaint, and one that passes when there is none", async () => {
    const { stdout } = await run(["rules", "lint", warned, "--format", "junit"]);
    expect(stdout).toContain(`<testsuite name="${warned}" tests="2" failures="2" errors="0" skipped="0" time="0.000">`);
    expect(stdout).toContain(
      `<testcase name="never-fires at 4:49" classname="${warned}/a.rules.json" file="${warned}/a.rules.json" line="4" time="0.000">`,
    );
    const passed = await run(["rules", "lint", clean, "--format", "junit"]);
    expect(passed.stdout).toContain(`<testcase name="nothing to complain of" classname="${clean}" time="0.000"/>`);
  });

  const validator = new Draft4.default({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(validator);
  const schema: object = createRequire(import.meta.url)("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  const validate = validator.compile(schema);

  it.each([
    { says: "warnings", directory: warned, level: "warning", ids: ["never-fires", "path-spelling"] },
    { says: "errors", directory: refused, level: "error", ids: ["unknown-fact"] },
    { says: "nothing", directory: clean, level: "", ids: [] },
    { says: "a directory that is not there", directory: "no such/directory", level: "error", ids: ["unreadable-file"] },
  ])("sarif is valid SARIF 2.1.0: $says", async ({ directory, level, ids }) => {
    const { stdout } = await run(["rules", "lint", directory, "--format", "sarif"]);
    const log = JSON.parse(stdout);
    expect(validate(log), JSON.stringify(validate.errors)).toBe(true);
    const [{ tool, results }] = log.runs;
    expect(results.map(({ ruleId, level: its }: { ruleId: string; level: string }) => [ruleId, its])).toEqual(ids.map((id) => [id, level]));
    for (const { ruleId, ruleIndex, partialFingerprints } of results) {
      expect(tool.driver.rules[ruleIndex]).toMatchObject({ id: ruleId, help: { markdown: expect.any(String) } });
      // Where this program lies on the machine that ran it is nobody's business, and no link.
      expect(tool.driver.rules[ruleIndex]).not.toHaveProperty("helpUri");
      expect(partialFingerprints["placeAndKind/v1"]).toMatch(/^[0-9a-f]{32}:1$/);
    }
  });

  it("sarif names files relative to the sources, and the same results by the same fingerprint wherever their lines move", async () => {
    const { stdout } = await run(["rules", "lint", "no such/directory", "--format", "sarif"]);
    expect(JSON.parse(stdout).runs[0].results[0].locations[0].physicalLocation.artifactLocation).toEqual({
      uri: "no%20such/directory",
      uriBaseId: "%SRCROOT%",
    });
    const prints = async (): Promise<readonly unknown[]> => {
      const found = await run(["rules", "lint", warned, "--format", "sarif"]);
      return JSON.parse(found.stdout).runs[0].results.map((result: { partialFingerprints: unknown }) => result.partialFingerprints);
    };
    const before = await prints();
    const path = join(warned, "a.rules.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, `\n\n${text}`);
    expect(await prints()).toEqual(before);
    writeFileSync(path, text);
  });

  it("sarif is not valid for a broken twin", () => {
    expect(validate({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [{ ruleId: "a" }] }] })).toBe(false);
  });
});

describe("behest rules lint --fix", () => {
  it("mends what it can, says what, keeps everything else to the byte, and has nothing to do the second time", async () => {
    const directory = directoryOf({
      "real.json.txt.md": file(FINE, SPLIT, NEVER),
      "b.rules.json": file(rule("other", `{ "fact": "session", "operator": "equal", "value": "x" }`)),
    });
    symlinkSync(join(directory, "real.json.txt.md"), join(directory, "a.rules.json"));
    chmodSync(join(directory, "real.json.txt.md"), 0o640);
    const { code, stderr, stdout } = await run(["rules", "lint", directory, "--fix"]);
    expect(code).toBe(0);
    expect(stderr.split("\n")[0]).toBe(`${directory}/a.rules.json:4:56: joined \`fact\` and \`path\` into \`action.tool\` [path-spelling]`);
    expect(stdout).toContain("[never-fires]");
    expect(stdout).not.toContain("[path-spelling]");
    const mended = readFileSync(join(directory, "a.rules.json"), "utf8");
    expect(mended).toBe(file(FINE, SPLIT.replace(`"action", "path": "$.tool"`, `"action.tool"`), NEVER));
    expect(statSync(join(directory, "real.json.txt.md")).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).sort()).toEqual(["a.rules.json", "b.rules.json", "policy.json", "real.json.txt.md"]);
    const again = await run(["rules", "lint", directory, "--fix"]);
    expect(again.stderr).not.toContain("joined");
    expect(readFileSync(join(directory, "a.rules.json"), "utf8")).toBe(mended);
  });

  it("leaves a policy that is refused, and what was not asked for, as they are", async () => {
    const broken = file(BROKEN, SPLIT);
    const directory = directoryOf({ "a.rules.json": broken });
    expect((await run(["rules", "lint", directory, "--fix"])).code).toBe(3);
    expect(readFileSync(join(directory, "a.rules.json"), "utf8")).toBe(broken);
    const other = directoryOf({ "a.rules.json": file(SPLIT) });
    await run(["rules", "lint", other, "--fix", "--id", "unused-condition"]);
    expect(readFileSync(join(other, "a.rules.json"), "utf8")).toBe(file(SPLIT));
  });
});

describe("behest rules influence", () => {
  it("says who can bring about what a rule reads, and where it softens", async () => {
    const condition = `{ "fact": "data.classification", "operator": "equal", "value": "confidential" }, { "fact": "action.tool", "operator": "equal", "value": "x" }`;
    const directory = directoryOf({ "a.rules.json": file(rule("named", condition)) });
    const { code, stdout } = await run(["rules", "influence", directory]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["rule", "event", "weakest", "fact", "influence", "softens"],
      ["named", "deny", "caller", "data.classification", "caller", `from "confidential" to "restricted", by caller`],
      ["named", "deny", "caller", "action.tool", "enforcer"],
      [""],
    ]);
    const { stdout: json } = await run(["rules", "influence", directory, "-o", "json"]);
    expect(JSON.parse(json)).toEqual([
      {
        rule: "named",
        event: "deny",
        position: `${directory}/a.rules.json:2:3`,
        weakest: "caller",
        facts: [
          { fact: "data.classification", influence: "caller" },
          { fact: "action.tool", influence: "enforcer" },
        ],
        softens: [{ fact: "data.classification", from: "confidential", to: "restricted", by: "caller", position: `${directory}/a.rules.json:2:46` }],
      },
    ]);
  });
});
