import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { isEnforcerOnly } from "../../core/access.ts";
import type { Decider } from "../../core/decide.ts";
import { ServiceError } from "../../core/errors.ts";
import { explainJudgement } from "../../core/explain.ts";
import { findFlips } from "../../core/flips.ts";
import type { RateLimiter } from "../../core/rate-limit.ts";
import type { Reported } from "../../core/record.ts";
import type { Reports } from "../../core/reports.ts";
import type { Caller } from "../../core/request.ts";
import { inSlices } from "../../core/steps.ts";
import type { Turnstile } from "../../core/turnstile.ts";
import type { Instant } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { authorize, type DuplexHandler, decode, type UnaryHandler } from "./call.ts";
import { fromWire, type RequestLimits, toWire } from "./convert.ts";
import { explanationToWire } from "./convert-explanation.ts";
import { reportFromWire, reportToWire } from "./convert-report.ts";
import { requestLimit } from "./deciding.ts";
import { createDecideHandlers, type DecideHandlerPorts } from "./handler-decide.ts";

export interface HandlerPorts extends DecideHandlerPorts {
  readonly decider: Pick<Decider, "explain">;
  readonly reports: Reports;
  /** The agents that the tokens of another caller cover; undefined for all. */
  readonly agentsOf: (tenant: string, caller: string) => Caller["agents"];
  /** Where the policy's rules lie; explanations leave it out of their places. */
  readonly rulesDirectory: string;
  /** Explanations share their time with the decisions, so they are made one after the other. */
  readonly explaining: Turnstile;
  readonly explains: RateLimiter;
  readonly now: () => Instant;
  readonly limits: HandlerLimits;
  /** Told of each report that was made for the first time. */
  readonly onReport: (caller: Caller, report: Reported) => void;
}

export interface HandlerLimits extends RequestLimits {
  readonly requestBytesMax: number;
  readonly batchBytesMax: number;
  readonly reportBytesMax: number;
  readonly batchItemsMax: number;
  /** Items of one stream that are in flight at once. */
  readonly streamItemsMax: number;
}

/** The methods of DecisionService, by name. */
export function createDecisionHandlers(
  ports: HandlerPorts,
): Readonly<Record<"Decide" | "DecideBatch" | "Explain" | "ReportOutcome", UnaryHandler>> & { readonly DecideStream: DuplexHandler } {
  return {
    ...createDecideHandlers(ports),
    async Explain(body, metadata) {
      const caller = authorize(ports, metadata, "Explain");
      const message = decode(wire.ExplainRequestSchema, body, requestLimit(ports));
      return toBinary(wire.ExplainResponseSchema, create(wire.ExplainResponseSchema, await explain(ports, caller, message)));
    },
    async ReportOutcome(body, metadata) {
      const caller = authorize(ports, metadata, "ReportOutcome");
      const message = decode(wire.ReportOutcomeRequestSchema, body, { name: "report_bytes", bytesMax: ports.limits.reportBytesMax });
      const { report, repeated } = await ports.reports.report(caller, reportFromWire(message, ports.limits));
      if (!repeated) ports.onReport(caller, report);
      return toBinary(wire.ReportOutcomeResponseSchema, reportToWire(report, repeated));
    },
  };
}

async function explain(
  ports: HandlerPorts,
  caller: Caller,
  message: wire.ExplainRequest,
): Promise<MessageInitShape<typeof wire.ExplainResponseSchema>> {
  if (!message.request) throw new ServiceError("REQUEST_MALFORMED", "`request` is missing", { field: "request" });
  const limited = isEnforcerOnly(caller);
  if (limited && message.caller !== "" && message.caller !== caller.id) {
    throw new ServiceError("CALLER_FORBIDDEN", "only auditors and operators may ask as another caller", { field: "caller" });
  }
  if (limited && message.everyRule) {
    throw new ServiceError("CALLER_FORBIDDEN", "only auditors and operators may have every rule explained", { field: "every_rule" });
  }
  const asked = fromWire(message.request, ports.limits);
  if (limited) ports.explains.use(JSON.stringify([caller.tenant, caller.id, asked.request.agent.id]), ports.now());
  const { answer, verdict } = await ports.decider.explain({ ...asked, caller: askedAs(ports, caller, message.caller) });
  if (limited) return { decision: toWire(answer) };
  const { situation, judgement } = verdict;
  return ports.explaining.alone(async () => {
    const explanation = await inSlices(explainJudgement(situation, judgement, { everyRule: message.everyRule }), SLICING);
    const search = await inSlices(findFlips(situation, judgement), SLICING);
    return { decision: toWire(answer), explanation: explanationToWire(explanation, search, ports.rulesDirectory) };
  });
}

/** Another caller has tokens of its own, and these say which agents it may ask for. */
function askedAs(ports: HandlerPorts, caller: Caller, other: string): Caller {
  if (other === "" || other === caller.id) return caller;
  const { tenant, roles } = caller;
  const agents = ports.agentsOf(tenant, other);
  return { tenant, roles, id: other, ...(agents && { agents }) };
}

/** How long decisions are kept waiting at once. */
const SLICING = { now: () => performance.now(), sliceMs: 2 };
