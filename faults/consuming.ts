import { setTimeout } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { type BehestClient, CallFailed } from "../src/client/client.ts";
import { Verdict } from "../src/gen/behest/v1/approval_pb.ts";
import { type DecideRequest, DecideRequestSchema } from "../src/gen/behest/v1/decision_pb.ts";
import { type Acknowledged, ask, changeOf } from "./asking.ts";

/** A yes of people to one action, once. */
export interface Approved {
  readonly approvalId: string;
  /** What it was given to; whoever acts on it asks this again, naming it. */
  readonly request: DecideRequest;
}

export interface ConsumeOptions {
  readonly enforcer: BehestClient;
  readonly approver: BehestClient;
  /** Keeps the ids of one run apart from another's. */
  readonly prefix: string;
  readonly lanes: number;
  /** Told of each answer when it is there. */
  readonly onAcknowledged?: (answer: Acknowledged) => void;
  /** Told of each yes that the server has acknowledged. */
  readonly onApproved?: (approvalId: string) => void;
}

/** Asks people, says yes in their place, and acts on that from several sides at once, over and over until it is stopped. */
export interface Consuming {
  readonly acknowledged: readonly Acknowledged[];
  /** All that people said yes to, whether or not it was acted upon. */
  readonly approved: readonly Approved[];
  /** ALLOWs by an approval that were acknowledged. */
  used(): number;
  stop(): Promise<void>;
}

const CONSUMERS = 4;
const PAUSE_AFTER_ERROR_MS = 5;

export function startConsuming({ enforcer, approver, prefix, lanes, onAcknowledged, onApproved }: ConsumeOptions): Consuming {
  const acknowledged: Acknowledged[] = [];
  const approved: Approved[] = [];
  let used = 0;
  let number = 0;
  let stopped = false;
  const tell = async (request: DecideRequest): Promise<Acknowledged | undefined> => {
    const { acknowledged: answer } = await ask(enforcer, request);
    if (!answer) return undefined;
    acknowledged.push(answer);
    onAcknowledged?.(answer);
    return answer;
  };
  const consume = async (id: string): Promise<boolean> => {
    const request = askingOf(id);
    const approvalId = (await tell(request))?.approvalId;
    if (approvalId === undefined) return false;
    await approver.resolveApproval({ approvalId, verdict: Verdict.APPROVE, comment: "I looked at it" });
    approved.push({ approvalId, request });
    onApproved?.(approvalId);
    const answers = await Promise.all(Array.from({ length: CONSUMERS }, (_, at) => tell(useOf({ approvalId, request }, `by-${at}`))));
    used += answers.filter((answer) => answer?.outcome === "ALLOW").length;
    return true;
  };
  const lane = async (): Promise<void> => {
    while (!stopped) if (!(await ifAnswered(consume(`${prefix}-change-${number++}`)))) await setTimeout(PAUSE_AFTER_ERROR_MS);
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  // A failure of the harness itself shows when it is stopped, and must not end the process before.
  running.catch(() => undefined);
  return {
    acknowledged,
    approved,
    used: () => used,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** A change of a file, which nobody may make unasked; each by an agent of its own, because no agent may ask people without end. */
export const askingOf = (id: string): DecideRequest =>
  create(DecideRequestSchema, { requestId: id, agent: { id }, action: { ...changeOf(0) }, context: { environment: "development" } });

/** Acts on it: an attempt of its own. */
export const useOf = ({ approvalId, request }: Approved, attempt: string): DecideRequest =>
  create(DecideRequestSchema, { ...request, approvalId, requestId: `${request.requestId}-${attempt}` });

async function ifAnswered(doing: Promise<boolean>): Promise<boolean> {
  try {
    return await doing;
  } catch (error) {
    if (error instanceof CallFailed) return false;
    throw error;
  }
}
