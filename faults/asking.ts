import { setTimeout } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { type BehestClient, CallFailed } from "../src/client/client.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";

/** An answer that reached whoever asked: from then on it has to last. */
export interface Acknowledged {
  readonly decisionId: string;
  readonly requestId: string;
  /** In the ledger's word. */
  readonly outcome: string;
  readonly taskId: string;
  /** What it waits for, or was allowed by. */
  readonly approvalId?: string;
}

/** What came of one call. */
export interface Said {
  readonly tookMs: number;
  readonly acknowledged?: Acknowledged;
  readonly error?: CallFailed;
}

export type RequestOf = (number: number) => wire.DecideRequest;

export interface AskOptions {
  readonly client: BehestClient;
  /** Calls under way at once. */
  readonly concurrency: number;
  readonly requestOf: RequestOf;
  /** The number of the first request. */
  readonly first?: number;
  /** How long each lane rests after a call; absent: not at all. */
  readonly restMs?: number;
  /** Told of each call, in the order in which they end. */
  readonly onSaid?: (said: Said) => void;
}

/** Calls that go on until somebody stops them, each followed by the next at once. */
export interface Asking {
  readonly acknowledged: readonly Acknowledged[];
  /** How often which gRPC code was answered, by its name. */
  readonly errors: ReadonlyMap<string, number>;
  /** Requests sent. */
  asked(): number;
  /** Answers when the last call has ended. */
  stop(): Promise<void>;
}

/** A server that is gone refuses at once: nobody asks a thousand times as fast because of that. */
const PAUSE_AFTER_ERROR_MS = 5;

export function startAsking({ client, concurrency, requestOf, first = 0, restMs, onSaid }: AskOptions): Asking {
  const acknowledged: Acknowledged[] = [];
  const errors = new Map<string, number>();
  let next = first;
  let stopped = false;
  const lane = async (): Promise<void> => {
    while (!stopped) {
      const said = await ask(client, requestOf(next++));
      onSaid?.(said);
      if (said.acknowledged) acknowledged.push(said.acknowledged);
      if (restMs !== undefined) await setTimeout(restMs);
      if (!said.error) continue;
      const code = codeName(said.error);
      errors.set(code, (errors.get(code) ?? 0) + 1);
      await setTimeout(PAUSE_AFTER_ERROR_MS);
    }
  };
  const lanes = Promise.all(Array.from({ length: concurrency }, lane));
  // A failure of the harness itself shows when it is stopped, and must not end the process before.
  lanes.catch(() => undefined);
  return {
    acknowledged,
    errors,
    asked: () => next - first,
    async stop() {
      stopped = true;
      await lanes;
    },
  };
}

export const codeName = ({ code }: CallFailed): string => status[code] ?? String(code);

/** Asks once. Only what a server or a connection says is an answer: anything else is thrown. */
export async function ask(client: BehestClient, request: wire.DecideRequest): Promise<Said> {
  const began = performance.now();
  try {
    const response = await client.decide(request);
    return { tookMs: performance.now() - began, acknowledged: acknowledgedOf(request.requestId, response) };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return { tookMs: performance.now() - began, error };
  }
}

const OUTCOME: Readonly<Record<wire.Outcome, string>> = {
  [wire.Outcome.UNSPECIFIED]: "none",
  [wire.Outcome.ALLOW]: "ALLOW",
  [wire.Outcome.DENY]: "DENY",
  [wire.Outcome.REQUIRE_APPROVAL]: "REQUIRE_APPROVAL",
};

export const acknowledgedOf = (requestId: string, { decisionId, outcome, taskId, approval }: wire.DecideResponse): Acknowledged => ({
  decisionId,
  requestId,
  outcome: OUTCOME[outcome] ?? "UNKNOWN",
  taskId,
  ...(approval && { approvalId: approval.id }),
});

const AGENTS = 100;
const SESSIONS_PER_AGENT = 10;

/**
 * What agents ask, by number, no two alike: mostly reads, which are allowed; now and then a payment, which lies outside every reach, and a change of a
 * file, which people are asked about. `prefix` keeps the request ids of one run apart from another's.
 */
export const variedRequests =
  (prefix: string): RequestOf =>
  (number) => {
    const agent = number % AGENTS;
    return create(wire.DecideRequestSchema, {
      requestId: `${prefix}-${number}`,
      agent: { id: `agent-${agent}` },
      task: { statement: `Summarise what the handbook says, for team ${agent}` },
      session: `conversation-${Math.floor(number / AGENTS) % SESSIONS_PER_AGENT}`,
      action: number % 16 === 7 ? paymentOf(number) : number % 64 === 11 ? changeOf(number) : readOf(number),
      context: { environment: "development" },
    });
  };

type Action = MessageInitShape<typeof wire.ActionSchema>;

const action = (tool: string, values: Readonly<Record<string, string | number>>): Action => ({
  tool,
  argumentsForm: { case: "argumentsJson", value: JSON.stringify(values) },
});
export const readOf = (number: number): Action => action("filesystem/read_text_file", { path: `/srv/handbook/section-${number}.md`, head: 200 });
export const changeOf = (number: number): Action =>
  action("filesystem/write_file", { path: `/srv/notes/note-${number}.md`, content: `note ${number}` });
const paymentOf = (number: number): Action => action("send_money", { recipient: "GB33BUKB20201555555555", amount: number, subject: "rent" });
