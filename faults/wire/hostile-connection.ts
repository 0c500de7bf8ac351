import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Settings } from "node:http2";
import { status as Code } from "@grpc/grpc-js";

/** How a call ended, as far as HTTP/2 shows. */
export interface Ended {
  /** Name of the gRPC status; undefined if there was none. */
  readonly status?: string;
  readonly message?: string;
  /** Code of the reset; 0 without an error. */
  readonly reset: number;
}

export interface HostileCall {
  readonly ended: Promise<Ended>;
  write(bytes: Uint8Array): void;
  end(): void;
  cancel(): void;
}

export interface HostileConnection {
  readonly session: ClientHttp2Session;
  /** Sends the headers of a call, and these bytes of its body; the body stays open unless `whole`. */
  call(path: string, options?: { readonly headers?: OutgoingHttpHeaders; readonly body?: Uint8Array; readonly whole?: boolean }): HostileCall;
  /** Resolves when the server has seen all that was sent so far. */
  reached(): Promise<void>;
  /** Resolves with the code of the server's goodbye, once the connection is gone. */
  readonly closed: Promise<number | undefined>;
  close(): void;
}

/** An HTTP/2 connection on which anything can be sent. */
export async function connectHostile(address: string, settings: Settings = {}): Promise<HostileConnection> {
  const session = connect(`http://${address}`, { settings });
  session.on("error", () => undefined);
  let goodbye: number | undefined;
  session.on("goaway", (code) => {
    goodbye = code;
  });
  const closed = new Promise<number | undefined>((resolve) => session.once("close", () => resolve(goodbye)));
  await Promise.race([new Promise((resolve) => session.once("remoteSettings", resolve)), closed]);
  return {
    session,
    closed,
    // Calls leave in the next turn.
    reached: () => new Promise((resolve) => setImmediate(() => session.ping(() => resolve()))),
    call(path, { headers = {}, body, whole = false } = {}) {
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers });
      let answered: IncomingHttpHeaders = {};
      stream.on("response", (received) => {
        answered = received;
      });
      stream.on("trailers", (received) => {
        answered = received;
      });
      stream.on("error", () => undefined);
      stream.resume();
      if (body) stream.write(body);
      if (whole) stream.end();
      const ended = new Promise<Ended>((resolve) => stream.once("close", () => resolve(endOf(answered, stream.rstCode ?? 0))));
      return { ended, write: (bytes) => stream.write(bytes), end: () => stream.end(), cancel: () => stream.close(8) };
    },
    close: () => session.destroy(),
  };
}

function endOf(headers: IncomingHttpHeaders, reset: number): Ended {
  const { "grpc-status": status, "grpc-message": message } = headers;
  if (status === undefined) return { reset };
  return { status: Code[Number(status)] ?? String(status), message: decodeURI(String(message)), reset };
}

/** A message as gRPC frames it. */
export function framed(message: Uint8Array, { compressed = false, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}
