import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STARTER_RULES } from "../src/config.ts";
import { type GrowthPlan, type GrowthRow, measureGrown } from "./growth.ts";
import type { Asked } from "./requests.ts";
import type { Bench } from "./section.ts";
import { type BehestServer, decideTarget, startBehest } from "./servers.ts";
import { delegateTasks, openTasks } from "./tasks.ts";

const TASKS = 50;

/** Tasks that were handed on more and more often, on one server. */
export async function growChains({ stage, tell }: Bench, plan: GrowthPlan): Promise<readonly GrowthRow[]> {
  tell(`chains of ${plan.depths.join(", ")} hops`);
  const server = await startBehest(stage, { name: "chains", rules: rulesForDepth(join(stage.directory, "policy-chains")) });
  const grown = async (depth: number): Promise<readonly Asked[]> => delegateTasks(server, await openTasks(server, TASKS, 0), depth);
  return growOn(
    server,
    plan,
    plan.depths.map((size) => ({ what: "chain depth" as const, size, asked: () => grown(size) })),
  );
}

/** Tasks in which a tool has returned more and more values. */
export async function growObservations({ stage, tell }: Bench, plan: GrowthPlan): Promise<readonly GrowthRow[]> {
  tell(`${plan.observations.join(", ")} observations in a task`);
  const server = await startBehest(stage, { name: "observations" });
  return growOn(
    server,
    plan,
    plan.observations.map((size) => ({ what: "observations" as const, size, asked: () => openTasks(server, TASKS, size) })),
  );
}

interface Step extends Pick<GrowthRow, "what" | "size"> {
  readonly asked: () => Promise<readonly Asked[]>;
}

async function growOn(server: BehestServer, plan: GrowthPlan, steps: readonly Step[]): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const { what, size, asked } of steps) {
    const target = await decideTarget(server, { says: `${what}: ${size}`, asked: await asked() });
    const decide = await measureGrown(target, plan);
    rows.push({ what, size, decide, residentMib: server.process.residentMib() });
    target.load.close();
  }
  await server.process.stop();
  return rows;
}

/** The starter policy asks people about long chains; then a decision is another thing. */
const ASKS_ABOUT_DEPTH = "the-work-was-handed-on-often";

function rulesForDepth(path: string): string {
  cpSync(STARTER_RULES, path, { recursive: true });
  const file = join(path, "delegation.rules.json");
  const policy: { rules: readonly { readonly name: string }[] } = JSON.parse(readFileSync(file, "utf8"));
  policy.rules = policy.rules.filter(({ name }) => name !== ASKS_ABOUT_DEPTH);
  writeFileSync(file, JSON.stringify(policy));
  return path;
}
