import { writeFileSync } from "node:fs";
import { editTokens } from "../../src/cli/edit-tokens.ts";
import { whileEditing } from "../../src/data-directory.ts";
import { readTokens, type TokenEntry, tokensPathOf, writeTokens } from "../../src/identity/tokens-file.ts";

/** Ways to add an entry to tokens.json: the one there is, and two that get it wrong. */
const WAYS = {
  asItIs: (data: string, entry: TokenEntry): void => editTokens(data, (before) => ({ tokens: [...before, entry], answer: undefined })),
  unlocked: (data: string, entry: TokenEntry): void => writeTokens(data, [...readTokens(data), entry]),
  inPlace: (data: string, entry: TokenEntry): void =>
    whileEditing(data, () => writeFileSync(tokensPathOf(data), `${JSON.stringify({ tokens: [...readTokens(data), entry] }, null, 2)}\n`)),
};
export type Way = keyof typeof WAYS;

// A process of its own: adds so many entries one after the other, and names each once it is there.
const [way, data, name, count] = process.argv.slice(2);
if (data !== undefined && (way === "asItIs" || way === "unlocked" || way === "inPlace")) {
  for (let number = 0; number < Number(count); number++) {
    const id = `${name}-${number}`;
    WAYS[way](data, { id, tenant: "default", caller: "service:gateway", roles: ["enforcer"], sha256: "0".repeat(64) });
    process.stdout.write(`${id}\n`);
  }
}
