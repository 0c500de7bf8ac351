import { Command } from "commander";
import { printJson, type Row, tableOf } from "../src/cli/output.ts";
import { STARTER_RULES } from "../src/config.ts";
import { OBSERVED_VALUES_MAX } from "../src/core/intent/observed.ts";
import type { Caller, DecisionRequest } from "../src/core/request.ts";
import { loadPolicy } from "../src/policy/load.ts";
import { policyOfReplay } from "./chains.ts";
import { type Core, createCore } from "./core.ts";
import { readHardware } from "./hardware.ts";
import { median, rounded } from "./statistics.ts";

/** What earlier steps of a task cost its next decision, and how much memory they take: in process, with the ledger in memory, under the starter policy. */
const INITIATOR: Caller = { tenant: "default", id: "initiator", roles: ["initiator"] };
const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };
const AGENT = "replay-worker";
const STEPS = [0, 20, 100] as const;
/** Decisions of one run; each repetition takes a run of each kind in turn. */
const DECISIONS = 2_000;
const REPETITIONS = 9;
/** A task keeps no more values than this many results bring. */
const FULL_RESULTS = 200;

const STATEMENT = "Mail the minutes of the board meeting in 'minutes.md' to ann@example.org and to everyone who attended.";

const returned = (step: number): string =>
  JSON.stringify(
    Array.from({ length: 20 }, (_, at) => ({
      id: `${step}-${at}`,
      subject: `Subject ${step} ${at}`,
      from: `person${step}.${at}@example.org`,
      to: ["ann@example.org"],
      received: "2026-11-20 10:00",
      body: `Hello, see https://example.org/${step}/${at} and write to desk${at}@example.com by Friday.\nRegards`,
    })),
  );

function requestOf(taskId: string, n: number): DecisionRequest {
  return {
    agent: { id: AGENT },
    task: { id: taskId },
    action: {
      tool: "mail/send_message",
      arguments: { to: ["ann@example.org"], subject: `Minutes ${n}`, body: `Please find the minutes at https://example.org/minutes/${n}.` },
    },
  };
}

async function openedWith(core: Core, steps: number): Promise<string> {
  const { task } = await core.tasks.open(INITIATOR, {
    statement: STATEMENT,
    principal: { type: "user", id: "alice" },
    agent: AGENT,
    scopeKind: "proposed",
    scope: {},
  });
  for (let step = 0; step < steps; step++) {
    const action = { tool: "mail/read_inbox", arguments: { folder: `f${step}` } };
    const { record } = await core.decider.decide({ caller: GATEWAY, request: { agent: { id: AGENT }, task: { id: task.id }, action } });
    await core.reports.report(GATEWAY, { decision: record.id, status: "executed", result: returned(step), truncated: false });
  }
  return task.id;
}

/** CPU µs of one decision, over a run of different ones. */
async function run(core: Core, taskId: string, from: number): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < DECISIONS; n++) await core.decider.decide({ caller: GATEWAY, request: requestOf(taskId, from + n) });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / DECISIONS;
}

async function measureDecisions(): Promise<readonly Row[]> {
  const policy = policyOfReplay(loadPolicy(STARTER_RULES).files);
  const kinds: { readonly steps: number; readonly core: Core; readonly taskId: string; readonly figures: number[] }[] = [];
  for (const steps of STEPS) {
    const core = createCore(policy);
    kinds.push({ steps, core, taskId: await openedWith(core, steps), figures: [] });
  }
  let runs = 0;
  const next = (): number => DECISIONS * ++runs;
  for (const { core, taskId } of kinds) await run(core, taskId, next());
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    for (const { core, taskId, figures } of kinds) figures.push(await run(core, taskId, next()));
  }
  const bare = median(kinds[0]?.figures ?? []);
  return kinds.map(({ steps, figures }) => ({
    "earlier steps": steps,
    "CPU µs of a decision": rounded(median(figures), 1),
    "times that of none": rounded(median(figures) / bare, 2),
  }));
}

/** Bytes of heap that a task with as many values as are kept holds. */
async function measureMemory(): Promise<Row> {
  const policy = policyOfReplay(loadPolicy(STARTER_RULES).files);
  const core = createCore(policy);
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  await openedWith(core, 1);
  const before = heap();
  const started = process.cpuUsage();
  await openedWith(core, FULL_RESULTS);
  const { user, system } = process.cpuUsage(started);
  return {
    values: OBSERVED_VALUES_MAX,
    "MiB of a full task, its records in memory with it": rounded((heap() - before) / 2 ** 20, 2),
    "CPU ms of a decision and its report of 20 mails": rounded((user + system) / 1_000 / FULL_RESULTS, 2),
  };
}

new Command("earlier-steps")
  .description("what earlier steps of a task cost its next decision, and the memory that they take")
  .option("-o, --output <format>", "table or json", "table")
  .action(async ({ output }: { readonly output: string }) => {
    const [decisions, memory, hardware] = [await measureDecisions(), await measureMemory(), readHardware()];
    if (output === "json") printJson({ hardware, decisions, memory });
    else process.stdout.write([tableOf(decisions, undefined), tableOf([memory], undefined), tableOf([{ ...hardware }], undefined)].join("\n"));
  })
  .parse();
