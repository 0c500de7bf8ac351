import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { placeFiles } from "../../src/cli/place-files.ts";
import { temporaryDirectory } from "../running-server.ts";

let home: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  home = temporaryDirectory();
});
afterEach(() => home.remove());

/** Text by path of all that there is, hidden files too. */
const treeOf = (directory: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), entry.isFile() ? readFileSync(path, "utf8") : "(directory)"];
    }),
  );

describe("placing files", () => {
  it("makes the directory and those above it", () => {
    const directory = join(home.path, "a/b");
    placeFiles(directory, { "c/d.txt": "d", "e.txt": "e" });
    expect(treeOf(directory)).toEqual({ c: "(directory)", "c/d.txt": "d", "e.txt": "e" });
  });

  it("leaves what else is there, and replaces a file under its old permissions", () => {
    placeFiles(home.path, { "c/d.txt": "before", "c/mine.txt": "mine" });
    writeFileSync(join(home.path, "e.txt"), "before", { mode: 0o600 });
    placeFiles(home.path, { "c/d.txt": "after", "c/new.txt": "new", "e.txt": "after" });
    expect(treeOf(home.path)).toEqual({ c: "(directory)", "c/d.txt": "after", "c/mine.txt": "mine", "c/new.txt": "new", "e.txt": "after" });
    expect(statSync(join(home.path, "e.txt")).mode & 0o777).toBe(0o600);
  });

  it("takes all of it back when one file cannot be placed", () => {
    placeFiles(home.path, { "a.txt": "before", "c/d.txt": "before" });
    mkdirSync(join(home.path, "z.txt"));
    const before = treeOf(home.path);
    const files = { "a.txt": "after", "b/new.txt": "after", "c/d.txt": "after", "z.txt": "after" };
    expect(() => placeFiles(home.path, files)).toThrow(`\`${join(home.path, "z.txt")}\` is not a file`);
    expect(treeOf(home.path)).toEqual(before);
  });

  it("takes back the directories that it made", () => {
    const directory = join(home.path, "a/b");
    expect(() => placeFiles(directory, { [`${"n".repeat(300)}.txt`]: "" })).toThrow("ENAMETOOLONG");
    expect(existsSync(join(home.path, "a"))).toBe(false);
  });
});
