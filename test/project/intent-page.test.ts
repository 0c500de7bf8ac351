import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STARTER_RULES } from "../../src/config.ts";
import { FACTS } from "../../src/core/facts.ts";
import { GRADES } from "../../src/core/intent/grades.ts";
import { FOLLOWED_LENGTH_MAX, FOLLOWED_TEXTS_MAX, OBSERVED_LENGTH_MAX, OBSERVED_VALUES_MAX } from "../../src/core/intent/observed.ts";
import { OBSERVED_IN_ALL_MAX } from "../../src/core/intent/observed-trees.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { root, servedPage } from "./served-page.ts";

const { page, blocksOf, run } = servedPage("docs/intent.md");

describe("docs/intent.md", () => {
  it("has an example whose commands print what it shows", () => {
    const { status, stdout, stderr } = run(blocksOf("sh").filter((text) => text !== "bin/behest serve\n"));
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    const shown = blocksOf("text").flatMap((text) => text.trimEnd().split("\n"));
    expect(shown.length).toBeGreaterThan(6);
    for (const line of shown) expect(stdout).toContain(line);
  }, 180_000);

  it("names grades, facts and rules that there are, and no others", () => {
    for (const grade of GRADES) expect(page).toContain(`\`${grade}\``);
    const facts = [...page.matchAll(/`((?:intent|provenance)\.[a-z_]+)`/g)].map(([, name = ""]) => name);
    expect(facts.length).toBeGreaterThan(6);
    for (const fact of facts) expect(FACTS).toHaveProperty([fact]);
    const rules = new Set(loadPolicy(STARTER_RULES).policy.rules.map(({ name }) => name));
    for (const [, rule = ""] of page.matchAll(/^ {4}([a-z-]{12,}) \+/gm)) expect(rules).toContain(rule);
  });

  it("states the bounds that are kept", () => {
    const numbers = [OBSERVED_VALUES_MAX, OBSERVED_LENGTH_MAX, OBSERVED_IN_ALL_MAX, FOLLOWED_TEXTS_MAX, FOLLOWED_LENGTH_MAX];
    const kept = page.slice(page.indexOf("## What is kept"), page.indexOf("## How well it works"));
    for (const number of numbers) expect(kept).toContain(number.toLocaleString("en-US"));
  });

  it("names files that there are", () => {
    for (const [, file = ""] of page.matchAll(/`((?:src|rules|test|bench)\/[^`*]+\.(?:ts|json))`/g))
      expect({ file, there: existsSync(join(root, file)) }).toEqual({ file, there: true });
  });
});
