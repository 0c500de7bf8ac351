import { statSync } from "node:fs";
import { join } from "node:path";
import { type GrowthPlan, type GrowthRow, measureGrown } from "./growth.ts";
import { measureOnce } from "./measure.ts";
import type { Asked } from "./requests.ts";
import type { Bench } from "./section.ts";
import { type BehestServer, decideTarget, startBehest } from "./servers.ts";
import { streamTarget } from "./stream.ts";
import { openTasks } from "./tasks.ts";

/** Over more than these the calls are not spread: their templates would take more memory than the server. */
const SPREAD_MAX = 10_000;

/** More and more registered tasks on one server, which starts anew with each number of them. */
export async function growTasks({ stage, tell }: Bench, plan: GrowthPlan): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  const asked: Asked[] = [];
  let server = await startBehest(stage, { name: "tasks" });
  for (const size of plan.tasks) {
    tell(`${size} open tasks`);
    for (const task of await openTasks(server, size - asked.length, 0)) asked.push(task);
    const row = await measureHere(server, plan, asked.slice(-SPREAD_MAX));
    server = await startAgain(server, () => startBehest(stage, { name: "tasks" }));
    rows.push({ what: "open tasks", size, ...row, start: startOf(server) });
  }
  await server.process.stop();
  return rows;
}

const HISTORY_TASKS = 100;
/** So much of the history is written at a time. */
const FILL_MS = 1_000;
const IN_FLIGHT = 1_024;

/** More and more decisions in the ledger, and no more open tasks than before. */
export async function growHistory({ stage, tell }: Bench, plan: GrowthPlan): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  if (plan.history.length === 0) return rows;
  let server = await startBehest(stage, { name: "history" });
  const asked = await openTasks(server, HISTORY_TASKS);
  let decisions = 0;
  for (const size of plan.history) {
    tell(`${size} decisions in the ledger`);
    const filling = await streamTarget(server, asked, { says: "filling the ledger" });
    while (decisions < size) decisions += (await measureOnce(filling, { concurrency: IN_FLIGHT, durationMs: FILL_MS })).result.calls;
    filling.load.close();
    const row = await measureHere(server, plan, asked);
    server = await startAgain(server, () => startBehest(stage, { name: "history" }));
    rows.push({ what: "history, decisions", size: decisions, ...row, start: startOf(server), databaseMib: databaseMib(server) });
  }
  await server.process.stop();
  return rows;
}

async function measureHere(server: BehestServer, plan: GrowthPlan, asked: readonly Asked[]): Promise<Pick<GrowthRow, "decide" | "residentMib">> {
  const target = await decideTarget(server, { says: `${asked.length} tasks`, asked });
  const decide = await measureGrown(target, plan);
  target.load.close();
  return { decide, residentMib: server.process.residentMib() };
}

async function startAgain(server: BehestServer, start: () => Promise<BehestServer>): Promise<BehestServer> {
  await server.process.stop();
  return start();
}

const startOf = ({ process }: BehestServer) => ({ readyMs: process.readyMs, residentMib: process.residentMib() });

const databaseMib = ({ data }: BehestServer): number => statSync(join(data, "behest.db")).size / 2 ** 20;
