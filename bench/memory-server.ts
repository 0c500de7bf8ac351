import pino from "pino";
import { tuneCollector } from "../src/cli/collector.ts";
import { openLogBlocks } from "../src/cli/log-blocks.ts";
import { printLine } from "../src/cli/output.ts";
import { readConfig } from "../src/config.ts";
import { type OpenStorage, startService } from "../src/service.ts";
import { createMemoryDecisionCache } from "../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../src/storage/memory/ledger.ts";

/** The whole server with a ledger that forgets everything: what durability costs is measured beside it, and nobody else is to run it. */
const openMemory: OpenStorage = async ({ cache_rows_max: rowsMax }) => ({
  ledger: createMemoryLedger(),
  cache: createMemoryDecisionCache(rowsMax),
  measure: () => ({ queue: { turns: 0, oldestMs: 0 }, state: undefined }),
  queuedForMs: () => 0,
});

tuneCollector();
const [data] = process.argv.slice(2);
const config = readConfig({ flags: { data, grpc: "127.0.0.1:0" }, environment: process.env });
const service = await startService(config, pino({ base: null }, openLogBlocks(2)), { open: openMemory });
process.once("SIGTERM", () => {
  const leave = (): void => process.exit(0);
  service.close().then(leave, leave);
});
printLine({ ready: true, grpc: service.grpc });
