import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServiceError } from "../../core/errors.ts";
import { toStatusObject } from "./errors.ts";

/** Answers a call with an error and nothing else, without grpc-js having seen it. What has been answered already stays as it is. */
export function answerWith(stream: ServerHttp2Stream, error: ServiceError): void {
  if (stream.headersSent || stream.destroyed || stream.closed) return;
  stream.respond(headersOf(error), { endStream: true });
}

const rendered = new WeakMap<ServiceError, OutgoingHttpHeaders>();

/** The same few errors answer thousands of calls. */
function headersOf(error: ServiceError): OutgoingHttpHeaders {
  const known = rendered.get(error);
  if (known) return known;
  const { code, details, metadata } = toStatusObject(error);
  const headers: OutgoingHttpHeaders = {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-accept-encoding": "identity",
    "grpc-status": code,
    "grpc-message": encodeURI(details),
    ...metadata.toHttp2Headers(),
  };
  rendered.set(error, headers);
  return headers;
}
