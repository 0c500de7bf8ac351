import { describe, expect, it } from "vitest";
import { type Environment, isTracingWanted, readTracing } from "../../src/tracing/environment.ts";

describe("tracing", () => {
  it.each<{ says: string; environment: Environment; wanted: boolean }>([
    { says: "not wanted where nothing is said", environment: {}, wanted: false },
    { says: "not wanted where only its details are", environment: { OTEL_SERVICE_NAME: "behest", OTEL_TRACES_SAMPLER: "always_on" }, wanted: false },
    { says: "wanted with an endpoint", environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }, wanted: true },
    {
      says: "wanted with an endpoint of its own",
      environment: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318/v1/traces" },
      wanted: true,
    },
    { says: "wanted with an exporter", environment: { OTEL_TRACES_EXPORTER: "otlp" }, wanted: true },
    { says: "not wanted with an empty endpoint", environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, wanted: false },
    { says: "not wanted without an exporter", environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTEL_TRACES_EXPORTER: "none" }, wanted: false },
    { says: "not wanted where all is switched off", environment: { OTEL_TRACES_EXPORTER: "otlp", OTEL_SDK_DISABLED: "TRUE" }, wanted: false },
  ])("is $says", ({ environment, wanted }) => {
    expect(isTracingWanted(environment)).toBe(wanted);
  });

  it("is as the specification says where nobody says anything", () => {
    expect(readTracing({})).toEqual({
      sampler: { root: "on", parentBased: true },
      heedsCallers: true,
      queueSpansMax: 2_048,
      batchSpansMax: 512,
      everyMs: 5_000,
      timeoutMs: 30_000,
      problems: [],
    });
  });

  it.each<{ environment: Environment; read: object }>([
    { environment: { OTEL_TRACES_SAMPLER: "always_off" }, read: { sampler: { root: "off", parentBased: false } } },
    {
      environment: { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
      read: { sampler: { root: { ratio: 0.25 }, parentBased: true } },
    },
    { environment: { OTEL_TRACES_SAMPLER: "traceidratio" }, read: { sampler: { root: { ratio: 1 }, parentBased: false } } },
    { environment: { OTEL_PROPAGATORS: "b3, tracecontext" }, read: { heedsCallers: true } },
    { environment: { OTEL_PROPAGATORS: "none" }, read: { heedsCallers: false } },
    { environment: { OTEL_BSP_MAX_QUEUE_SIZE: "100" }, read: { queueSpansMax: 100, batchSpansMax: 100 } },
    { environment: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, read: {} },
  ])("takes $environment", ({ environment, read }) => {
    expect(readTracing(environment)).toMatchObject({ ...read, problems: [] });
  });

  it.each<{ environment: Environment; problem: RegExp }>([
    {
      environment: { OTEL_TRACES_SAMPLER: "jaeger_remote" },
      problem: /`OTEL_TRACES_SAMPLER` is `jaeger_remote`, which is not known; `parentbased_always_on` is used/,
    },
    {
      environment: { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "half" },
      problem: /`OTEL_TRACES_SAMPLER_ARG` is `half`, no number from 0 to 1/,
    },
    { environment: { OTEL_BSP_SCHEDULE_DELAY: "soon" }, problem: /`OTEL_BSP_SCHEDULE_DELAY` is `soon`, no integer above 0; `5000` is used/ },
    {
      environment: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      problem: /only `http\/protobuf` is spoken, and is used: a collector takes it on port 4318/,
    },
    { environment: { OTEL_TRACES_EXPORTER: "zipkin" }, problem: /there is `otlp`, which is used, and `none`/ },
    { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }, problem: /`OTEL_EXPORTER_OTLP_ENDPOINT` is no URL/ },
  ])("tells what it cannot do with $environment, and goes on", ({ environment, problem }) => {
    expect(readTracing(environment).problems).toEqual([expect.stringMatching(problem)]);
  });
});
