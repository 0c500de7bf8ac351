import { hash } from "node:crypto";
import { appendFileSync, chmodSync, readFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { encodeStable } from "../../src/core/json.ts";
import { formatComplaint, PolicyInvalid } from "../../src/policy/complaints.ts";
import { openRulesDirectory, type ReadDirectory } from "../../src/policy/directory.ts";
import { compilePolicy, loadPolicy } from "../../src/policy/load.ts";
import { whyUnreadable } from "../../src/policy/reading.ts";
import { temporaryDirectory } from "../running-server.ts";
import { BAD_DIRECTORIES, complaintAt, denyRule, writePolicy } from "./bad-directories.ts";

const SLICING = { now: () => performance.now(), sliceMs: 5 };
const open = (path: string) => openRulesDirectory(path, SLICING);

let parent: ReturnType<typeof temporaryDirectory>;
let rules: string;
beforeEach(() => {
  parent = temporaryDirectory();
  rules = join(parent.path, "rules");
  writePolicy(rules);
});
afterEach(() => parent.remove());

const firstLines = (complaints: Parameters<typeof formatComplaint>[0][]): readonly string[] =>
  complaints.map((complaint) => formatComplaint(complaint).split("\n")[0] ?? "");

function refusalAtOnce(): readonly string[] {
  try {
    loadPolicy(rules);
    return [];
  } catch (error) {
    if (error instanceof PolicyInvalid) return firstLines([...error.complaints]);
    throw error;
  }
}

const refusalOf = ({ outcome }: ReadDirectory): readonly string[] => ("complaints" in outcome ? firstLines([...outcome.complaints]) : []);
const digestOf = ({ outcome }: ReadDirectory): string =>
  "policy" in outcome ? outcome.policy.digest : refusalOf({ outcome, fingerprint: "" }).join("\n");

describe("a rules directory is refused, read at once and read while others are served, when", () => {
  it.each(BAD_DIRECTORIES)("$says", async (bad) => {
    bad.spoil(rules);
    const expected = complaintAt(bad, rules);
    const atOnce = refusalAtOnce();
    expect(atOnce).toContain(expected);
    expect(refusalOf(await open(rules).read())).toEqual(atOnce);
  });

  it("it holds 100,000 files, and neither way looks at all of them", async () => {
    for (let n = 0; n < 100_000; n++) writeFileSync(join(rules, `x${n}.rules.json`), "");
    const expected = [`${rules}: the rules directory cannot be read: it holds more than 1000 names; a rules directory holds rules alone`];
    expect(refusalAtOnce()).toEqual(expected);
    expect(refusalOf(await open(rules).read())).toEqual(expected);
  });

  // The superuser may read everything.
  it.skipIf(process.getuid?.() === 0)("it holds a file that this process may not read", async () => {
    chmodSync(join(rules, "agents.json"), 0);
    expect(refusalAtOnce()).toEqual([`${rules}/agents.json: cannot be read: this process may not read it`]);
    expect(refusalOf(await open(rules).read())).toEqual(refusalAtOnce());
  });

  it("says that a file may not be read", () => {
    expect(whyUnreadable(Object.assign(new Error("EACCES: …"), { code: "EACCES", syscall: "open" }))).toBe("this process may not read it");
  });
});

describe("a rules directory", () => {
  it("is the same policy, read at once or while others are served", async () => {
    const { outcome } = await open(STARTER_RULES).read();
    const atOnce = loadPolicy(STARTER_RULES);
    expect("policy" in outcome && outcome.policy.digest).toBe(atOnce.policy.digest);
    expect(outcome).toMatchObject({ files: atOnce.files, warnings: atOnce.warnings });
    expect(Object.keys(outcome)).toEqual(["policy", "files", "warnings"]);
  });

  it("has the digest of its paths and texts", () => {
    const { policy, files } = loadPolicy(rules);
    expect(policy.digest).toBe(`sha256:${hash("sha256", encodeStable(files))}`);
    expect(compilePolicy(files).policy.digest).toBe(policy.digest);
  });

  it("has another fingerprint after every change, however alike it looks", async () => {
    const directory = open(rules);
    const at = join(rules, "agents.json");
    const text = readFileSync(at, "utf8");
    const changes: readonly (() => void)[] = [
      () => writeFileSync(at, text.replace("{}", "[]")),
      () => writeFileSync(join(rules, "x.rules.json"), '{ "rules": [] }'),
      () => renameSync(join(rules, "x.rules.json"), join(rules, "y.rules.json")),
      () => writeFileSync(join(rules, "catalog/more.json"), "{}"),
      () => {
        writeFileSync(`${at}.new`, text);
        utimesSync(`${at}.new`, 1, 1);
        renameSync(`${at}.new`, at);
      },
      () => {
        renameSync(rules, join(parent.path, "elsewhere"));
        symlinkSync("elsewhere", rules);
      },
    ];
    const seen = [await directory.fingerprint()];
    for (const change of changes) {
      await new Promise((later) => setTimeout(later, 20));
      change();
      seen.push(await directory.fingerprint());
    }
    expect(new Set(seen).size).toBe(changes.length + 1);
    expect(await directory.fingerprint()).toBe(seen.at(-1));
  });

  it("has the same fingerprint whatever an editor hides in it, and whatever cases say", async () => {
    const directory = open(rules);
    writeFileSync(join(rules, "x.cases.json"), "{}");
    const before = await directory.fingerprint();
    writeFileSync(join(rules, ".x.rules.json.swp"), "");
    writeFileSync(join(rules, "x.cases.json"), "{ }");
    expect(await directory.fingerprint()).toBe(before);
  });

  describe("that changes file by file", () => {
    const NAMES = ["a", "b", "c", "d"];
    const at = (name: string): string => join(rules, `${name}.rules.json`);
    let version: number;
    let writing: NodeJS.Timeout;
    beforeEach(() => {
      version = 0;
      const write = (): void => {
        for (const name of NAMES) writeFileSync(at(name), JSON.stringify({ rules: [denyRule(`${name}-${version}`)] }));
        version++;
      };
      write();
      writing = setInterval(write, 37);
    });
    afterEach(() => clearInterval(writing));

    /** The versions that were found together, one set for each time it was read. */
    async function versionsOf(read: () => Promise<readonly string[]>, times: number): Promise<readonly Set<string>[]> {
      const found: Set<string>[] = [];
      for (let time = 0; time < times; time++) found.push(new Set((await read()).map((name) => name.split("-")[1] ?? "")));
      return found;
    }

    it("is never read half: it is read as it was before or after", async () => {
      const directory = open(rules);
      const versions = await versionsOf(async () => {
        let { outcome } = await directory.read();
        // On a busy machine it may change within each of the tries of one read.
        while (!("policy" in outcome)) {
          expect(firstLines([...outcome.complaints])).toEqual([expect.stringContaining("keeps changing while it is read")]);
          ({ outcome } = await directory.read());
        }
        return outcome.policy.rules.map(({ name }) => name);
      }, 20);
      expect(versions.filter(({ size }) => size > 1)).toEqual([]);
      expect(new Set(versions.flatMap((found) => [...found])).size).toBeGreaterThan(1);
    }, 60_000);

    it("would be read half by a reader that only reads", async () => {
      const nameIn = (text: string): string => /"name":"([^"]*)"/.exec(text)?.[1] ?? "";
      const versions = await versionsOf(async () => {
        const names: string[] = [];
        for (const name of NAMES) {
          names.push(nameIn(await readFile(at(name), "utf8")));
          await new Promise((later) => setTimeout(later, 10));
        }
        return names;
      }, 20);
      expect(versions.some(({ size }) => size > 1)).toBe(true);
    });
  });

  it("that never holds still is refused, and not remembered as refused", async () => {
    const at = join(rules, "x.rules.json");
    writeFileSync(at, '{ "rules": [] }');
    const growing = setInterval(() => appendFileSync(at, " "), 2);
    const read = await open(rules).read();
    clearInterval(growing);
    expect(refusalOf(read)).toEqual([
      `${rules}: the rules directory keeps changing while it is read; change it at once, as by renaming a symbolic link`,
    ]);
    expect(read.fingerprint).toBeUndefined();
    expect(digestOf(await open(rules).read())).toMatch(/^sha256:/);
  });

  it("has settled once a burst of changes has ended, and not before", async () => {
    const directory = open(rules);
    const settling = directory.settle();
    for (let n = 0; n < 6; n++) {
      await new Promise((later) => setTimeout(later, 50));
      writeFileSync(join(rules, "x.rules.json"), JSON.stringify({ rules: [denyRule(`version-${n}`)] }));
    }
    expect(await settling).toBe(await directory.fingerprint());
  });
});
