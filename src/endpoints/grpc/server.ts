import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { ServiceError } from "../../core/errors.ts";
import { ApprovalService } from "../../gen/behest/v1/approval_pb.ts";
import { ControlService } from "../../gen/behest/v1/control_pb.ts";
import { DecisionService } from "../../gen/behest/v1/decision_pb.ts";
import { PolicyService } from "../../gen/behest/v1/policy_pb.ts";
import { TaskService } from "../../gen/behest/v1/task_pb.ts";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import type { DuplexHandler, Gone, StreamHandler, UnaryHandler } from "./call.ts";
import { converse, type DuplexOptions } from "./duplex.ts";
import { eagerStreams } from "./eager-stream.ts";
import { statusNameOf, toStatusObject } from "./errors.ts";
import type { HandlerLimits } from "./handler.ts";
import { type AllHandlers, type Handlers, SERVICES } from "./handlers.ts";
import { boundHttp2, createGuard, type GuardedServer, type WireLimitPorts } from "./limits.ts";
import { shareAddress } from "./shared-address.ts";
import type { UnderWay } from "./shedding.ts";
import type { CallSpan, Tracing } from "./tracing.ts";

export interface ServingOptions extends WireLimitPorts {
  /** HOST:PORT; port 0 picks a free one. */
  readonly address: string;
  /** Absent where nobody follows calls. */
  readonly tracing?: Tracing;
  /** Whether other threads listen on the address as well. */
  readonly shared?: boolean;
  /** After which a connection without calls is closed. */
  readonly connectionIdleMs: number;
  readonly limits: Pick<HandlerLimits, "batchBytesMax" | "reportBytesMax" | "streamItemsMax">;
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

/** What answers the calls, given what counts the decisions that are under way. */
export type HandlersFor = (shedding: UnderWay) => AllHandlers;

export interface GrpcServer {
  /** HOST:PORT as it is bound. */
  readonly address: string;
  /** What health says: of the decisions, and so of tasks, approvals and the server as a whole, or of the policy. Of control it says SERVING until the end. */
  setServing(what: "decisions" | "policy", serving: boolean): void;
  /** Takes no new calls, lets those under way finish, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const HEALTH_NAMES = {
  decisions: ["", DecisionService.typeName, TaskService.typeName, ApprovalService.typeName],
  policy: [PolicyService.typeName],
} as const;
const CONTROL_HEALTH_NAME = ControlService.typeName;

/** Serves all services, health and reflection. @throws {Error} when the address cannot be bound. */
export async function serveGrpc(options: ServingOptions, handlersFor: HandlersFor): Promise<GrpcServer> {
  const server = new Server({
    // The handler answers an oversize request with the field's details; beyond the largest of them nothing is buffered at all.
    "grpc.max_receive_message_length": Math.max(options.limits.batchBytesMax, options.limits.reportBytesMax) + 1_024,
    "grpc.max_concurrent_streams": options.wire.streamsMax,
    // Nobody reads its statistics here, and keeping them costs on every call.
    "grpc.enable_channelz": 0,
    "grpc.max_connection_idle_ms": options.connectionIdleMs,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    interceptors: [eagerStreams],
  });
  boundHttp2(server, options.wire);
  const health = new HealthImplementation({
    ...Object.fromEntries(Object.values(HEALTH_NAMES).flatMap((names) => names.map((name) => [name, "NOT_SERVING"]))),
    [CONTROL_HEALTH_NAME]: "SERVING",
  });
  const stopping = new AbortController();
  const { onInternalError, tracing } = options;
  const calls = { itemsMax: options.limits.streamItemsMax, stopping: stopping.signal, onInternalError, ...(tracing && { tracing }) };
  const guard = createGuard(options);
  const handlers = handlersFor(guard.shedding);
  for (const service of SERVICES) {
    server.addService(definitionOf(service), implementationOf(service, handlers[service.typeName] ?? {}, calls));
  }
  health.addToServer(server);
  new ReflectionService(reflected([...SERVICES, Health], [file_google_rpc_error_details])).addToServer(server);
  const listening = await (options.shared ? bindShared : bind)({ server, guard }, options.address).catch((error: unknown) => {
    guard.stop();
    throw error;
  });
  const setServing: GrpcServer["setServing"] = (what, serving) => {
    for (const name of HEALTH_NAMES[what]) health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
  };
  return {
    address: options.address.replace(/:\d+$/, `:${listening.port}`),
    setServing,
    async close(graceMs) {
      setServing("decisions", false);
      setServing("policy", false);
      health.setStatus(CONTROL_HEALTH_NAME, "NOT_SERVING");
      stopping.abort();
      await drain({ server, guard, listening }, graceMs);
    },
  };
}

/** Methods carry bytes: the handlers decode, so that they can answer what is malformed. */
function definitionOf(service: DescService): ServiceDefinition {
  const bytes = (body: Buffer): Buffer => body;
  return Object.fromEntries(
    service.methods.map((method) => [
      method.name,
      {
        path: `/${service.typeName}/${method.name}`,
        originalName: method.localName,
        requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
        responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    ]),
  );
}

interface CallOptions extends DuplexOptions {
  readonly tracing?: Tracing;
}

function implementationOf(service: DescService, handlers: Handlers, options: CallOptions): UntypedServiceImplementation {
  return Object.fromEntries(
    service.methods.map(({ name }) => {
      const handler = handlers[name];
      if (!handler) throw new Error(`nothing answers \`${service.typeName}/${name}\``);
      const begin: Begin = (metadata) => options.tracing?.begin(`${service.typeName}/${name}`, metadata);
      if (typeof handler === "function") return [name, unary(handler, options.onInternalError, begin)];
      return [name, "open" in handler ? duplex(handler, options, begin) : streaming(handler, options.onInternalError, begin)];
    }),
  );
}

/** The span of a call, where calls have spans. */
type Begin = (metadata: Metadata) => CallSpan | undefined;

const unary =
  (handler: UnaryHandler, onInternalError: (error: unknown) => void, begin: Begin): handleUnaryCall<Buffer, Buffer> =>
  (call, callback) => {
    const span = begin(call.metadata);
    handler(call.request, call.metadata, goneFrom(call)).then(
      (body) => {
        callback(null, asBuffer(body));
        span?.end("OK");
      },
      (error: unknown) => {
        if (!(error instanceof ServiceError)) onInternalError(error);
        callback(toStatusObject(error));
        span?.end(statusNameOf(error));
      },
    );
  };

const streaming =
  (handler: StreamHandler, onInternalError: (error: unknown) => void, begin: Begin): handleServerStreamingCall<Buffer, Buffer> =>
  (call) => {
    const span = begin(call.metadata);
    send(call, handler).then(
      () => span?.end(call.cancelled ? "CANCELLED" : "OK"),
      (error: unknown) => {
        if (!(error instanceof ServiceError)) onInternalError(error);
        if (!call.cancelled) call.emit("error", toStatusObject(error));
        span?.end(statusNameOf(error));
      },
    );
  };

const duplex =
  (handler: DuplexHandler, options: DuplexOptions, begin: Begin): handleBidiStreamingCall<Buffer, Buffer> =>
  (call) => {
    const span = begin(call.metadata);
    const onEnd = (failed?: unknown): void => span?.end(call.cancelled ? "CANCELLED" : failed === undefined ? "OK" : statusNameOf(failed));
    converse(call, handler, { ...options, onEnd });
  };

/** A caller that does not read holds up no more than what lies in its stream's buffer. */
async function send(call: ServerWritableStream<Buffer, Buffer>, handler: StreamHandler): Promise<void> {
  for await (const body of handler.stream(call.request, call.metadata, goneFrom(call))) {
    if (call.cancelled) return;
    if (!call.write(asBuffer(body))) await roomIn(call);
  }
  call.end();
}

function roomIn(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  call.once("drain", resolve).once("close", resolve);
  return promise.finally(() => call.off("drain", resolve).off("close", resolve));
}

const asBuffer = (body: Uint8Array): Buffer => Buffer.from(body.buffer, body.byteOffset, body.byteLength);

interface Cancellable {
  readonly cancelled: boolean;
  once(event: "cancelled", listener: () => void): unknown;
}

function goneFrom(call: Cancellable): Gone {
  let controller: AbortController | undefined;
  const began = (): AbortController => {
    const gone = new AbortController();
    call.once("cancelled", () => gone.abort());
    if (call.cancelled) gone.abort();
    return gone;
  };
  return () => {
    controller ??= began();
    return controller.signal;
  };
}

/** The services' files and all that they import, as the reflection service takes them. */
function reflected(services: readonly DescService[], extra: readonly DescFile[]) {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file.name)) return;
    for (const dependency of file.dependencies) add(dependency);
    files.set(file.name, file);
  };
  for (const service of services) add(service.file);
  for (const file of extra) add(file);
  const fileDescriptorProtos = [...files.values()].map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  return { behest: { format: "Protocol Buffer 3 EnumDescriptorProto" as const, type: {}, fileDescriptorProtos } };
}

interface Bindable {
  readonly server: Server;
  readonly guard: GuardedServer;
}

interface Listening {
  readonly port: number;
  /** Accepts no more connections, and answers when those that are open have ended, unless grpc-js waits for that itself. */
  stop(): Promise<void>;
}

function bind({ server, guard }: Bindable, address: string): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) return reject(error);
      guard.guard(server);
      resolve({ port, stop: async () => undefined });
    });
  });
}

async function bindShared({ server, guard }: Bindable, address: string): Promise<Listening> {
  const { listen, stop } = shareAddress(server);
  guard.guard(server);
  return { port: await listen(address), stop };
}

/** A stuck client must not keep the server from ending. */
function drain({ server, guard, listening }: Bindable & { readonly listening: Listening }, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      guard.stop();
      resolve();
    };
    const timer = setTimeout(() => {
      server.forceShutdown();
      // Of the connections that it does not keep statistics of, grpc-js knows none.
      guard.destroyConnections();
      over();
    }, graceMs);
    guard.hasten();
    const stopped = listening.stop();
    const ended = (): void => void stopped.then(over);
    server.tryShutdown(ended);
  });
}
