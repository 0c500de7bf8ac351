import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reviewedInAYear } from "../../src/cli/init.ts";
import { isTemplateName, TEMPLATES, templateFiles } from "../../src/cli/templates.ts";
import { instant } from "../../src/core/words.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const NAMES = Object.keys(TEMPLATES).filter(isTemplateName);
const BIN = join(import.meta.dirname, "../../bin/behest");

let home: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  home = temporaryDirectory();
});
afterEach(() => home.remove());

const init = (...args: readonly string[]) => run(["init", ...args], { cwd: home.path });
const put = (path: string, text: string): void => writeFileSync(join(home.path, path), text);
const read = (path: string): string => readFileSync(join(home.path, path), "utf8");
const paths = (directory = ""): readonly string[] => readdirSync(join(home.path, directory), { recursive: true }).map(String).sort();

/** However this clone is reached from the directory, its commands are told with the same words. */
const spelledHere = (text: string): string => text.replaceAll(/^ {2}\S*bin\/behest /gm, "  behest ");

describe("behest init", () => {
  it("makes a policy for coding agents unless told otherwise, shows it, and says what to type next", async () => {
    const { code, stdout, stderr } = await init();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(spelledHere(stdout)).toBe(`a policy for agents that edit, run and push code
template coding-agent; there are also support and finance

rules/
    README.md              what these rules guard against, what to change first
    policy.json            classifications, bands, who approves
    agents.json            your agents, and what each may do at most
    safeguards.rules.json  rules that every template has
    safeguards.cases.json  examples of what they decide
    coding.rules.json      the rules of this template
    coding.cases.json      examples of what they decide
    catalog/               what your tools do, where secrets lie
    schema/                for editors; not read by the server
.vscode/settings.json
    tells VS Code which schema is whose

next:
  behest rules lint rules
  behest rules test rules
  behest serve --rules rules
`);
  });

  it.each(NAMES)("makes exactly the files of the template %s", async (name) => {
    const { code, stdout } = await init("here", "--template", name);
    expect(code).toBe(0);
    expect(stdout).toContain(`template ${name}; there are also ${NAMES.filter((other) => other !== name).join(" and ")}`);
    const files = templateFiles(name);
    const found = readdirSync(join(home.path, "here/rules"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(found.length).toBe(Object.keys(files).length);
    const withoutDays = (text: string): string => text.replaceAll(/("review_by": )"[\d-]{10}"/g, "$1…");
    for (const [path, text] of Object.entries(files)) expect(withoutDays(read(`here/rules/${path}`)), path).toBe(withoutDays(text));
    expect(readdirSync(join(home.path, "here")).sort()).toEqual([".vscode", "rules"]);
  });

  it("has every agent reviewed within a year, and nothing else changed", () => {
    const agents = `{ "a": { "review_by": "2036-12-31", "owner": "review_by" }, "b": { "review_by": "2036-12-31" } }`;
    expect(reviewedInAYear({ "agents.json": agents, "x.md": agents }, instant(Date.UTC(2028, 1, 29, 23)))).toEqual({
      "agents.json": agents.replaceAll("2036-12-31", "2029-02-28"),
      "x.md": agents,
    });
  });

  it("tells commands that run as they are printed", async () => {
    const { stdout } = await run(["init", "it's $HOME here"], { cwd: home.path });
    const [test = ""] = /^ {2}.* rules test .*$/m.exec(stdout) ?? [];
    const said = execFileSync("sh", ["-c", test.trim()], { cwd: home.path, encoding: "utf8" });
    expect(said).toContain("branches 78 of 78 (100 %)");
  });

  it("tells how the clone's own program is called from its directory", () => {
    const said = execFileSync(BIN, ["init", home.path], { cwd: join(BIN, "../.."), encoding: "utf8" });
    expect(said).toContain(`\n  bin/behest serve --rules ${home.path}/rules\n`);
  });

  it("makes the directory, and those above it", async () => {
    expect(await init("a/b/c")).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(home.path, "a/b/c/rules/policy.json"))).toBe(true);
  });

  it("follows a link to the directory that is named", async () => {
    mkdirSync(join(home.path, "real"));
    symlinkSync("real", join(home.path, "link"));
    expect(await init("link")).toMatchObject({ code: 0 });
    expect(paths("real")).toContain("rules/policy.json");
  });
});

describe("what is there already", () => {
  it("is listed, and nothing is written", async () => {
    mkdirSync(join(home.path, "rules/catalog"), { recursive: true });
    put("rules/policy.json", "mine");
    put("rules/catalog/web.json", "mine too");
    const before = paths();
    const { code, stdout, stderr } = await init();
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`behest: nothing was written, because something is there already:
  rules/catalog/web.json
  rules/policy.json
name another directory, or overwrite these files with --force
`);
    expect(paths()).toEqual(before);
    expect([read("rules/policy.json"), read("rules/catalog/web.json")]).toEqual(["mine", "mine too"]);
  });

  it("is overwritten with --force where the template has a file of its name, and only there", async () => {
    mkdirSync(join(home.path, "rules/catalog"), { recursive: true });
    put("rules/policy.json", "mine");
    put("rules/own.rules.json", "mine");
    put("rules/catalog/own.json", "mine");
    put("rules/.hidden", "mine");
    const { code, stdout } = await init("--force");
    expect(code).toBe(0);
    expect(read("rules/policy.json")).toBe(templateFiles("coding-agent")["policy.json"]);
    expect(["own.rules.json", "catalog/own.json", ".hidden"].map((path) => read(`rules/${path}`))).toEqual(["mine", "mine", "mine"]);
    expect(stdout).toContain("\noverwritten: 1 file of these names\n");
    expect(stdout).toContain(
      "\nthere before, and part of the policy too; remove what does not belong:\n    rules/own.rules.json\n    rules/catalog/own.json\n\nnext:",
    );
  });

  it("may be an empty rules directory", async () => {
    mkdirSync(join(home.path, "rules"));
    expect(await init()).toMatchObject({ code: 0, stderr: "" });
  });

  it.each<{ says: string; make: () => void; args?: readonly string[]; code: number; message: string }>([
    { says: "a file instead of the directory", make: () => put("x", ""), args: ["x"], code: 2, message: "`x` is not a directory; name one" },
    { says: "a file above the directory", make: () => put("x", ""), args: ["x/y"], code: 1, message: "no policy was made in `x/y`: ENOTDIR" },
    {
      says: "a link that leads nowhere",
      make: () => symlinkSync("nowhere", join(home.path, "x")),
      args: ["x"],
      code: 2,
      message: "`x` is a symbolic link that leads nowhere; remove it, or name a directory",
    },
    {
      says: "a link to itself",
      make: () => symlinkSync("x", join(home.path, "x")),
      args: ["x"],
      code: 1,
      message: "no policy was made in `x`: ELOOP",
    },
    { says: "a file instead of rules", make: () => put("rules", ""), code: 2, message: "  rules is a file, where a directory has to be made" },
    {
      says: "a link instead of rules",
      make: () => {
        mkdirSync(join(home.path, "elsewhere"));
        symlinkSync("elsewhere", join(home.path, "rules"));
      },
      code: 2,
      message: "  rules is a symbolic link, where a directory has to be made",
    },
    {
      says: "a link instead of a file",
      make: () => {
        mkdirSync(join(home.path, "rules"));
        symlinkSync("../elsewhere.json", join(home.path, "rules/agents.json"));
      },
      code: 2,
      message: "  rules/agents.json is a symbolic link, where a file has to be made",
    },
    {
      says: "a directory instead of a file",
      make: () => mkdirSync(join(home.path, "rules/policy.json"), { recursive: true }),
      code: 2,
      message: "  rules/policy.json is a directory, where a file has to be made",
    },
    {
      says: "a FIFO instead of a file",
      make: () => {
        mkdirSync(join(home.path, "rules"));
        execFileSync("mkfifo", [join(home.path, "rules/policy.json")]);
      },
      code: 2,
      message: "  rules/policy.json is a special file, where a file has to be made",
    },
    {
      says: "a terminal's orders in a name",
      make: () => put("x\u001b[2J", ""),
      args: ["x\u001b[2J"],
      code: 2,
      message: "`x�[2J` is not a directory; name one",
    },
  ])("is refused with --force too: $says", async ({ make, args = [], code: expected, message }) => {
    make();
    const before = paths();
    const { code, stdout, stderr } = await init(...args, "--force");
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("    at ");
    expect(paths()).toEqual(before);
  });
});

describe("a directory that cannot be written to", () => {
  /** A superuser may write anywhere but to a disk that is full. */
  const isSuperuser = process.getuid?.() === 0;
  const mount = (): boolean => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", home.path], { stdio: "pipe" });
      return true;
    } catch {
      return false;
    }
  };

  it.skipIf(isSuperuser)("is named, and stays as it was", async () => {
    mkdirSync(join(home.path, "x"));
    chmodSync(join(home.path, "x"), 0o555);
    const { code, stderr } = await init("x");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("behest: no policy was made in `x`: EACCES") });
    expect(paths("x")).toEqual([]);
  });

  it.runIf(isSuperuser)("because its disk is full is named, and stays as it was", async (test) => {
    if (!mount()) return test.skip("no file system of our own can be mounted here");
    try {
      const { code, stderr } = await init("x/y");
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("behest: no policy was made in `x/y`: ENOSPC") });
      expect(paths()).toEqual([]);
    } finally {
      execFileSync("umount", [home.path]);
    }
  });

  it.runIf(existsSync("/proc/self"))("and never could be is given up at once", async () => {
    expect(await init("/proc/x/y")).toMatchObject({ code: 1, stderr: expect.stringContaining("behest: no policy was made in `/proc/x/y`: ENOENT") });
  });
});

describe("the editor's settings", () => {
  beforeEach(() => mkdirSync(join(home.path, ".vscode")));

  it("are added to", async () => {
    put(".vscode/settings.json", '{\n  // mine\n  "editor.tabSize": 2,\n}\n');
    const { code, stdout } = await init();
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("\n.vscode/settings.json\n    now maps the schemas too\n") });
    expect(read(".vscode/settings.json")).toMatch(/^\{\n {2}\/\/ mine\n {2}"editor.tabSize": 2,\n {2}"json.schemas": \[/);
  });

  it("are not touched when they have it all", async () => {
    await init();
    const before = read(".vscode/settings.json");
    const { stdout } = await init("--force");
    expect(stdout).toContain("\n    maps the schemas already\n");
    expect(read(".vscode/settings.json")).toBe(before);
  });

  it.each<{ says: string; make: () => void; because: string }>([
    { says: "no JSON", make: () => put(".vscode/settings.json", "{ what"), because: "it is not JSON" },
    {
      says: "no UTF-8",
      make: () => writeFileSync(join(home.path, ".vscode/settings.json"), Buffer.from([0x7b, 0xff])),
      because: "it is not valid UTF-8",
    },
    { says: "very long", make: () => put(".vscode/settings.json", " ".repeat(1_048_577)), because: "it has more than 1048576 bytes" },
    { says: "a link", make: () => symlinkSync("/nowhere", join(home.path, ".vscode/settings.json")), because: "it is not a regular file" },
    {
      says: "in a directory that is none",
      make: () => {
        rmSync(join(home.path, ".vscode"), { recursive: true });
        put(".vscode", "");
      },
      because: "`.vscode` is not a directory",
    },
  ])("are left alone when they are $says, even with --force, and the rest is made", async ({ make, because }) => {
    make();
    const { code, stdout } = await init("--force");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`\n    left as it was, because ${because}; map the schemas`) });
    expect(paths()).toContain("rules/policy.json");
  });
});

describe("what is asked for wrongly", () => {
  it.each<{ args: readonly string[]; message: string }>([
    {
      args: ["--template", "codng-agent"],
      message: "unknown template `codng-agent`; did you mean `coding-agent`? There are `coding-agent`, `support`, `finance`",
    },
    { args: ["--template", "__proto__"], message: "unknown template `__proto__`; there are" },
    { args: ["--template", "../rules"], message: "unknown template `../rules`; there are" },
    { args: ["--template", ""], message: "unknown template ``; there are" },
    { args: [""], message: "name a directory, or leave it out to use this one" },
    { args: ["a", "b"], message: "too many arguments" },
    { args: ["--frce"], message: "did you mean --force?" },
  ])("is a usage error: $args", async ({ args, message }) => {
    const { code, stdout, stderr } = await init(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.toLowerCase()).toContain(message.toLowerCase());
    expect(paths()).toEqual([]);
  });
});
