import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";
import { type Call, requireRole } from "../../core/access.ts";
import { ServiceError } from "../../core/errors.ts";
import type { Caller } from "../../core/request.ts";
import { refuseMisframed } from "./framing.ts";

/** Bytes in, bytes out; throws what `toStatusObject` renders. */
export type UnaryHandler = (body: Buffer, metadata: Metadata, gone: Gone) => Promise<Uint8Array>;

/** Aborted when nobody waits for the answer any more: it was cancelled, or its deadline has passed. Made only where something waits with it. */
export type Gone = () => AbortSignal;

/** Bytes in, many bytes out, the next taken when the caller has room for it; ends when nobody waits any more. */
export interface StreamHandler {
  stream(body: Buffer, metadata: Metadata, gone: Gone): AsyncIterable<Uint8Array>;
}

/** Answers one message after the other, for as long as the caller sends them. */
export interface DuplexHandler {
  /**
   * What answers each message. It takes them in their order and has done with its own turn before it first waits; it throws what the whole call ends
   * with, and so does `open`.
   */
  open(metadata: Metadata, gone: Gone): (body: Buffer) => Promise<Uint8Array>;
}

/** What every call begins with needs this. */
export interface CallPorts {
  /** Whose token it is; undefined for any that is not known. */
  readonly authenticate: (token: string) => Caller | undefined;
}

/** Who calls, if the call is theirs to make: looked at before anything of the message is. */
export function authorize(ports: CallPorts, metadata: Metadata, call: Call): Caller {
  const caller = callerOf(ports, metadata);
  requireRole(caller, call);
  return caller;
}

/** Who calls, whatever it is. @throws {ServiceError} CALLER_UNAUTHENTICATED */
export function callerOf(ports: CallPorts, metadata: Metadata): Caller {
  const [header, ...more] = metadata.get("authorization");
  const token = typeof header === "string" ? /^Bearer (\S+)$/i.exec(header)?.[1] : undefined;
  if (token === undefined || more.length > 0) {
    throw new ServiceError("CALLER_UNAUTHENTICATED", "send one `authorization: Bearer TOKEN` with the call; the tokens lie in the data directory");
  }
  const caller = ports.authenticate(token);
  if (!caller) throw new ServiceError("CALLER_UNAUTHENTICATED", "the token is not known; the tokens of this server lie in its data directory");
  return caller;
}

export interface ByteLimit {
  readonly name: string;
  readonly bytesMax: number;
}

export function refuseOversize(bytes: number, { name, bytesMax }: ByteLimit): void {
  if (bytes <= bytesMax) return;
  throw new ServiceError("REQUEST_TOO_BIG", `the message has ${bytes} bytes, at most ${bytesMax} are read`, { limit: name });
}

/** Three messages for each level of a Struct, and those around it. */
const WIRE_NESTING_MAX = 250;

export function decode<T extends DescMessage>(schema: T, body: Uint8Array, limit: ByteLimit): MessageShape<T> {
  refuseOversize(body.length, limit);
  try {
    const message = fromBinary(schema, body, { readUnknownFields: false, recursionLimit: WIRE_NESTING_MAX });
    refuseMisframed(schema, body);
    return message;
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    if (why.includes("recursion depth")) {
      throw new ServiceError("REQUEST_TOO_BIG", "the message nests too deeply", { limit: "nesting", cause: error });
    }
    throw new ServiceError("REQUEST_MALFORMED", `the message is no ${schema.typeName}`, { cause: error });
  }
}
