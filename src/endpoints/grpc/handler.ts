import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { isEnforcerOnly } from "../../core/access.ts";
import type { Decider } from "../../core/decide.ts";
import { ServiceError } from "../../core/errors.ts";
import { explainJudgement } from "../../core/explain.ts";
import { findFlips } from "../../core/flips.ts";
import { createInOrder } from "../../core/in-order.ts";
import type { RateLimiter } from "../../core/rate-limit.ts";
import type { Reported } from "../../core/record.ts";
import type { Reports } from "../../core/reports.ts";
import type { Caller } from "../../core/request.ts";
import { inSlices } from "../../core/steps.ts";
import type { Turnstile } from "../../core/turnstile.ts";
import type { Instant } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { authorize, type DuplexHandler, decode, refuseOversize, type UnaryHandler } from "./call.ts";
import { fromWire, type RequestLimits, toWire } from "./convert.ts";
import { explanationToWire } from "./convert-explanation.ts";
import { reportFromWire, reportToWire } from "./convert-report.ts";
import { type Asking, decideOne, requestLimit } from "./deciding.ts";
import { toStatus } from "./errors.ts";
import { itemSizes } from "./framing.ts";
import { createStreamHandler, type StreamHandlerPorts } from "./handler-stream.ts";

export interface HandlerPorts extends StreamHandlerPorts {
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
    DecideStream: createStreamHandler(ports),
    async Decide(body, metadata, gone) {
      const caller = authorize(ports, metadata, "Decide");
      const message = decode(wire.DecideRequestSchema, body, requestLimit(ports));
      return toBinary(wire.DecideResponseSchema, toWire(await decideOne(ports, { caller, gone }, message)));
    },
    async DecideBatch(body, metadata, gone) {
      const caller = authorize(ports, metadata, "DecideBatch");
      const { items } = decode(wire.DecideBatchRequestSchema, body, { name: "batch_bytes", bytesMax: ports.limits.batchBytesMax });
      if (items.length > ports.limits.batchItemsMax) {
        throw new ServiceError("REQUEST_TOO_BIG", `\`items\` holds more than ${ports.limits.batchItemsMax} requests`, {
          field: "items",
          limit: "batch_items",
        });
      }
      // All are begun in their order before any is awaited, so they share the disk's time and keep their order.
      const sizes = itemSizes(body);
      const asking = { caller, gone, inOrder: createInOrder() };
      const answers = await Promise.all(items.map((item, index) => decideItem(ports, asking, { item, bytes: sizes[index] ?? body.length })));
      return toBinary(wire.DecideBatchResponseSchema, create(wire.DecideBatchResponseSchema, { items: answers }));
    },
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

interface SizedItem {
  readonly item: wire.DecideRequest;
  readonly bytes: number;
}

async function decideItem(ports: HandlerPorts, asking: Asking, { item, bytes }: SizedItem): Promise<wire.DecideBatchItem> {
  try {
    refuseOversize(bytes, requestLimit(ports));
    const decision = toWire(await decideOne(ports, asking, item));
    return create(wire.DecideBatchItemSchema, { result: { case: "decision", value: decision } });
  } catch (error) {
    if (!(error instanceof ServiceError)) ports.onInternalError(error);
    return create(wire.DecideBatchItemSchema, { result: { case: "error", value: toStatus(error) } });
  }
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
