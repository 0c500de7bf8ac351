import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { FULL_REACH, filesOf, type PolicyParts } from "../policies.ts";
import { temporaryDirectory } from "../running-server.ts";
import { type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const rule = {
  name: "deletes",
  conditions: { all: [{ fact: "action.effect", operator: "in", value: ["delete", "unknown"] }] },
  event: { type: "deny", params: { points: 30, reason: "deletes something", controls: [] } },
};
const request = { agent: { id: "bot" }, action: { tool: "files/look" } };
const looks = { name: "a look is allowed", request, expect: { outcome: "ALLOW", silent: ["deletes"] } };
const purges = {
  name: "a purge <is> denied",
  request: { ...request, action: { tool: "files/purge" } },
  expect: { outcome: "DENY", fires: ["deletes"] },
};
const wrong = { ...looks, name: "a look is denied", expect: { outcome: "DENY", score: 30, silent: ["deletes"] } };
const tool = (effect: string) => ({ effect, reversibility: "reversible", output: { trust: "trusted" } });
const PARTS: PolicyParts = {
  settings: { reach: { default: FULL_REACH } },
  rules: [rule],
  tools: { "files/look": tool("read"), "files/purge": tool("delete") },
};

let made = 0;
/** A rules directory of its own, with these cases. */
function rulesWith(cases: readonly object[] | string, parts = PARTS): string {
  const path = join(directory.path, `rules-${made++}`);
  mkdirSync(join(path, "catalog"), { recursive: true });
  for (const [name, text] of Object.entries(filesOf(parts))) writeFileSync(join(path, name), text);
  if (typeof cases === "string") writeFileSync(join(path, "a.cases.json"), cases);
  else if (cases.length > 0) writeFileSync(join(path, "a.cases.json"), JSON.stringify({ cases }, null, 2));
  return path;
}

const test = (path: string, ...flags: readonly string[]): Promise<Finished> => run(["rules", "test", path, ...flags]);

describe.concurrent("behest rules test", () => {
  it("passes the starter policy, and says what its cases reach", async () => {
    const { code, stdout } = await test(STARTER_RULES, "--threshold", "99");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\n\d+ cases: (\d+) decided as they say, 0 otherwise\ncoverage: rules (\d+) of \2 \(100 %\), branches \d+ of \d+ \(99\.\d %\)\n/,
    );
  });

  it("tells pass, fail and coverage in one report, and why a case fails", async () => {
    const path = rulesWith([looks, wrong]);
    const { code, stdout } = await test(path);
    expect(code).toBe(4);
    expect(stdout).toBe(`✖ ${path}/a.cases.json  1 of 2
    ✖ a look is denied  ${path}/a.cases.json:20:5
        outcome: expected DENY, found ALLOW
        score: expected 30, found 0
        decided ALLOW at risk 0; stands: nothing

2 cases: 1 decided as they say, 1 otherwise
coverage: rules 0 of 1 (0 %), branches 1 of 2 (50 %)
  ${path}/test.rules.json:1:11  deletes: the rule never stands
  ${path}/test.rules.json:1:50  deletes: \`action.effect in ["delete","unknown"]\` is never true
`);
  });

  it("says which fact was unknown where a rule stands for that reason, and that a branch is only ever unknown", async () => {
    const hour = { fact: "context.attributes.hour", operator: "greaterThan", value: 20 };
    const late = { name: "late", conditions: { all: [hour] }, event: { type: "risk", params: { points: 20, reason: "is late", controls: [] } } };
    const asText = { ...wrong, name: "at noon", request: { ...request, context: { attributes: { hour: "noon" } } } };
    const path = rulesWith([wrong, asText], { ...PARTS, rules: [rule, late] });
    const { stdout } = await test(path);
    expect(stdout).toContain("; stands: late +20 (unknown: context.attributes.hour is absent)\n");
    expect(stdout).toContain('; stands: late +20 (unknown: context.attributes.hour is "noon")\n');
    expect(stdout).toContain("  late: `context.attributes.hour greaterThan 20` is never true or false: always unknown\n");
  });

  it("names every case when asked", async () => {
    expect((await test(rulesWith([looks, purges]), "--verbose")).stdout).toContain("    ✔ a look is allowed\n    ✔ a purge <is> denied\n");
  });

  it.each<{ says: string; cases: readonly object[]; threshold: string; code: number }>([
    { says: "exits 5 below the threshold", cases: [looks], threshold: "51", code: 5 },
    { says: "looks at the lesser of rules and branches", cases: [looks], threshold: "1", code: 5 },
    { says: "exits 0 at the threshold", cases: [looks, purges], threshold: "100", code: 0 },
    { says: "exits 4 rather than 5 when a case fails as well", cases: [wrong], threshold: "100", code: 4 },
  ])("$says", async ({ cases, threshold, code }) => {
    expect((await test(rulesWith(cases), "--threshold", threshold)).code).toBe(code);
  });

  it.each<{ when: string; flags: readonly string[]; cases: readonly object[] | string; code: number; stderr: string }>([
    {
      when: "there is no case",
      flags: [],
      cases: [],
      code: 4,
      stderr: "write one into a `NAME.cases.json`, or begin with `bin/behest case from DECISION-ID`",
    },
    {
      when: "no case is meant",
      flags: ["--filter", "zebra"],
      cases: [looks],
      code: 2,
      stderr: "no case of 1 holds `zebra` in its file's name or its own",
    },
    {
      when: "a threshold is set on some of the cases",
      flags: ["--filter", "look", "--threshold", "1"],
      cases: [looks],
      code: 2,
      stderr: "use one of the two",
    },
    { when: "a threshold is none", flags: ["--threshold", "most"], cases: [looks], code: 2, stderr: "Give a number from 0 to 100." },
    { when: "a case's file is broken", flags: [], cases: "{", code: 3, stderr: "a.cases.json:1:2: not JSON" },
    {
      when: "a request is none that a server reads",
      flags: [],
      cases: [{ ...looks, request: { ...request, action: { tool: "x", arguments: { a: 1 }, arguments_json: "{}" } } }],
      code: 3,
      stderr: 'a.cases.json:14:11: `arguments` and `arguments_json` exclude each other: give one of them\n            "arguments_json": ',
    },
    {
      when: "a request has an unknown key",
      flags: [],
      cases: [{ ...looks, request: { ...request, contxt: {} } }],
      code: 3,
      stderr: 'a.cases.json:12:9: unknown key `contxt`; did you mean `context`?\n          "contxt": {}\n          ^',
    },
    {
      when: "a fixture has an unknown word, once for all cases that use it",
      flags: [],
      cases: JSON.stringify({
        fixtures: { f: { request: { ...request, action: { tool: "x", effect: "raed" } } } },
        cases: [
          { name: "a", use: ["f"], expect: looks.expect },
          { name: "b", use: ["f"], expect: looks.expect },
        ],
      }),
      code: 3,
      stderr:
        "behest: PATH/a.cases.json:1:81: `raed` in `action.effect` is none of `read` `browse` `create` `update` `delete` `send` `share` `pay` `credential` `execute` `unknown`; did you mean `read`?",
    },
    {
      when: "a request names an agent badly",
      flags: [],
      cases: [{ ...looks, request: { ...request, agent: { id: "" } } }],
      code: 3,
      stderr: "`agent.id` is missing or empty",
    },
  ])("says what to do when $when", async ({ flags, cases, code, stderr }) => {
    const path = rulesWith(cases);
    const finished = await test(path, ...flags);
    expect(finished.stderr.replaceAll(path, "PATH")).toContain(stderr);
    expect(finished.code).toBe(code);
  });

  it.each(["test", "mutate"])("rules %s says that nothing was tested when the rules are invalid", async (command) => {
    const path = rulesWith([looks], { ...PARTS, rules: [{ ...rule, event: { type: "forbid" } }] });
    const { code, stderr } = await run(["rules", command, path]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/\n\nthe rules have \w+ errors?; nothing was tested\n$/) });
  });

  it("says how to name a directory when there is none", async () => {
    const { code, stderr } = await run(["rules", "test"], { env: { BEHEST_RULES: "/nonexistent" } });
    expect(code).toBe(2);
    expect(stderr).toContain("no policy in `/nonexistent`: name a rules directory");
    expect((await test("/nonexistent")).code).toBe(3);
  });

  it("decides only the cases that are meant, and leaves coverage out", async () => {
    const { stdout } = await test(rulesWith([looks, purges]), "--filter", "PURGE");
    expect(stdout).toContain("1 case: 1 decided as they say");
    expect(stdout).not.toContain("coverage");
  });

  it("writes what was found into the cases when told to, and nothing else", async () => {
    const path = rulesWith([looks, wrong]);
    const before = readFileSync(join(path, "a.cases.json"), "utf8");
    const { code, stderr } = await test(path, "--update");
    expect(stderr).toBe(`updated 1 case in ${path}/a.cases.json: look at the difference before you keep it\n`);
    expect(code).toBe(0);
    expect(readFileSync(join(path, "a.cases.json"), "utf8")).toBe(before.replace('"DENY"', '"ALLOW"').replace('"score": 30', '"score": 0'));
  });

  it("reports JSON with every case, every disagreement and everything unreached", async () => {
    const { stdout } = await test(rulesWith([looks, wrong]), "--format", "json", "--threshold", "60");
    expect(JSON.parse(stdout)).toMatchObject({
      cases: [
        { name: "a look is allowed", passed: true, disagreements: [], outcome: "ALLOW", score: 0, stands: [] },
        {
          name: "a look is denied",
          passed: false,
          disagreements: [{ key: "outcome", message: "outcome: expected DENY, found ALLOW" }, { key: "score" }],
        },
      ],
      summary: { cases: 2, passed: 1, failed: 1 },
      coverage: {
        rules: { reached: 0, all: 1, percent: 0 },
        branches: { reached: 1, all: 2, percent: 50 },
        unreached: [{ rule: "deletes" }, { rule: "deletes" }],
      },
      threshold: 60,
      threshold_missed: true,
    });
  });

  it("reports JUnit's XML, coverage as a case of its own", async () => {
    const { stdout } = await test(rulesWith([purges, wrong]), "--format", "junit", "--threshold", "100");
    expect(stdout).toContain('tests="3" failures="1"');
    expect(stdout).toContain('<testcase name="a purge &lt;is&gt; denied"');
    expect(stdout).toContain('<failure type="outcome" message="outcome: expected DENY, found ALLOW">');
    expect(stdout).toContain('name="coverage: rules 1 of 1 (100 %), branches 2 of 2 (100 %)"');
  });

  it("reports to GitHub, each failure beside its case", async () => {
    const path = rulesWith([looks, wrong]);
    const lines = (await test(path, "--format", "github")).stdout.trim().split("\n");
    expect(lines[0]).toBe(
      `::error file=${path}/a.cases.json,line=20,col=5,title=case%3A a look is denied::outcome: expected DENY, found ALLOW%0Ascore: expected 30, found 0`,
    );
    expect(lines.at(-1)).toBe("::notice title=coverage of the rules::rules 0 of 1 (0 %25), branches 1 of 2 (50 %25)");
  });
});

describe.concurrent("files of cases", () => {
  it.each<{ says: string; spoil: (path: string) => void; message: string }>([
    { says: "a FIFO", spoil: (path) => execFileSync("mkfifo", [path]), message: "cannot be read: it is no regular file" },
    {
      says: "a gigabyte",
      spoil: (path) => truncateSync(path, 1 << 30),
      message: "cannot be read: it has 1073741824 bytes, at most 4194304 are read",
    },
    { says: "no UTF-8", spoil: (path) => writeFileSync(path, Buffer.from([0x7b, 0xff, 0x7d])), message: "cannot be read: it is not valid UTF-8" },
    { says: "a directory", spoil: (path) => mkdirSync(path), message: "cannot be read: it is a directory" },
    { says: "a link to itself", spoil: (path) => symlinkSync(path, path), message: "cannot be read: " },
  ])("are refused at once when one is $says", async ({ spoil, message, says }) => {
    const path = rulesWith([looks, purges]);
    const file = join(path, "b.cases.json");
    if (says === "a gigabyte") writeFileSync(file, "");
    spoil(file);
    for (const command of ["test", "lint"]) {
      const { code, stdout, stderr } = await run(["rules", command, path]);
      expect(stdout + stderr, command).toContain(`${file}: `);
      expect(stdout + stderr, command).toContain(message);
      expect(code, command).toBe(3);
    }
  });

  it("stay links, and keep their mode, when they are updated", async () => {
    const path = rulesWith([]);
    const real = join(directory.path, `shared-${made++}.json`);
    writeFileSync(real, JSON.stringify({ cases: [looks, wrong] }), { mode: 0o600 });
    symlinkSync(real, join(path, "a.cases.json"));
    expect((await test(path, "--update")).code).toBe(0);
    expect(lstatSync(join(path, "a.cases.json")).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toContain('"outcome":"ALLOW","score":0');
    expect(statSync(real).mode & 0o777).toBe(0o600);
    expect(readdirSync(path).sort()).toEqual(["a.cases.json", "agents.json", "catalog", "policy.json", "test.rules.json"]);
  });
});

describe.concurrent("a report that a program reads", () => {
  it.each<[format: string, holds: string]>([
    ["json", '"error": "nothing was tested"'],
    ["junit", '<failure type="not-json"'],
    ["github", "::error file="],
  ])("is there as %s when nothing could be decided", async (format, holds) => {
    const path = rulesWith([looks]);
    writeFileSync(join(path, "z.rules.json"), "{");
    const { code, stdout, stderr } = await test(path, "--format", format);
    expect(stdout).toContain(holds);
    expect(stderr).toContain("nothing was tested");
    expect(code).toBe(3);
  });

  it("obeys nothing that a case's name says to a terminal, and leaves coverage out where cases are left out", async () => {
    const { stdout } = await test(rulesWith([{ ...wrong, name: "\u001b[31mred\u202e" }, looks]), "--format", "github", "--filter", "red");
    expect(stdout).toContain("title=case%3A �[31mred�::");
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });
});

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** `rules test --watch` in a process of its own, and how to wait for what it says. */
function watching(path: string) {
  const child = spawn(process.execPath, [MAIN, "rules", "test", path, "--watch"], { stdio: "pipe" });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const until = async (words: string): Promise<void> => {
    for (let tries = 0; !said.includes(words); tries++) {
      if (tries > 400) throw new Error(`never said ${words}: ${said}`);
      await new Promise((later) => setTimeout(later, 25));
    }
    said = said.slice(said.indexOf(words) + words.length);
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    await once(child, "close");
  };
  return { until, stop };
}

describe("behest rules test --watch", () => {
  it("decides again at every change, and goes on after a file that is broken for a moment", async () => {
    const path = rulesWith([looks]);
    const { until, stop } = watching(path);
    await until("waiting for a change");
    writeFileSync(join(path, "a.cases.json"), "{");
    await until("not JSON");
    await until("waiting for a change");
    writeFileSync(join(path, "a.cases.json"), JSON.stringify({ cases: [looks, purges] }));
    await until("2 cases: 2 decided as they say");
    await stop();
  });

  it("sees every change of a file that an editor saves by renaming another over it", async () => {
    const path = rulesWith([looks]);
    const { until, stop } = watching(path);
    const file = join(path, "a.cases.json");
    for (const name of ["first", "second"]) {
      await until("waiting for a change");
      writeFileSync(join(path, ".draft"), JSON.stringify({ cases: [{ ...wrong, name }] }));
      renameSync(join(path, ".draft"), file);
      await until(`✖ ${name}`);
    }
    await until("waiting for a change");
    writeFileSync(file, JSON.stringify({ cases: [{ ...wrong, name: "third" }] }));
    await until("✖ third");
    await stop();
  });
});

describe.concurrent("behest rules mutate", () => {
  const mutate = (path: string, ...flags: readonly string[]): Promise<Finished> => run(["rules", "mutate", path, ...flags]);

  it("lists what no case notices, with its place, and how many are noticed", async () => {
    const path = rulesWith([looks, purges]);
    const { code, stdout } = await mutate(path);
    expect(code).toBe(0);
    expect(stdout).toBe(`deletes
    ${path}/test.rules.json:1:11  30 points → 0
    ${path}/test.rules.json:1:50  \`action.effect in ["delete","unknown"]\`: \`"unknown"\` is dropped

Each line is a change of a rule that no case notices: write the case that would.

5 mutants: 3 noticed (60 %), 2 not
`);
  });

  it("exits 5 below the threshold, and 0 when every mutant is noticed", async () => {
    const scored = { ...purges, expect: { outcome: "DENY", score: 30 } };
    const unknown = { ...purges, name: "unknown", request: { ...request, action: { tool: "files/look", effect: "unknown" } } };
    expect((await mutate(rulesWith([looks, purges]), "--threshold", "61")).code).toBe(5);
    const whole = await mutate(rulesWith([looks, scored, unknown]), "--threshold", "100", "--format", "json");
    expect(JSON.parse(whole.stdout)).toEqual({ mutants: 5, noticed: 5, percent: 100, survivors: [] });
    expect(whole.code).toBe(0);
  });

  it.each<{ when: string; cases: readonly object[]; flags: readonly string[]; code: number; stderr: string }>([
    {
      when: "a case does not hold",
      cases: [wrong],
      flags: [],
      code: 4,
      stderr: "the case `a look is denied` does not hold as the rules are; mend that first, with `bin/behest rules test ",
    },
    { when: "there is no case", cases: [], flags: [], code: 4, stderr: "no case in " },
    { when: "there is no such rule", cases: [looks], flags: ["--rule", "other"], code: 2, stderr: "no rule `other`" },
  ])("refuses to begin when $when", async ({ cases, flags, code, stderr }) => {
    const finished = await mutate(rulesWith(cases), ...flags);
    expect(finished.stderr).toContain(stderr);
    expect(finished.code).toBe(code);
  });

  it("finds most mutants of the starter policy noticed", async () => {
    const copy = join(directory.path, "starter");
    cpSync(STARTER_RULES, copy, { recursive: true });
    const { percent } = JSON.parse((await mutate(copy, "--format", "json")).stdout);
    expect(percent).toBeGreaterThan(80);
  });
});
