import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import Sqlite from "better-sqlite3";
import { STARTER_RULES } from "../src/config.ts";
import { Verdict } from "../src/gen/behest/v1/approval_pb.ts";
import {
  Outcome as Decided,
  type DecideRequest,
  DecideRequestSchema,
  type DecideResponse,
  PrincipalType,
  TaskReferenceSchema,
} from "../src/gen/behest/v1/decision_pb.ts";
import { type Acknowledged, acknowledgedOf, readOf } from "./asking.ts";
import { type Breakage, brokenBy } from "./break.ts";
import { askingOf, useOf } from "./consuming.ts";
import { examine } from "./examine.ts";
import type { Fault, Outcome, Setting } from "./fault.ts";
import { type Serve, type Served, withServers } from "./served.ts";
import { createSteppedClock, type SteppedClock } from "./stepped-clock.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
/** What is put forward first and then back leaves a ledger that is ahead. */
const STEPS_MS = [-SECOND, SECOND, HOUR, -HOUR, -DAY, DAY] as const;
const ROUNDS = { short: 1, long: 20 } as const;
/** How long everything lives here: tasks, approvals, what is allowed, and request ids. */
const LIVES_MS = 2_000;
/** What is forgotten is forgotten within a second; and the harness is late itself. */
const FORGOTTEN_AFTER_MS = 1_500;
const MARGIN_MS = 50;

export const clock: Fault = {
  name: "clock",
  claim:
    "a machine's clock that is put back or forth by a second, an hour or a day lengthens no lifetime, has no approval accepted late, and the ledger's sequence and instants rise",
  strike: (setting) => stepOften(setting, []),
  control: {
    says: "the ledger's clock is the machine's",
    strike: (setting) =>
      stepOften(setting, [
        {
          file: "src/clock.ts",
          passage: "atMs = Math.max(machine.now(), atMs + elapsed - lookedMs);",
          instead: "atMs = machine.now();",
        },
      ]),
  },
};

interface Run {
  readonly serve: Serve;
  readonly setting: Setting;
  readonly machine: SteppedClock;
  readonly breakages: readonly Breakage[];
  readonly acknowledged: Acknowledged[];
  readonly broken: string[];
  steps: number;
  /** Allowed after a step because its time was not over. */
  stillAllowed: number;
}

async function stepOften(setting: Setting, breakages: readonly Breakage[]): Promise<Outcome> {
  const rules = writeShortLived(join(setting.directory, "rules"));
  const data = join(setting.directory, "data");
  const machine = createSteppedClock(join(setting.directory, "clock"));
  const run = { setting, machine, breakages, acknowledged: [], broken: [], steps: 0, stillAllowed: 0 };
  const counts = await withServers(async (serve) => {
    const counted: Run = { ...run, serve };
    const start = (): Promise<Served> => startStepped(counted, { data, rules });
    let server = await start();
    for (let round = 0; round < ROUNDS[setting.form]; round++) {
      for (const ms of STEPS_MS) {
        if (setting.signal.aborted || counted.broken.length > 0) break;
        setting.progress(`${signed(ms / SECOND)} s`, counted.steps / (STEPS_MS.length * ROUNDS[setting.form]));
        await stepOnce(server, counted, { ms, between: async () => server });
      }
    }
    // Put back, and killed before anything was recorded afterwards: the ledger has to remember.
    const restart = async (): Promise<Served> => {
      await server.kill();
      server = await start();
      return server;
    };
    if (counted.broken.length === 0) await stepOnce(server, counted, { ms: -HOUR, between: restart });
    await server.terminate();
    return { steps: counted.steps, still_allowed_after_a_step: counted.stillAllowed };
  });
  const { broken, decisions, events } = examine(data, run.acknowledged, { idempotencyMs: LIVES_MS });
  return { figures: { ...counts, records: decisions + events, lifetime_ms: LIVES_MS }, broken: [...run.broken, ...broken, ...fallenInstants(data)] };
}

const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`);

/** The starter policy, but for how long things live. */
function writeShortLived(path: string): string {
  cpSync(STARTER_RULES, path, { recursive: true });
  const file = join(path, "policy.json");
  const settings = JSON.parse(readFileSync(file, "utf8"));
  const life = `${LIVES_MS / SECOND}s`;
  const lifetimes = { decision: life, self_asserted_idle: life, approval: life };
  writeFileSync(file, JSON.stringify({ ...settings, lifetimes, windows: { ...settings.windows, idempotency: life } }));
  return path;
}

function startStepped({ serve, machine, breakages }: Run, { data, rules }: { readonly data: string; readonly rules: string }): Promise<Served> {
  const broken = brokenBy(breakages);
  return serve({
    data,
    flags: ["--rules", rules],
    execArgv: [...machine.execArgv, ...broken.execArgv],
    environment: { ...machine.environment, ...broken.environment },
  });
}

/** Everything that lives for a while, as young as can be. */
interface Young {
  readonly inTask: DecideRequest;
  readonly byApproval: DecideRequest;
  /** Allowed already. */
  readonly allowed: DecideRequest;
  readonly allowedId: string;
  readonly remembered: DecideRequest;
  readonly bornMs: number;
}

interface Stepping {
  readonly ms: number;
  /** Something else that happens just after the step. */
  readonly between: () => Promise<Served>;
}

async function stepOnce(server: Served, run: Run, { ms, between }: Stepping): Promise<void> {
  const number = run.steps++;
  const young = await bear(server, run, `step-${number}`);
  run.machine.step(ms);
  // The server looks at its clock every two milliseconds.
  await setTimeout(MARGIN_MS);
  const downFromMs = performance.now();
  const after = await between();
  // Nothing tells a server that starts how long nobody ran, when the machine's clock was put back by more.
  const downMs = performance.now() - downFromMs;
  const began = `after the clock was put by ${signed(ms / SECOND)} s`;
  const broke = (what: string): void => {
    run.broken.push(`${began}, ${what}`);
  };
  const decide = (request: DecideRequest): Promise<DecideResponse> => decided(after, run, request);
  const fresh = await decide(reading(`step-${number}-fresh`));
  const validMs = timestampMs(fresh.validUntil ?? timestampFromMs(0)) - run.machine.now();
  if (validMs > LIVES_MS + MARGIN_MS) broke(`an ALLOW holds for ${Math.round(validMs)} ms, not ${LIVES_MS}`);
  const soon = await decide({ ...young.inTask, requestId: `step-${number}-soon` });
  if (soon.outcome === Decided.ALLOW && performance.now() - young.bornMs - downMs < LIVES_MS) run.stillAllowed++;
  await setTimeout(Math.max(0, young.bornMs + LIVES_MS + downMs - performance.now()) + MARGIN_MS);
  if ((await decide(young.inTask)).outcome === Decided.ALLOW) broke("a task is used when its time is over");
  if ((await decide(young.byApproval)).outcome === Decided.ALLOW) broke("an approval is used when its time is over");
  const again = await decide(young.allowed);
  if (again.decisionId === young.allowedId) broke("an ALLOW is answered again when its time is over");
  await setTimeout(FORGOTTEN_AFTER_MS);
  if ((await decide(young.remembered)).replayed) broke("a request id is remembered when its time is over");
}

async function bear(server: Served, run: Run, name: string): Promise<Young> {
  const asked = askingOf(`${name}-asks`);
  const allowed = reading(`${name}-allowed`);
  const remembered = reading(`${name}-remembered`);
  const { decidedAt = timestampFromMs(0) } = await decided(server, run, remembered);
  const { task } = await server.client("initiator").openTask({
    statement: "read on",
    agentId: "reader",
    principal: { type: PrincipalType.USER, id: "alice" },
    // The ledger's clock may be ahead of the machine's by now.
    expiresAt: timestampFromMs(timestampMs(decidedAt) + LIVES_MS),
  });
  const approvalId = (await decided(server, run, asked)).approval?.id ?? "";
  await server.client("approver").resolveApproval({ approvalId, verdict: Verdict.APPROVE, comment: "I looked at it" });
  const { decisionId, outcome } = await decided(server, run, allowed);
  if (approvalId === "" || outcome !== Decided.ALLOW) throw new Error("what should live a while was not allowed to begin with");
  return {
    inTask: { ...reading(`${name}-in-task`), task: create(TaskReferenceSchema, { id: task?.taskId ?? "" }) },
    byApproval: useOf({ approvalId, request: asked }, "late"),
    allowed,
    allowedId: decisionId,
    remembered,
    bornMs: performance.now(),
  };
}

const reading = (requestId: string): DecideRequest => create(DecideRequestSchema, { requestId, agent: { id: "reader" }, action: readOf(1) });

async function decided(server: Served, { acknowledged }: Run, request: DecideRequest): Promise<DecideResponse> {
  const response = await server.client("enforcer").decide(request);
  acknowledged.push(acknowledgedOf(request.requestId, response));
  return response;
}

/** No record is earlier than the one before it, and no id stands twice. */
function fallenInstants(data: string): readonly string[] {
  const db = new Sqlite(join(data, "behest.db"), { readonly: true });
  try {
    const all = "SELECT seq, at, decision_id AS id FROM decisions UNION ALL SELECT seq, at, event_id FROM events";
    const fallen = db.prepare(`SELECT count(*) FROM (SELECT at - lag(at) OVER (ORDER BY seq) AS since FROM (${all})) WHERE since < 0`).pluck().get();
    const twice = db.prepare(`SELECT count(*) - count(DISTINCT id) FROM (${all})`).pluck().get();
    return [
      ...(fallen === 0 ? [] : [`${String(fallen)} records are earlier than the one before them`]),
      ...(twice === 0 ? [] : [`${String(twice)} ids stand twice`]),
    ];
  } finally {
    db.close();
  }
}
