import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { type Served, serve } from "../cli/running-command.ts";
import { actionOf, outcomeOf, requestOf } from "../endpoints/raw-calls.ts";
import { readPrometheusText } from "../metrics/prometheus-text.ts";
import { temporaryDirectory } from "../running-server.ts";
import { type Collector, type ReceivedSpan, runCollector } from "./collector.ts";

const PARENT = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
const TRACEPARENT = `00-${PARENT.traceId}-${PARENT.spanId}-01`;
/** So that a test does not wait. */
const SOON = { OTEL_BSP_SCHEDULE_DELAY: "50" };

const DECIDE = "/behest.v1.DecisionService/Decide";
const bytes = (body: Buffer): Buffer => body;

interface Sent {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly request?: wire.DecideRequest;
  readonly token?: string;
}

/** Decides with metadata that are exactly these. */
function decide(
  server: Served,
  { headers = {}, request = requestOf({ action: actionOf({ tool: "unheard/of" }) }), token }: Sent = {},
): Promise<wire.DecideResponse> {
  const client = new Client(server.address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token ?? tokenOf(server, "enforcer")}`);
  for (const [name, values] of Object.entries(headers)) for (const value of [values].flat()) metadata.add(name, value as string);
  const body = Buffer.from(toBinary(wire.DecideRequestSchema, request));
  return new Promise<wire.DecideResponse>((resolve, reject) => {
    client.makeUnaryRequest(DECIDE, bytes, bytes, body, metadata, (error: ServiceError | null, answer?: Buffer) => {
      if (error || !answer) reject(error);
      else resolve(fromBinary(wire.DecideResponseSchema, answer));
    });
  }).finally(() => client.close());
}

const tokenOf = (server: Served, role: string): string => readFileSync(join(server.data, `${role}.token`), "utf8").trim();

/** The one span with an attribute of this value, once it has come. */
async function spanOf(collector: Collector, name: string, value: unknown): Promise<ReceivedSpan> {
  const found = () => collector.spans.filter(({ attributes }) => attributes[name] === value);
  await expect.poll(() => found().length, { timeout: 10_000 }).toBe(1);
  const [span] = found();
  if (!span) throw new Error("it was there");
  return span;
}

const ofDecision = (collector: Collector, { decisionId }: wire.DecideResponse) => spanOf(collector, "behest.decision.id", decisionId);

describe("a traced server", () => {
  const home = temporaryDirectory();
  let collector: Collector;
  let server: Served;
  beforeAll(async () => {
    collector = await runCollector();
    server = await serve(join(home.path, "state"), [], {
      env: {
        ...SOON,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=value",
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    collector.close();
    home.remove();
  });

  it("sends a span for a decision, with what was decided", async () => {
    const answer = await decide(server);
    const span = await ofDecision(collector, answer);
    expect(span).toMatchObject({
      name: "behest.v1.DecisionService/Decide",
      kind: 2,
      status: 0,
      parentSpanId: "",
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": "behest.v1.DecisionService/Decide",
        "rpc.response.status_code": "OK",
        "behest.decision.outcome": outcomeOf(answer),
        "behest.decision.basis": Object.entries(wire.Basis).find(([, value]) => value === answer.basis)?.[0],
        "behest.decision.score": answer.risk?.score,
        "behest.decision.replayed": false,
        "behest.cache.hit": answer.cache?.hit,
        "behest.policy.digest": answer.policyDigest,
        "behest.task.id": answer.taskId,
      },
      resource: { "service.name": "behest", "service.version": expect.stringMatching(/^\d/), "deployment.environment.name": "test" },
    });
    expect(collector.headers).toMatchObject({ path: "/v1/traces", "content-type": "application/x-protobuf", "x-key": "value" });
  });

  it("goes on in the trace of its caller, and logs which it is", async () => {
    const answer = await decide(server, { headers: { traceparent: TRACEPARENT, tracestate: "vendor=some,other=thing" } });
    const span = await ofDecision(collector, answer);
    expect(span).toMatchObject({ traceId: PARENT.traceId, parentSpanId: PARENT.spanId, traceState: "vendor=some,other=thing" });
    const lineOf = () => server.said.stderr.split("\n").find((line) => line.includes(answer.decisionId)) ?? "{}";
    await expect.poll(() => JSON.parse(lineOf()), { timeout: 5_000 }).toMatchObject({ msg: "decided", traceId: PARENT.traceId });
  });

  it("sends nothing of what its caller does not record, and still logs the trace", async () => {
    const unsampled = await decide(server, { headers: { traceparent: `00-${PARENT.traceId}-${PARENT.spanId}-00` } });
    await ofDecision(collector, await decide(server));
    expect(collector.spans.filter(({ attributes }) => attributes["behest.decision.id"] === unsampled.decisionId)).toEqual([]);
    const lineOf = () => server.said.stderr.split("\n").find((line) => line.includes(unsampled.decisionId)) ?? "{}";
    await expect.poll(() => JSON.parse(lineOf()), { timeout: 5_000 }).toMatchObject({ traceId: PARENT.traceId });
  });

  it("goes on in the trace of a caller that speaks a later version", async () => {
    const span = await ofDecision(collector, await decide(server, { headers: { traceparent: `cc-${PARENT.traceId}-${PARENT.spanId}-01-more` } }));
    expect(span.traceId).toBe(PARENT.traceId);
  });

  it.each<{ says: string; headers: Readonly<Record<string, string | readonly string[]>> }>([
    { says: "no trace at all", headers: { traceparent: "hello" } },
    { says: "a trace of zeros", headers: { traceparent: `00-${"0".repeat(32)}-${PARENT.spanId}-01` } },
    { says: "a parent of zeros", headers: { traceparent: `00-${PARENT.traceId}-${"0".repeat(16)}-01` } },
    { says: "upper-case digits", headers: { traceparent: TRACEPARENT.toUpperCase() } },
    { says: "the version that is none", headers: { traceparent: TRACEPARENT.replace(/^00/, "ff") } },
    { says: "more than its version may say", headers: { traceparent: `${TRACEPARENT}-more` } },
    { says: "too much of a later version", headers: { traceparent: `cc-${PARENT.traceId}-${PARENT.spanId}-01-${"x".repeat(4_000)}` } },
    { says: "two traces", headers: { traceparent: [TRACEPARENT, TRACEPARENT.replaceAll("4b", "5c")] } },
    { says: "another's state and no trace", headers: { tracestate: "vendor=some" } },
  ])("begins a trace of its own where the caller names $says", async ({ headers }) => {
    const span = await ofDecision(collector, await decide(server, { headers }));
    expect({ ...span, isOwn: span.traceId !== PARENT.traceId }).toMatchObject({ isOwn: true, parentSpanId: "", traceState: "" });
  });

  it("leaves out a state that is too long, and keeps the trace", async () => {
    const span = await ofDecision(
      collector,
      await decide(server, { headers: { traceparent: TRACEPARENT, tracestate: `vendor=${"x".repeat(600)}` } }),
    );
    expect(span).toMatchObject({ traceId: PARENT.traceId, traceState: "" });
  });

  it("sends a span for each request of a batch, below that of the call", async () => {
    const items = [requestOf({ agent: { id: "one" } }), requestOf({ agent: { id: "" } })];
    const { items: answers } = await server.client("enforcer").decideBatch(items);
    const decision = answers[0]?.result.value as wire.DecideResponse;
    const done = await ofDecision(collector, decision);
    await expect.poll(() => collector.spans.filter(({ traceId }) => traceId === done.traceId).length, { timeout: 10_000 }).toBe(3);
    const [call] = collector.spans.filter(({ spanId }) => spanId === done.parentSpanId);
    const refused = collector.spans.find(({ spanId, parentSpanId }) => parentSpanId === call?.spanId && spanId !== done.spanId);
    expect(call).toMatchObject({ name: "behest.v1.DecisionService/DecideBatch", kind: 2 });
    expect(done).toMatchObject({ name: "decide", attributes: { "rpc.response.status_code": "OK" } });
    expect(refused).toMatchObject({ name: "decide", status: 0, attributes: { "rpc.response.status_code": "INVALID_ARGUMENT" } });
  });

  it("sends a span for each item of a stream, and one for the stream once it has ended", async () => {
    const stream = server.client("enforcer").decideStream();
    const answer = await stream.decide(requestOf({ agent: { id: "streaming" } }));
    await stream.end();
    const item = await ofDecision(collector, answer);
    const isOver = () => collector.spans.filter(({ spanId }) => spanId === item.parentSpanId);
    await expect.poll(() => isOver().length, { timeout: 10_000 }).toBe(1);
    expect(isOver()).toMatchObject([{ name: "behest.v1.DecisionService/DecideStream", kind: 2 }]);
  });

  it("tells of a call that was refused, and by whose mistake", async () => {
    const traceparent = TRACEPARENT.replace(PARENT.traceId, "a".repeat(32));
    await expect(decide(server, { headers: { traceparent }, token: "behest.nobody.x" })).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
    const span = await spanOf(collector, "rpc.response.status_code", "UNAUTHENTICATED");
    expect(span).toMatchObject({ traceId: "a".repeat(32), status: 0 });
  });

  it("sends nothing of what was decided on, and no token", async () => {
    const secret = "words-of-the-task";
    const request = requestOf({
      agent: { id: "agent-of-the-request", credential: "credential-of-the-agent" },
      task: { statement: secret },
      action: actionOf({ tool: "tool-of-the-request", argumentsForm: { case: "arguments", value: { path: "path-of-the-argument" } } }),
    });
    await ofDecision(collector, await decide(server, { request }));
    const hidden = [secret, "agent-of-the-request", "credential-of", "tool-of-the", "path-of-the", tokenOf(server, "enforcer"), "local-enforcer"];
    expect(hidden.filter((word) => collector.bytes.includes(word))).toEqual([]);
    // What is sent is readable, so that finding nothing means something.
    expect(collector.bytes.includes("behest.policy.digest")).toBe(true);
  });
});

describe("a collector", () => {
  const home = temporaryDirectory();
  let collector: Collector | undefined;
  let server: Served | undefined;
  let count = 0;
  const begin = async (env: Readonly<Record<string, string>>): Promise<Served> => {
    server = await serve(join(home.path, `${++count}`), [], { env: { ...SOON, ...env } });
    return server;
  };
  afterEach(async () => {
    await server?.stop();
    collector?.close();
  });
  afterAll(() => home.remove());

  const decideMany = (many: number, on: Served) => Promise.all(Array.from({ length: many }, () => decide(on)));
  async function spansOf(on: Served): Promise<Readonly<Record<string, number>>> {
    const answer = await fetch(`http://${on.ready["http"]}/metrics`, { headers: { authorization: `Bearer ${tokenOf(on, "auditor")}` } });
    const { samples } = readPrometheusText(await answer.text());
    return Object.fromEntries(
      ["exported", "failed", "dropped"].map((result) => [result, samples.get(`behest_trace_spans_total{result="${result}"}`) ?? 0]),
    );
  }

  it("that is down costs spans, which are counted, and no decision", async () => {
    collector = await runCollector();
    const { url } = collector;
    collector.close();
    const on = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: "500" });
    expect(await decideMany(20, on)).toHaveLength(20);
    await expect.poll(() => spansOf(on), { timeout: 20_000 }).toEqual({ exported: 0, failed: 20, dropped: 0 });
    // The log leaves in blocks, a moment later.
    await expect.poll(() => on.said.stderr.split("\n").filter((line) => line.includes("the collector takes no spans"))).toHaveLength(1);
  });

  it("that does not answer costs spans beyond those that may wait, and no decision, and does not keep the server from ending", async () => {
    collector = await runCollector(() => undefined);
    const on = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_MAX_QUEUE_SIZE: "4", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2" });
    await decide(on);
    await setTimeout(300);
    expect(await decideMany(20, on)).toHaveLength(20);
    const { exported, dropped } = await spansOf(on);
    expect(exported).toBe(0);
    expect(dropped).toBeGreaterThanOrEqual(10);
    const began = performance.now();
    expect((await on.stop()).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("gets what is left when the server ends", async () => {
    collector = await runCollector();
    const on = await begin({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/mine`,
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      OTEL_SERVICE_NAME: "other",
    });
    const answer = await decide(on);
    expect(collector.spans).toEqual([]);
    await on.stop();
    expect(collector.spans).toMatchObject([{ attributes: { "behest.decision.id": answer.decisionId }, resource: { "service.name": "other" } }]);
    expect(collector.headers["path"]).toBe("/mine");
  });

  it("gets the spans of calls that come through doors, and the server knows of it", async () => {
    collector = await runCollector();
    const on = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, BEHEST_WORKERS: "1" });
    const span = await ofDecision(collector, await decide(on, { headers: { traceparent: TRACEPARENT } }));
    expect(span).toMatchObject({ traceId: PARENT.traceId, name: "behest.v1.DecisionService/Decide" });
    await expect.poll(() => spansOf(on), { timeout: 10_000 }).toEqual({ exported: 1, failed: 0, dropped: 0 });
    await expect.poll(() => on.said.stderr, { timeout: 5_000 }).toContain(`"traceId":"${PARENT.traceId}"`);
  });

  it("gets as many traces as the sampler says", async () => {
    collector = await runCollector();
    const on = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: "parentbased_always_off" });
    await decide(on);
    const followed = await decide(on, { headers: { traceparent: TRACEPARENT } });
    await ofDecision(collector, followed);
    await on.stop();
    expect(collector.spans).toHaveLength(1);
  });

  it("gets nothing where tracing is switched off, and no log line names a trace", async () => {
    collector = await runCollector();
    const on = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: "true" });
    await decide(on, { headers: { traceparent: TRACEPARENT } });
    const { stderr } = await on.stop();
    expect({ spans: collector.spans, isNamed: stderr.includes(PARENT.traceId) }).toEqual({ spans: [], isNamed: false });
    expect(stderr).toContain('"decided"');
  });
});
