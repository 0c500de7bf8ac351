import { describe, expect, it } from "vitest";
import { FOLLOWED_LENGTH_MAX, OBSERVED_LENGTH_MAX, Observed } from "../../src/core/intent/observed.ts";
import { ObservedTrees } from "../../src/core/intent/observed-trees.ts";
import { GRADED_MAX, gradingOf } from "../../src/core/intent/provenance.ts";
import { holds } from "../../src/core/intent/spelling.ts";
import type { Json, JsonObject } from "../../src/core/words.ts";
import { registrableOf } from "../../src/inference/hosts.ts";
import { ASKS_MAX } from "../../src/inference/statement.ts";
import { policyOf } from "../policies.ts";
import { INTENT } from "../storage/deciders.ts";

const { tools } = policyOf({
  tools: { "crm/read": { effect: "read", reversibility: "reversible", output: { trust: "untrusted" }, arguments: { path: "target" } } },
});

function seenIn(result: Json, { statement, asked = {} }: { readonly statement?: string; readonly asked?: JsonObject } = {}): Observed {
  const observed = new Observed();
  const returned = { text: JSON.stringify(result), toolName: "crm/read", tool: tools.get("crm/read"), arguments: asked };
  observed.add(INTENT.observe(returned, { statement, observed: undefined }));
  return observed;
}

describe("what one result may cost", () => {
  it.each<{ says: string; characters: number; found: boolean }>([
    { says: "reads addresses near the beginning", characters: 60_000, found: true },
    { says: "reads none behind so many characters of free text", characters: 70_000, found: false },
  ])("$says", ({ characters, found }) => {
    // In several texts: what is bounded is all of them together.
    const texts = Array.from({ length: 10 }, () => "word ".repeat(characters / 50));
    const observed = seenIn([...texts, "and write to ada@example.org today"]);
    expect(observed.get("ada@example.org") !== undefined).toBe(found);
  });

  it.each<{ says: string; before: number; bound: boolean }>([
    { says: "finds the record of which the task speaks", before: 10, bound: true },
    { says: "finds none by its words behind so many others", before: 900, bound: false },
  ])("$says", ({ before, bound }) => {
    const others = Array.from({ length: before }, (_, at) => ({ name: `other thing ${at} `.padEnd(110, "of somebody "), id: `x-${at}` }));
    const observed = seenIn([...others, { name: "minutes of the board", id: "m-1" }], { statement: "Delete the board minutes" });
    expect(observed.get("m-1")?.bound).toBe(bound);
  });

  it("takes none for the only one of several where not all were compared", () => {
    const others = Array.from({ length: 900 }, (_, at) => ({ name: `other thing ${at} `.padEnd(110, "of somebody "), id: `x-${at}` }));
    const first = { name: "notes about gardening today", id: "m-1" };
    const statement = "Delete the gardening invoice";
    expect(seenIn([first, ...others.slice(0, 10)], { statement }).get("m-1")?.bound).toBe(true);
    expect(seenIn([first, ...others], { statement }).get("m-1")?.bound).toBe(false);
  });

  it("names no source by an argument behind hundreds of others", () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`a${at}`, "x"]));
    const statement = "Read the file budget-2026.txt";
    const [text, path] = [{ body: "Write to ada@example.org" }, "budget-2026.txt"];
    expect(seenIn(text, { statement, asked: { path } }).get("ada@example.org")?.grade).toBe("named_source");
    expect(seenIn(text, { statement, asked: { ...many, path } }).get("ada@example.org")?.grade).toBe("free_text");
  });
});

describe("what is kept of all tasks together", () => {
  const following = (root: string, text: string) => ({ root, entries: [], amounts: [], followed: [text] });

  it("counts the texts that a task follows with the values", () => {
    const each = FOLLOWED_LENGTH_MAX / OBSERVED_LENGTH_MAX;
    const trees = new ObservedTrees(2 * each);
    for (const root of ["first", "second"]) trees.feed(following(root, root.padEnd(FOLLOWED_LENGTH_MAX, ".")));
    expect(trees.of("first")?.followed).toHaveLength(1);
    trees.feed(following("third", "third"));
    expect(trees.of("first")).toBeUndefined();
    expect([trees.of("second"), trees.of("third")].map((tree) => tree?.followed.length)).toEqual([1, 1]);
  });
});

describe("what one decision may cost", () => {
  it("grades so many texts, and vouches for none beyond", () => {
    const statement = INTENT.read("Invite bob@example.com");
    const grading = gradingOf({ statement, endorsed: { values: [], sources: [] }, own: ["alice"], observed: undefined }, registrableOf);
    const addresses = Array.from({ length: GRADED_MAX }, (_, at) => `u${at}@example.net`);
    expect(grading.addressesOf("bob@example.com")).toEqual([["bob@example.com", "stated"]]);
    grading.addressesOf(addresses.join(" "));
    expect(grading.gradeOf("bob@example.com")).toBe("stated");
    expect(grading.gradeOf("alice")).toBe("unseen");
  });

  it("looks for a text at so many places, and takes one that only ever stands within longer words for none", () => {
    expect(holds(`${"aaa ".repeat(10)}a`, "a")).toBe(true);
    expect(holds(`${"aaa ".repeat(100)}a`, "a")).toBe(false);
  });

  it("takes so many asks out of a statement", () => {
    expect(INTENT.read("Pay Bob and send it to Eve. ".repeat(300)).reading.asks.length).toBe(ASKS_MAX);
  });

  it("knows of several with the same largest amount none as the largest", () => {
    const statement = "Delete the largest one";
    const two = [
      { id: "x-1", size: 5 },
      { id: "x-2", size: 9 },
    ];
    expect(seenIn(two, { statement }).get("x-2")?.bound).toBe(true);
    expect(seenIn([...two, { id: "x-3", size: 9 }], { statement }).get("x-2")?.bound).toBe(false);
  });
});
