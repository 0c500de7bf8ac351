import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { lookAt } from "../../../src/cli/rules-lint-look.ts";
import { instant } from "../../../src/core/words.ts";
import { COMPLAINT_IDS, KINDS } from "../../../src/policy/complaint-kinds.ts";
import type { ComplaintKind, Example } from "../../../src/policy/kinds/kind.ts";
import { temporaryDirectory } from "../../running-server.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());
const STARTER_SETTINGS = readFileSync(new URL("../../../rules/policy.json", import.meta.url), "utf8");

/** The ids of all that lint says of a rules directory with these files. */
function idsOf(name: string, example: Example): readonly string[] {
  const directory = join(home.path, name);
  for (const [file, text] of Object.entries({ "policy.json": STARTER_SETTINGS, ...example })) {
    const path = join(directory, file);
    mkdirSync(file.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!file.endsWith("/") && text !== null) writeFileSync(path, text);
  }
  return lookAt(directory, instant(Date.UTC(2026, 0, 5))).complaints.map(({ id }) => id);
}

describe.each(COMPLAINT_IDS)("%s", (id) => {
  const { wrong, right, title, explanation, severity }: ComplaintKind = KINDS[id];

  it("is what its wrong example brings about, and nothing else", () => {
    expect(idsOf(`${id}-wrong`, wrong)).toEqual([id]);
  });

  it("is not what its right example brings about, nor is anything else", () => {
    expect(idsOf(`${id}-right`, right)).toEqual([]);
  });

  it("has a page that says what happened, why it matters and what to write instead", () => {
    const page = readFileSync(new URL(`../../../docs/lint/${id}.md`, import.meta.url), "utf8");
    expect(page).toContain(title.slice(1));
    expect(page).toContain(explanation);
    expect(page).toContain(severity === "error" ? "An error:" : "A warning:");
    expect(page).toMatch(/^## Wrong$[\s\S]*^## Right$/m);
  });
});
