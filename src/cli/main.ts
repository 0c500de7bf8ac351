#!/usr/bin/env node
import { holdSignals } from "./signals.ts";

// Loading the rest takes longer than some wait with their first signal, and one that nobody listens for ends the process.
if (process.argv[2] === "serve") holdSignals();
await import("./program.ts");
