import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { canonical } from "../src/canonical.ts";
import { createLedgerClock, machineClock } from "../src/clock.ts";
import { STARTER_RULES } from "../src/config.ts";
import { type Asked, createDecider, type Decider } from "../src/core/decide.ts";
import { createIntent } from "../src/core/intent/intent.ts";
import { createKeyedDigest } from "../src/core/masking.ts";
import type { DecisionCache, Ledger } from "../src/core/ports.ts";
import type { Caller } from "../src/core/request.ts";
import { fromWire } from "../src/endpoints/grpc/convert.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { createLanguage } from "../src/inference/statement.ts";
import { loadPolicy } from "../src/policy/load.ts";
import { readResult } from "../src/results/read.ts";
import { createMemoryDecisionCache } from "../src/storage/memory/decision-cache.ts";
import { createMemoryLedger } from "../src/storage/memory/ledger.ts";
import { openSqliteStorage } from "../src/storage/sqlite/ledger.ts";
import { LIMITS } from "./core.ts";
import { numberedBodies } from "./numbered-bodies.ts";
import { CONVERSATIONS, DISTINCT, requestTemplates } from "./requests.ts";

/** What the thread that decides takes when nobody has to be spoken to: requests are read beforehand, and answers go nowhere. */
export interface OwnerAlone {
  readonly perSecond: number;
  /** CPU of its thread for one decision. */
  readonly threadUs: number;
}

export interface OwnerRun {
  /** Where the ledger's file is made; absent: in memory. */
  readonly directory?: string;
  readonly decisions: number;
}

/** As many as are asked for at once. */
const IN_FLIGHT = 1_024;
const CALLER: Caller = { tenant: "default", id: "bench", roles: ["enforcer"] };
const MANY = 1_000_000;

export async function measureOwner({ directory, decisions }: OwnerRun): Promise<OwnerAlone> {
  const clock = createLedgerClock({ machine: machineClock, elapsedMs: () => performance.now() });
  const storage = directory === undefined ? inMemory() : await onDisk(directory, clock);
  const decider = createBenchDecider(storage, clock);
  await decideAll(decider, askedOf(Math.ceil(decisions / 2)));
  const asked = askedOf(decisions);
  const began = performance.now();
  const before = process.threadCpuUsage();
  await decideAll(decider, asked);
  const used = process.threadCpuUsage(before);
  const seconds = (performance.now() - began) / 1_000;
  await storage.ledger.close();
  return { perSecond: Math.round(decisions / seconds), threadUs: (used.user + used.system) / decisions };
}

interface Storage {
  readonly ledger: Ledger;
  readonly cache: DecisionCache;
}

const inMemory = (): Storage => ({ ledger: createMemoryLedger(), cache: createMemoryDecisionCache(MANY) });

function onDisk(directory: string, clock: ReturnType<typeof createLedgerClock>): Promise<Storage> {
  return openSqliteStorage({
    path: join(directory, "owner.db"),
    journalPath: join(directory, "owner.journal"),
    now: clock.now,
    notBefore: clock.notBefore,
    sealKey: Buffer.alloc(32, 1),
    observationKey: Buffer.alloc(32, 2),
    cacheRowsMax: MANY,
    turnsWaitingMax: 4 * IN_FLIGHT,
    reopenAfterMs: 1_000,
    onFailure: (error) => {
      throw error;
    },
    onJournalProblem: () => undefined,
    onGroupWritten: () => undefined,
  });
}

function createBenchDecider({ ledger, cache }: Storage, clock: ReturnType<typeof createLedgerClock>): Decider {
  const { policy } = loadPolicy(STARTER_RULES);
  return createDecider({
    ledger,
    cache,
    policies: { current: () => policy },
    clock,
    newId: (at) => v7({ msecs: at }),
    canonical,
    keyedDigest: createKeyedDigest(Buffer.alloc(32, 3)),
    intent: createIntent(createLanguage(), readResult),
    limits: { openTasksMax: MANY, agentsRememberedMax: MANY, requestIdsMax: MANY, categoriesSeenMax: MANY, approvalsMax: MANY },
    onEvaluationError(error) {
      throw error;
    },
  });
}

let bodies: Iterator<Buffer, undefined> | undefined;

function askedOf(count: number): readonly Asked[] {
  bodies ??= numberedBodies(requestTemplates(DISTINCT, CONVERSATIONS));
  const asked: Asked[] = [];
  for (let next = bodies.next(); asked.length < count && !next.done; next = bodies.next()) {
    asked.push({ caller: CALLER, ...fromWire(fromBinary(wire.DecideRequestSchema, next.value), LIMITS) });
  }
  return asked;
}

function decideAll(decider: Decider, asked: readonly Asked[]): Promise<void> {
  let begun = 0;
  let answered = 0;
  return new Promise((resolve, reject) => {
    const decideNext = (): void => {
      const next = asked[begun++];
      if (!next) return;
      decider.decide(next).then(({ record: { judgement } }) => {
        if (judgement.outcome !== "ALLOW") reject(new Error(`a decision was no ALLOW but ${judgement.reasonCodes.join(" ")}`));
        if (++answered === asked.length) resolve();
        else decideNext();
      }, reject);
    };
    for (let count = 0; count < IN_FLIGHT; count++) decideNext();
  });
}
