import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { schemaFiles, schemaText, vscodeSettings } from "../../src/cli/schema-files.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const root = join(import.meta.dirname, "../..");
const home = temporaryDirectory();
afterAll(() => home.remove());

describe("behest schema", () => {
  it("lists the schemas", async () => {
    const { code, stdout } = await run(["schema"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ["name", "files"],
      ["policy", "policy.json"],
      ["agents", "agents.json"],
      ["rules", "*.rules.json"],
      ["cases", "*.cases.json"],
      ["catalog", "catalog/*.json"],
      [""],
    ]);
    const rows: readonly unknown[] = JSON.parse((await run(["schema", "-o", "json"])).stdout);
    expect(rows[0]).toEqual({
      name: "policy",
      files: "policy.json",
      lines: schemaText("policy").split("\n").length - 1,
      about: "what decides beside the rules",
    });
  });

  it.each(["rules", "rules.schema.json"])("prints the one that is called %s", async (name) => {
    expect(await run(["schema", name])).toEqual({ code: 0, stdout: schemaText("rules"), stderr: "" });
  });

  it("stops without a word when nobody reads on", () => {
    const command = `"${process.execPath}" src/cli/main.ts schema rules | head -c 1`;
    expect(spawnSync("sh", ["-c", command], { cwd: root, encoding: "utf8" })).toMatchObject({ status: 0, stdout: "{", stderr: "" });
  });

  it("writes all of them, and says so", async () => {
    const out = join(home.path, "new/schema");
    const names = Object.keys(schemaFiles());
    expect(await run(["schema", "--out", out])).toEqual({
      code: 0,
      stdout: "",
      stderr: `behest: wrote ${names.map((name) => join(out, name)).join(", ")}\n`,
    });
    expect(readdirSync(out).sort()).toEqual([...names].sort());
    for (const [name, text] of Object.entries(schemaFiles())) expect(readFileSync(join(out, name), "utf8")).toBe(text);
  });

  it("says why it cannot write", async () => {
    writeFileSync(join(home.path, "file"), "");
    mkdirSync(join(home.path, "taken/rules.schema.json"), { recursive: true });
    for (const out of [join(home.path, "file"), join(home.path, "taken")]) {
      const { code, stderr } = await run(["schema", "--out", out]);
      expect(code).toBe(1);
      expect(stderr).toMatch(`behest: cannot write into \`${out}\`: E`);
    }
  });

  it.each([
    { args: ["polcy"], message: "behest: no schema `polcy`; did you mean `policy`? there are policy, agents, rules, cases, catalog\n" },
    { args: ["weather"], message: "behest: no schema `weather`: there are policy, agents, rules, cases, catalog\n" },
    {
      args: ["rules", "--out", "x"],
      message: "behest: --out writes every schema: leave the name out, or redirect what `behest schema NAME` prints\n",
    },
  ])("refuses $args", async ({ args, message }) => {
    expect(await run(["schema", ...args])).toEqual({ code: 2, stdout: "", stderr: message });
  });
});

describe("what is generated", () => {
  it.each(Object.keys(schemaFiles()))("stands in rules/schema as it is printed: %s", (name) => {
    expect(readFileSync(join(root, "rules/schema", name), "utf8")).toBe(schemaFiles()[name]);
  });

  it("maps rules/ for whoever opens a clone in VS Code", () => {
    expect(readFileSync(join(root, ".vscode/settings.json"), "utf8")).toBe(vscodeSettings("rules"));
  });
});
