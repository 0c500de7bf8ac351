import type { Http2Server, IncomingHttpHeaders } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { ServiceError } from "../../core/errors.ts";
import { ApprovalService } from "../../gen/behest/v1/approval_pb.ts";
import { ControlService } from "../../gen/behest/v1/control_pb.ts";
import { DecisionService } from "../../gen/behest/v1/decision_pb.ts";
import { TaskService } from "../../gen/behest/v1/task_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Admission } from "./admission.ts";
import { Connections } from "./connections.ts";
import { addHttp2Options, type Gatekeeper, guardStreams, http2ServersOf, lettingStreamsGo } from "./http2-server.ts";
import { type CallKind, OpenCalls } from "./open-calls.ts";
import { answerWith } from "./refusals.ts";
import { createCallCount, type OnShed, Shedding, type SheddingPorts } from "./shedding.ts";

/** How much callers may make the server hold, whatever they send. */
export interface WireLimits {
  readonly connectionsMax: number;
  readonly streamsMax: number;
  readonly receiveTimeoutMs: number;
  readonly receiveBytesMax: number;
  readonly receiveCallsMax: number;
  readonly decisionsInFlightMax: number;
  readonly queueAgeMaxMs: number;
}

export interface WireLimitPorts {
  readonly wire: WireLimits;
  readonly queuedForMs: SheddingPorts["queuedForMs"];
  readonly onShed: OnShed;
}

/** Other calls than decisions that are under way: each is answered as soon as it can be. */
const OTHER_CALLS_MAX = 4_096;
/** Calls that stop something, answer an approval or ask for health: apart, so that no others can take their place. */
const CONTROL_CALLS_MAX = 1_024;
/** Nobody has to say who he is to watch the health. */
const HEALTH_WATCHES_MAX = 256;
/** Names and values together; the longest that is needed is a token. */
const HEADER_BYTES_MAX = 16_384;
const HEADER_PAIRS_MAX = 64;
const SWEEP_EVERY_MS = 250;
/** How long a server that stops waits for the rest of a request, and for an answer to be taken. */
const STOPPING_TIMEOUT_MS = 1_000;

const pathOf = ({ typeName }: { readonly typeName: string }, method: string): string => `/${typeName}/${method}`;

/** Answered although decisions are shed: less work makes no overload. Everything else that is no decision is not shed by age either, but counted apart. */
const CONTROL_PATHS: ReadonlySet<string> = new Set([
  ...ControlService.methods.map(({ name }) => pathOf(ControlService, name)),
  pathOf(TaskService, "RevokeTask"),
  pathOf(ApprovalService, "ResolveApproval"),
  pathOf(Health, "Check"),
]);
const BATCH_PATH = pathOf(DecisionService, "DecideBatch");
/** A batch of usual length takes as long as so many decisions. */
const BATCH_WEIGHT = 32;
const DECISION_PATHS: ReadonlySet<string> = new Set(["Decide", "DecideBatch", "Explain"].map((name) => pathOf(DecisionService, name)));

/** What Node's HTTP/2 server is to hold by itself: grpc-js hands it neither these nor any of its own. */
export function boundHttp2(server: Server, { streamsMax, receiveTimeoutMs }: WireLimits): void {
  addHttp2Options(server, {
    maxHeaderListPairs: HEADER_PAIRS_MAX,
    settings: { maxHeaderListSize: HEADER_BYTES_MAX },
    // A connection that cancels more calls than it may have open, and goes on with a quarter of them each second, does nothing else.
    streamResetBurst: streamsMax,
    streamResetRate: Math.ceil(streamsMax / 4),
    unknownProtocolTimeout: receiveTimeoutMs,
  });
}

export interface GuardedServer {
  /** Decisions that are begun one by one on a stream ask here, and are counted here. */
  readonly shedding: Shedding;
  /** Once its addresses are bound. */
  guard(server: Server): void;
  /** The server stops: nobody who is slow is waited for as long as otherwise. */
  hasten(): void;
  /** Cuts every connection. */
  destroyConnections(): void;
  stop(): void;
}

/** Stands before grpc-js, and lets through what is within the limits. */
export function createGuard({ wire, queuedForMs, onShed }: WireLimitPorts): GuardedServer {
  const shedding = new Shedding({ ...wire, queuedForMs, onShed });
  const connections = new Connections(wire, onShed);
  const calls = new OpenCalls(wire, connections, onShed);
  const kindOf = createKinds(shedding, onShed);
  const admission = new Admission({ ...wire, queuedForMs, nowMs: () => performance.now() });
  const keeper: Gatekeeper = (stream, headers, letIn) => {
    // Whatever went wrong with it, its end is what is heeded.
    stream.on("error", () => undefined);
    const path = headers[":path"] ?? "";
    const kind = kindOf(path);
    const call = calls.open(stream, kind);
    const begin = (): void => {
      calls.receive(call);
      letIn();
    };
    const refuse = (error: ServiceError): void => {
      answerWith(stream, error);
      calls.receive(call);
      stream.resume();
    };
    if (isCompressed(headers)) refuse(compressed(onShed));
    else if (kind.underWay === shedding) {
      const full = shedding.refusalIfFull();
      if (full) refuse(full);
      else {
        const giveUp = admission.ask({ begin, refuse: () => refuse(shedding.refusalOfLate()) }, path === BATCH_PATH ? BATCH_WEIGHT : 1);
        stream.once("close", giveUp);
      }
    } else {
      const refusal = kind.underWay.refusal();
      if (refusal) refuse(refusal);
      else begin();
    }
  };
  const sweep = (): void => {
    const nowMs = performance.now();
    connections.sweep(nowMs);
    if (calls.sweep(nowMs) === "more") setImmediate(sweep);
  };
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS);
  sweeping.unref();
  const watch = (http2: Http2Server): void => {
    lettingStreamsGo(http2);
    connections.watch(http2);
    guardStreams(http2, keeper);
  };
  return {
    shedding,
    guard: (server) => http2ServersOf(server).forEach(watch),
    hasten: () => calls.hasten(STOPPING_TIMEOUT_MS),
    destroyConnections: () => connections.destroyAll(),
    stop: () => clearInterval(sweeping),
  };
}

function createKinds(shedding: Shedding, onShed: OnShed): (path: string) => CallKind {
  const decision: CallKind = { underWay: shedding };
  const control: CallKind = { underWay: createCallCount(CONTROL_CALLS_MAX, onShed) };
  const others = createCallCount(OTHER_CALLS_MAX, onShed);
  const other: CallKind = { underWay: others };
  const kinds = new Map<string, CallKind>([
    ...[...DECISION_PATHS].map((path) => [path, decision] as const),
    ...[...CONTROL_PATHS].map((path) => [path, control] as const),
    [pathOf(Health, "Watch"), { underWay: createCallCount(HEALTH_WATCHES_MAX, onShed), endless: true }],
    // Its items are decisions, and are counted and shed one by one.
    [pathOf(DecisionService, "DecideStream"), { underWay: others, requestStreams: true, answerStreams: true }],
    [pathOf(ApprovalService, "WatchApprovals"), { underWay: others, answerStreams: true }],
  ]);
  return (path) => kinds.get(path) ?? other;
}

/** A few bytes can stand for very many, and nothing that is sent here is long enough for compression to be worth that. */
function isCompressed(headers: IncomingHttpHeaders): boolean {
  const encoding = headers["grpc-encoding"];
  return encoding !== undefined && encoding !== "identity";
}

function compressed(onShed: OnShed): ServiceError {
  onShed("compressed");
  return COMPRESSED;
}

const COMPRESSED = new ServiceError("REQUEST_COMPRESSED", "compressed messages are not read; send them as they are");
