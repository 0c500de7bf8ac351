import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTokens, type TokenEntry, writeTokens } from "../../src/identity/tokens-file.ts";
import { temporaryDirectory } from "../running-server.ts";
import type { Way } from "./token-editor.ts";

const EDITOR = fileURLToPath(new URL("token-editor.ts", import.meta.url));

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

const entry = (id: string): TokenEntry => ({ id, tenant: "default", caller: "c", roles: ["enforcer"], sha256: "0".repeat(64) });
const idsThere = (): readonly string[] => readTokens(directory.path).map(({ id }) => id);

interface Editor {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  /** Has it begin. */
  go(): void;
  /** Ids of the entries that it says are there. */
  readonly acknowledged: () => readonly string[];
  readonly closed: Promise<unknown>;
}

function startEditor(way: Way, name: string, count: number): Editor {
  const child = spawn(process.execPath, [EDITOR, way, directory.path, name, String(count)], { stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return {
    child,
    ready: child.stdout ? once(child.stdout, "data") : Promise.reject(new Error("no output")),
    go: () => void child.stdin?.end("go\n"),
    acknowledged: () => said.split("\n").slice(1, -1),
    closed: once(child, "close"),
  };
}

const EDITORS = 4;
const EACH = 25;

/** How many of the entries that several processes were to add at once are not there. */
async function lostBy(way: Way): Promise<number> {
  writeTokens(directory.path, []);
  const editors = Array.from({ length: EDITORS }, (_, index) => startEditor(way, `e${index}`, EACH));
  await Promise.all(editors.map(({ ready }) => ready));
  for (const editor of editors) editor.go();
  await Promise.all(editors.map(({ closed }) => closed));
  return EDITORS * EACH - idsThere().length;
}

describe("several processes that edit tokens.json at once", () => {
  it("lose none of each other's entries", async () => {
    expect(await lostBy("asItIs")).toBe(0);
    expect(readdirSync(directory.path).sort()).toEqual(["edit.lock", "tokens.json"]);
  });

  it("would, and this would show it, if they did not wait for each other", async () => {
    expect(await lostBy("unlocked")).toBeGreaterThan(0);
  });
});

/** Large enough that a file which is written in place is met half-written. */
const LARGE = Array.from({ length: 2_000 }, (_, index) => entry(`there-${index}`));

/** Reads the whole time while a process edits, and is killed in the middle again and again. */
async function brokenReads(way: Way, kills: number): Promise<{ readonly broken: number; readonly reads: number; readonly lost: readonly string[] }> {
  writeTokens(directory.path, LARGE);
  const acknowledged: string[] = [];
  let [broken, reads] = [0, 0];
  for (let kill = 0; kill < kills; kill++) {
    const editor = startEditor(way, `k${kill}`, 1_000);
    await editor.ready;
    editor.go();
    let running = true;
    void editor.closed.then(() => {
      running = false;
    });
    // The first entry shows that it is at work; what comes next is cut off anywhere.
    while (running) {
      try {
        reads++;
        idsThere();
      } catch {
        broken++;
      }
      if (editor.acknowledged().length > 0 && !editor.child.killed) setTimeout(() => editor.child.kill("SIGKILL"), (kill * 7) % 40);
      await new Promise((later) => setTimeout(later, 1));
    }
    acknowledged.push(...editor.acknowledged());
  }
  try {
    const there = new Set(idsThere());
    return { broken, reads, lost: acknowledged.filter((id) => !there.has(id)) };
  } catch {
    return { broken: broken + 1, reads, lost: acknowledged };
  }
}

describe("tokens.json, while processes that edit it are killed in the middle,", () => {
  it("is whole whenever it is read, and keeps every entry that was acknowledged", async () => {
    const { broken, reads, lost } = await brokenReads("asItIs", 9);
    expect({ broken, lost }).toEqual({ broken: 0, lost: [] });
    expect(reads).toBeGreaterThan(50);
    expect(idsThere().slice(0, LARGE.length)).toEqual(LARGE.map(({ id }) => id));
    // The next edit puts away whatever draft was left.
    const next = startEditor("asItIs", "next", 1);
    await next.ready;
    next.go();
    await next.closed;
    expect(idsThere().at(-1)).toBe("next-0");
    expect(readdirSync(directory.path).sort()).toEqual(["edit.lock", "tokens.json"]);
  });

  it("would be met half-written, and this would show it, if it were written in place", async () => {
    const { broken } = await brokenReads("inPlace", 6);
    expect(broken).toBeGreaterThan(0);
  });
});
