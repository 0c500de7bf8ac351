import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DATABASE_FILE } from "../src/data-directory.ts";
import type { Setting } from "./fault.ts";
import { askOf, consumeOf, now, openTask, type Recorded, resume, revokeTask, suspend, until } from "./recorded-run.ts";
import type { Served } from "./served.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
/** Few, so that there are many groups. */
const CONCURRENCY = 3;
const ROUNDS = { short: 1, long: 10 } as const;
const LOAD_MS = 400;

/** Takes a server through all that it writes for: decisions, approvals, tasks, tokens, the kill switch with a ledger and without one. */
export async function useAll(recorded: Recorded, { form, signal, progress }: Setting): Promise<void> {
  const { server, shim, heard } = recorded;
  const client = server.client("enforcer");
  for (let round = 0; round < ROUNDS[form] && !signal.aborted; round++) {
    progress(`a server is recorded, round ${round + 1} of ${ROUNDS[form]}`);
    const asking = askOf(recorded, { prefix: `round-${round}`, concurrency: CONCURRENCY });
    const consuming = consumeOf(recorded, `round-${round}`);
    const tasks = [await openTask(recorded), await openTask(recorded)] as const;
    await checkpointOf(server);
    await revokeTask(recorded, tasks[0]);
    await suspend(recorded, `agent-apart-${round}`);
    await createToken(recorded, `gateway-${round}`).then((what) => heard.tokens.push({ what, atNs: now() }));
    await resume(recorded);
    await suspend(recorded, `agent-away-${round}`);
    // What operators do while nothing can be written goes to the control journal.
    shim.strikes.set([{ what: "write", suffix: "behest.db-wal", nth: 1, error: "EIO" }]);
    await until(async () => !(await client.isServing()), "a server that cannot write says so");
    await suspend(recorded, `agent-off-${round}`);
    await resume(recorded);
    await suspend(recorded, `agent-gone-${round}`);
    await revokeTask(recorded, tasks[1]);
    shim.strikes.set([]);
    await until(() => client.isServing(), "a server that can write again says so");
    await setTimeout(LOAD_MS);
    await Promise.all([asking.stop(), consuming.stop()]);
    // So that everything was answered before something is written again.
    await suspend(recorded, `agent-last-${round}`);
  }
}

/** Answers when the log has been taken into the file once more: nothing else writes there. */
function checkpointOf({ data }: Served): Promise<void> {
  const writtenMs = (): number => statSync(join(data, DATABASE_FILE)).mtimeMs;
  const before = writtenMs();
  return until(async () => writtenMs() > before, "the log is taken into the file");
}

/** By the command line, in a process of its own that writes to the same log. */
async function createToken({ server, shim }: Recorded, id: string): Promise<string> {
  const args = [MAIN, "tokens", "create", "--role", "enforcer", "--id", id, "--data", server.data];
  await promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...shim.environment } });
  return id;
}
