import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const MODULE = JSON.stringify(fileURLToPath(new URL("../../src/cli/log-blocks.ts", import.meta.url)));
const LINE = "x".repeat(400);

/** What a process leaves on its stderr that writes so many lines, and then does this. */
async function leaves(lines: number, last: string): Promise<readonly string[]> {
  const program = `const { openLogBlocks } = await import(${MODULE});
    const log = openLogBlocks(2);
    for (let number = 0; number < ${lines}; number++) log.write(number + " ${LINE}\\n");
    ${last}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "ignore", "pipe"] });
  return (await text(child.stderr)).trimEnd().split("\n");
}

const numbered = (lines: number): readonly string[] => Array.from({ length: lines }, (_, number) => `${number} ${LINE}`);

it.each([
  { says: "more than a block, and a process that ends once they are flushed", lines: 1_000, last: "log.flush(() => process.exit(0))" },
  { says: "less than a block, and a process that ends at once", lines: 3, last: "process.exit(0)" },
  { says: "less than a block, and a process that ends with an error", lines: 3, last: "setTimeout(() => process.exit(1), 0)" },
  {
    says: "less than a block, and a process that goes on for a while",
    lines: 3,
    last: "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_500)",
  },
])("every line of the log leaves, in order: $says", async ({ lines, last }) => {
  expect(await leaves(lines, last)).toEqual(numbered(lines));
});
