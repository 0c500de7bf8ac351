#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { holdSignals } from "./signals.ts";

// Loading the rest takes longer than some wait with their first signal, and one that nobody listens for ends the process.
if (process.argv[2] === "serve") holdSignals();
// Half of what a command takes is the reading of our sources. What Node makes of them is kept where only whoever installed them writes: a
// directory that is open to all, as its default is, could be filled with somebody else's code.
if (import.meta.filename.endsWith(".ts")) {
  const kept = join(import.meta.dirname, "../../node_modules/.compile-cache");
  enableCompileCache(kept);
  // For the threads of a server, which look there when they begin: the ledger's would read half of our sources anew at every start.
  if (process.argv[2] === "serve") process.env["NODE_COMPILE_CACHE"] ??= kept;
}
const { runProgram } = await import("./program.ts");
// Whoever reads may have seen enough, as in `behest schema rules | head`: the rest is for nobody, and no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
await runProgram(process.argv.slice(2));
