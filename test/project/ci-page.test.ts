import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../cli/running-command.ts";
import { temporaryDirectory } from "../running-server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/ci.md"), "utf8");
const workflow = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
const commands = [...workflow.matchAll(/^ +run: (.+)$/gm)].map((match) => match[1] ?? "");

const repository = temporaryDirectory();
afterAll(() => repository.remove());
const sh = (command: string) =>
  spawnSync("sh", ["-c", command], {
    cwd: repository.path,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: repository.path, NODE_OPTIONS: "" },
  });

mkdirSync(join(repository.path, ".git"));
symlinkSync(root, join(repository.path, ".behest"));
sh(".behest/bin/behest init . --template support");

describe("the workflow of docs/ci.md, in a repository with the policy of a template,", () => {
  it("has its steps", () => {
    expect(commands).toHaveLength(5);
  });

  it.each(commands)("passes: %s", (command) => {
    const { status, stderr } = sh(command);
    expect({ status, stderr: stderr.replaceAll(/^(.*next: |note: ).*\n/gm, "") }).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    {
      says: "a warning",
      file: "a.rules.json",
      text: '{ "rules": [], "conditions": { "a": { "fact": "session", "operator": "equal", "value": "x" } } }',
      step: "lint",
    },
    {
      says: "a case that is decided otherwise",
      file: "b.cases.json",
      text: '{ "cases": [{ "name": "b", "use": ["a-read"], "expect": { "outcome": "DENY" } }] }',
      step: "test",
    },
  ])("fails at $says, beside its line", ({ file, text, step }) => {
    writeFileSync(join(repository.path, "rules", file), text);
    const command = commands.find((one) => one.includes(`rules ${step} rules`) && one.includes("--format github")) ?? "";
    const { status, stdout } = sh(command);
    expect(status).not.toBe(0);
    expect(stdout).toMatch(new RegExp(`^::(error|warning) file=rules/${file.replaceAll(".", "\\.")},line=1,`, "m"));
  });
});

describe("reports name files relative to the repository", () => {
  it.each([
    { format: "github", command: "lint", holds: "file=rules/a.rules.json," },
    { format: "sarif", command: "lint", holds: '"uri": "rules/a.rules.json"' },
    { format: "junit", command: "lint", holds: 'classname="rules/a.rules.json" file="rules/a.rules.json"' },
    { format: "github", command: "test", holds: "file=rules/b.cases.json," },
    { format: "junit", command: "test", holds: 'classname="rules/b.cases.json" file="rules/b.cases.json"' },
  ])("$format of rules $command, wherever it runs and however the directory is named", async ({ format, command, holds }) => {
    for (const [cwd, named] of [
      [join(repository.path, "rules"), "."],
      ["/", join(repository.path, "rules")],
    ] as const) {
      const { stdout } = await run(["rules", command, named, "--format", format], { cwd });
      expect(stdout).toContain(holds);
      expect(stdout).not.toContain(repository.path);
    }
  });
});

it("docs/ci.md is linked to", () => {
  for (const file of ["README.md", "docs/authoring.md"]) expect(readFileSync(join(root, file), "utf8"), file).toMatch(/\]\((docs\/)?ci\.md\)/);
});
