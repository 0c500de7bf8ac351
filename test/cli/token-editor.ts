import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { editTokens } from "../../src/cli/edit-tokens.ts";
import { whileEditing } from "../../src/data-directory.ts";
import { readTokens, type TokenEntry, tokensPathOf, writeTokens } from "../../src/identity/tokens-file.ts";

/** Ways to add an entry to tokens.json: the one there is, and two that get it wrong. */
const WAYS = {
  asItIs: (data: string, entry: TokenEntry): void => editTokens(data, (before) => ({ tokens: [...before, entry], answer: undefined })),
  unlocked: (data: string, entry: TokenEntry): void => {
    const before = readTokens(data);
    // Long enough for others to write meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    writeTokens(data, [...before, entry]);
  },
  inPlace: (data: string, entry: TokenEntry): void =>
    whileEditing(data, () => writeInPlace(tokensPathOf(data), JSON.stringify({ tokens: [...readTokens(data), entry] }))),
};
export type Way = keyof typeof WAYS;

/** Bit by bit, so that whoever reads meanwhile is sure to meet a part of it. */
function writeInPlace(path: string, text: string): void {
  const file = openSync(path, "w");
  for (let at = 0; at < text.length; at += 512) writeSync(file, text.slice(at, at + 512));
  closeSync(file);
}

// A process of its own: says that it is ready, waits for a word, adds so many entries one after the other, and names each once it is there.
const [way, data, name, count] = process.argv.slice(2);
if (data !== undefined && (way === "asItIs" || way === "unlocked" || way === "inPlace")) {
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  for (let number = 0; number < Number(count); number++) {
    const id = `${name}-${number}`;
    WAYS[way](data, { id, tenant: "default", caller: "service:gateway", roles: ["enforcer"], sha256: "0".repeat(64) });
    process.stdout.write(`${id}\n`);
  }
  process.stdin.destroy();
}
