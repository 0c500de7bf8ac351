import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STARTER_RULES } from "../src/config.ts";
import { compileSteps } from "../src/policy/load.ts";
import { filesOf } from "../test/policies.ts";
import { behestRuleOf, benchRules } from "./evaluation-rules.ts";
import { type GrowthPlan, type GrowthRow, measureGrown } from "./growth.ts";
import { TOOL } from "./requests.ts";
import type { Bench } from "./section.ts";
import { decideTarget, startBehest } from "./servers.ts";
import { openTasks } from "./tasks.ts";

const TASKS = 100;

/** The starter policy and so many rules more; each start is a new server's. */
export async function growRules({ stage, tell }: Bench, plan: GrowthPlan): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const size of plan.rules) {
    tell(`${size} rules`);
    const server = await startBehest(stage, { name: `rules-${size}`, rules: rulesDirectory(join(stage.directory, `policy-${size}`), size) });
    const { process } = server;
    const start = { readyMs: process.readyMs, residentMib: process.residentMib() };
    const target = await decideTarget(server, { says: `${size} rules`, asked: await openTasks(server, TASKS) });
    const decide = await measureGrown(target, plan);
    rows.push({ what: "rules", size, decide, residentMib: process.residentMib(), start, longestStepMs: longestStepMs(size) });
    target.load.close();
    await process.stop();
  }
  return rows;
}

/** A file of rules has its limit, and so has a policy: the starter's own count. */
const RULES_PER_FILE = 2_000;
const STARTER_RULES_MOST = 100;

function rulesDirectory(path: string, size: number): string {
  cpSync(STARTER_RULES, path, { recursive: true });
  const rules = benchRules(Math.max(0, size - STARTER_RULES_MOST), TOOL).map(behestRuleOf);
  for (let from = 0; from < rules.length; from += RULES_PER_FILE) {
    writeFileSync(join(path, `grown-${from}.rules.json`), JSON.stringify({ rules: rules.slice(from, from + RULES_PER_FILE) }));
  }
  return path;
}

const LOOKS = 3;

/** The best of so many: a busy machine makes any step longer once. */
function longestStepMs(size: number): number {
  const files = filesOf({ rules: benchRules(size).map(behestRuleOf) });
  const longest = Array.from({ length: LOOKS }, () => {
    const steps = compileSteps(files, "rules");
    let most = 0;
    for (let done = false; !done; ) {
      const began = performance.now();
      done = steps.next().done ?? false;
      most = Math.max(most, performance.now() - began);
    }
    return most;
  });
  return Math.min(...longest);
}
