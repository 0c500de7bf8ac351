import { type Config, requestLimits } from "./config.ts";
import type { HandlerLimits } from "./endpoints/grpc/handler.ts";
import type { WireLimits } from "./endpoints/grpc/limits.ts";

/** How much callers may make the server hold. */
export const wireLimits = (config: Config): WireLimits => ({
  connectionsMax: config.connections_max,
  streamsMax: config.streams_max,
  receiveTimeoutMs: config.receive_timeout_ms,
  receiveBytesMax: config.receive_bytes_max,
  receiveCallsMax: config.receive_calls_max,
  decisionsInFlightMax: config.decisions_in_flight_max,
  queueAgeMaxMs: config.queue_age_max_ms,
});

/** How large their calls may be. */
export const callLimits = (config: Config) =>
  ({
    ...requestLimits(config),
    requestBytesMax: config.request_bytes_max,
    batchBytesMax: config.batch_bytes_max,
    batchItemsMax: config.batch_items_max,
    streamItemsMax: config.stream_items_max,
    reportBytesMax: config.report_bytes_max,
  }) satisfies HandlerLimits;
