import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

const CLONE = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A place with a rules directory of this name. */
function placeWith(name: string): string {
  const place = join(home.path, `place-${name.replaceAll(/\W/g, "-")}`);
  mkdirSync(place);
  cpSync(STARTER_RULES, join(place, name), { recursive: true });
  return place;
}

describe.concurrent("what to type next", () => {
  it.each<{ says: string; cwd: string; args: readonly string[]; env?: Readonly<Record<string, string>>; next: string }>([
    { says: "in a clone", cwd: CLONE, args: [], next: "bin/behest rules test" },
    { says: "below a clone", cwd: join(CLONE, "docs"), args: ["../rules"], next: "../bin/behest rules test ../rules" },
    { says: "elsewhere", cwd: placeWith("rules"), args: [], next: `${CLONE}/bin/behest rules test` },
    { says: "of another directory", cwd: placeWith("policy"), args: ["policy"], next: `${CLONE}/bin/behest rules test policy` },
    {
      says: "of one that a shell would break",
      cwd: placeWith("it's mine"),
      args: ["it's mine"],
      next: `${CLONE}/bin/behest rules test 'it'\\''s mine'`,
    },
    {
      says: "of one that looks like an option",
      cwd: placeWith("-dashed"),
      args: ["--", "-dashed"],
      next: `${CLONE}/bin/behest rules test ./-dashed`,
    },
    {
      says: "of the one that a variable names",
      cwd: placeWith("elsewhere"),
      args: [],
      env: { BEHEST_RULES: "elsewhere" },
      next: `${CLONE}/bin/behest rules test`,
    },
  ])("can be pasted $says", async ({ cwd, args, env = {}, next }) => {
    const { code, stderr } = await run(["rules", "lint", ...args], { cwd, env });
    expect({ code, next: stderr.replace(/^.*next: /s, "") }).toEqual({ code: 0, next: `${next}\n` });
  });
});

describe.concurrent("behest help", () => {
  it.each([
    { words: [], usage: "Usage: behest [options] [command]" },
    { words: ["rules"], usage: "Usage: behest rules [options] [command]" },
    { words: ["rules", "test"], usage: "Usage: behest rules test [options] [directory]" },
    { words: ["case", "from"], usage: "Usage: behest case from [options] <decision-id>" },
  ])("finds $words", async ({ words, usage }) => {
    const { code, stdout, stderr } = await run(["help", ...words]);
    expect({ code, usage: stdout.split("\n")[0], stderr }).toEqual({ code: 0, usage, stderr: "" });
  });

  it.each([
    { words: ["rule"], stderr: "behest: no command `rule`; did you mean `rules`? `bin/behest help` lists them all\n" },
    { words: ["rules", "tset"], stderr: "behest: no command `tset`; did you mean `test`? `bin/behest help rules` lists them all\n" },
    { words: ["rules", "test", "now"], stderr: "behest: no command `now`: `bin/behest help test` lists them all\n" },
  ])("knows no $words", async ({ words, stderr }) => {
    expect(await run(["help", ...words])).toEqual({ code: 2, stdout: "", stderr });
  });
});
