import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { BriefMap } from "./brief-map.ts";

/**
 * grpc-js serves over Node's HTTP/2 server, hands it two of its options and shows it to nobody. What lies beyond is reached here and nowhere else,
 * under the names that grpc-js 1.14 gives it; with another inside the server does not start, rather than without its limits.
 */

/** Before anything is bound: adds options to those that every HTTP/2 server of this gRPC server is made with. */
export function addHttp2Options(server: Server, { settings, ...options }: ServerOptions): void {
  const common: unknown = Reflect.get(server, "commonServerOptions");
  if (!isServerOptions(common)) throw new Error("grpc-js keeps the options of its HTTP/2 server elsewhere; its limits cannot be set");
  Object.assign(common, options, { settings: { ...common.settings, ...settings } });
}

/** The HTTP/2 servers behind it, one for each address that is bound. */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map) || servers.size === 0) throw new Error("grpc-js keeps its HTTP/2 servers elsewhere; they cannot be watched over");
  return [...servers.keys()];
}

/** Calls that are over are to be gone with the young generation: Node keeps those of a session in a Map. Where it keeps them otherwise, that stays. */
export function lettingStreamsGo(server: Http2Server): void {
  server.on("session", (session) => {
    const state = stateOf(session);
    if (state?.streams.size === 0) state.streams = new BriefMap();
  });
}

function stateOf(session: Http2Session): { streams: { readonly size: number } } | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state");
  const state: unknown = symbol && Reflect.get(session, symbol);
  return hasStreams(state) ? state : undefined;
}

// Node's own Maps inherit from nothing, so no `instanceof` tells them.
const hasStreams = (state: unknown): state is { streams: { readonly size: number } } =>
  typeof state === "object" &&
  state !== null &&
  "streams" in state &&
  typeof state.streams === "object" &&
  state.streams !== null &&
  "size" in state.streams;

/** Sees each call before grpc-js does, which sees it once it is let in. */
export type Gatekeeper = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, letIn: () => void) => void;

/** Stands before every listener that the server has by now. */
export function guardStreams(server: Http2Server, keeper: Gatekeeper): void {
  const behind = server.listeners("stream");
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers, flags) => {
    keeper(stream, headers, () => {
      for (const listener of behind) listener.call(server, stream, headers, flags);
    });
  });
}

const isServerOptions = (value: unknown): value is ServerOptions => typeof value === "object" && value !== null && "maxSessionMemory" in value;
