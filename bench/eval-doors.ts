import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { CallFailed, createClient } from "../src/client/client.ts";
import { ServiceError } from "../src/core/errors.ts";
import type { Caller } from "../src/core/request.ts";
import type { Outcome } from "../src/core/words.ts";
import { fromWire } from "../src/endpoints/grpc/convert.ts";
import { reportFromWire } from "../src/endpoints/grpc/convert-report.ts";
import { openFromWire } from "../src/endpoints/grpc/convert-tasks.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { OpenTaskRequestSchema } from "../src/gen/behest/v1/task_pb.ts";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.ts";
import { ENGLISH } from "../src/inference/english.ts";
import type { LanguagePack } from "../src/inference/language.ts";
import { loadPolicy } from "../src/policy/load.ts";
import { createCore, createIntentBy, LIMITS } from "./core.ts";
import type { Stage } from "./processes.ts";

/** What was answered to one step; `REFUSED`: its call could not even be read, which an enforcement point treats as DENY. */
export interface EvaluatedStep {
  readonly outcome: Outcome | "REFUSED";
  readonly reasonCodes: readonly string[];
  /** Names of the rules that stood. */
  readonly findings: readonly string[];
  /** What the decision found out about intent, where its record says. */
  readonly intent?: unknown;
}

/** Where a case asks, as an initiator and an enforcement point would. */
export interface Door {
  /** Answers the task's id. */
  openTask(request: MessageInitShape<typeof OpenTaskRequestSchema>): Promise<string>;
  decide(request: wire.DecideRequest): Promise<EvaluatedStep & { readonly decisionId?: string }>;
  report(request: MessageInitShape<typeof wire.ReportOutcomeRequestSchema>): Promise<void>;
  closeTask(taskId: string): Promise<void>;
}

export interface Doors {
  forOneCase(): Door;
  close(): void;
}

const INITIATOR: Caller = { tenant: "default", id: "initiator", roles: ["initiator"] };
const GATEWAY: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };
const REFUSED: EvaluatedStep = { outcome: "REFUSED", reasonCodes: [], findings: [] };

/** Whether it is what was sent that is refused. A server that is full or busy has refused nothing of it, and must not be taken to have stopped it. */
export function isRefusal(error: unknown): error is ServiceError | CallFailed {
  const code = error instanceof ServiceError ? error.code : error instanceof CallFailed ? reasonOf(error) : undefined;
  return code === "REQUEST_MALFORMED" || code === "REQUEST_TOO_BIG";
}

const reasonOf = ({ status }: CallFailed): string | undefined =>
  status?.details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? []).map(({ reason }) => reason)[0];

/** The real core, in memory and empty for every case. Requests are read as a server reads them. */
export function openCore(rules: string, pack: LanguagePack = ENGLISH): Doors {
  const { policy } = loadPolicy(rules);
  const intent = createIntentBy(pack);
  return {
    forOneCase() {
      const { tasks, decider, reports } = createCore(policy, intent);
      return {
        async openTask(request) {
          const { task } = await tasks.open(INITIATOR, openFromWire(create(OpenTaskRequestSchema, request), LIMITS));
          return task.id;
        },
        async decide(request) {
          try {
            const { record } = await decider.decide({ caller: GATEWAY, ...fromWire(request, LIMITS) });
            const { outcome, reasonCodes, findings } = record.judgement;
            const intent = "intent" in record.subject ? record.subject.intent : undefined;
            const rulesThatStood = findings.map(({ rule }) => rule);
            return { decisionId: record.id, outcome, reasonCodes, findings: rulesThatStood, ...(intent !== undefined && { intent }) };
          } catch (error) {
            if (isRefusal(error)) return REFUSED;
            throw error;
          }
        },
        async report(request) {
          await reports.report(GATEWAY, reportFromWire(create(wire.ReportOutcomeRequestSchema, request), LIMITS));
        },
        async closeTask(id) {
          await tasks.close(INITIATOR, { id });
        },
      };
    },
    close: () => undefined,
  };
}

const TIMEOUT_MS = 30_000;
const OUTCOMES: Readonly<Partial<Record<wire.Outcome, Outcome>>> = {
  [wire.Outcome.ALLOW]: "ALLOW",
  [wire.Outcome.DENY]: "DENY",
  [wire.Outcome.REQUIRE_APPROVAL]: "REQUIRE_APPROVAL",
};

/** A server process with a data directory of its own, asked over gRPC with the tokens that it made. Cases share it, each with an agent of its own. */
export async function openServer(stage: Stage, { name, rules }: { readonly name: string; readonly rules: string }): Promise<Doors> {
  // A server that refuses its rules says so where nobody looks.
  loadPolicy(rules);
  const data = join(stage.directory, name);
  const { address } = await stage.start("../src/cli/main.ts", [
    "serve",
    "--data",
    data,
    "--rules",
    rules,
    "--grpc",
    "127.0.0.1:0",
    "--log-level",
    "warn",
  ]);
  const clientOf = (role: string) =>
    createClient({ address, token: readFileSync(join(data, `${role}.token`), "utf8").trim(), timeoutMs: TIMEOUT_MS });
  const [initiator, enforcer] = [clientOf("initiator"), clientOf("enforcer")];
  const door: Door = {
    async openTask(request) {
      const { task } = await initiator.openTask(request);
      if (!task) throw new Error("the server opened a task and did not say which");
      return task.taskId;
    },
    async decide(request) {
      try {
        const { decisionId, outcome: number, reasonCodes, findings } = await enforcer.decide(request);
        const outcome = OUTCOMES[number];
        if (!outcome) throw new Error(`the server answered the outcome \`${number}\``);
        return { decisionId, outcome, reasonCodes, findings: findings.map(({ rule }) => rule) };
      } catch (error) {
        if (isRefusal(error)) return REFUSED;
        throw error;
      }
    },
    async report(request) {
      await enforcer.reportOutcome(request);
    },
    async closeTask(id) {
      await initiator.closeTask(id);
    },
  };
  return {
    forOneCase: () => door,
    close() {
      initiator.close();
      enforcer.close();
    },
  };
}
