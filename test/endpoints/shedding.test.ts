import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCallCount, Shedding, type ShedReason } from "../../src/endpoints/grpc/shedding.ts";
import { SuspensionKind } from "../../src/gen/behest/v1/control_pb.ts";
import { DecideBatchRequestSchema, DecideRequestSchema, ExplainRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { type AskingServer, idOf, inWords, runAskingServer, writing } from "./asking-server.ts";
import { type Refusal, refusalOf, requestOf } from "./raw-calls.ts";

interface Load {
  readonly inFlight?: number;
  readonly queuedMs?: number;
  readonly busyMs?: number;
}

const LIMITS = { decisionsInFlightMax: 2, queueAgeMaxMs: 20 };

/** Why a decision is not begun under this load, as its caller and as the metrics are told. */
function shedUnder({ inFlight = 0, queuedMs = 0, busyMs = 0 }: Load): { readonly limit: string | undefined; readonly told: readonly ShedReason[] } {
  const told: ShedReason[] = [];
  const shedding = new Shedding({ ...LIMITS, queuedForMs: () => queuedMs, onShed: (reason) => told.push(reason) });
  for (let count = 0; count < inFlight; count++) shedding.began();
  if (busyMs > 0) {
    shedding.refusal();
    told.length = 0;
    const began = performance.now();
    while (performance.now() - began < busyMs);
  }
  return { limit: shedding.refusal()?.detail.limit, told };
}

describe("a decision is begun", () => {
  it.each<Load & { readonly says: string; readonly limit?: string; readonly told?: ShedReason }>([
    { says: "while fewer are in flight than may be", inFlight: 1 },
    { says: "unless as many are as may be", inFlight: 2, limit: "decisions_in_flight", told: "in_flight" },
    { says: "while what waits for the disk has not waited too long", queuedMs: 20 },
    { says: "unless it has", queuedMs: 21, limit: "queue_age", told: "queue_age" },
    { says: "unless what arrived with it has taken too long", busyMs: 21, limit: "queue_age", told: "loop_age" },
  ])("$says", ({ limit, told, ...load }) => {
    expect(shedUnder(load)).toEqual({ limit, told: told === undefined ? [] : [told] });
  });

  it("once others have ended, and the server has looked what else there is", async () => {
    const shedding = new Shedding({ ...LIMITS, queuedForMs: () => 0, onShed: () => undefined });
    for (let count = 0; count < 2; count++) shedding.began();
    expect(shedding.refusal()).toBeDefined();
    shedding.ended();
    const began = performance.now();
    expect(shedding.refusal()).toBeUndefined();
    while (performance.now() - began < 30);
    expect(shedding.refusal()).toBeDefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(shedding.refusal()).toBeUndefined();
  });
});

describe("other calls", () => {
  it("are as many at once as may be", () => {
    const told: ShedReason[] = [];
    const calls = createCallCount(1, (reason) => told.push(reason));
    expect(calls.refusal()).toBeUndefined();
    calls.began();
    expect(calls.refusal()?.message).toBe("1 calls of this kind are under way; retry after a moment");
    calls.ended();
    expect(calls.refusal()).toBeUndefined();
    expect(told).toEqual(["calls"]);
  });
});

describe("a server with as many decisions in flight as may be", () => {
  const WAITS = 3;
  let server: AskingServer;
  let waiting: readonly Promise<unknown>[];
  let asked: string;
  beforeAll(async () => {
    server = await runAskingServer({ decisions_in_flight_max: WAITS });
    const enforcer = server.client("enforcer");
    asked = idOf(await enforcer.decide(writing({ agent: { id: "before" } })));
    waiting = Array.from({ length: WAITS }, (_, index) => enforcer.decide(writing({ agent: { id: `waits-${index}` }, waitMs: 50_000 })));
    for (let index = 0; index < WAITS; index++) await server.pendingOf(`waits-${index}`);
  });
  afterAll(async () => {
    await server.close();
    await Promise.allSettled(waiting);
  });

  const REFUSED: Refusal = {
    code: "RESOURCE_EXHAUSTED",
    message: "too many decisions are being made; retry after a moment",
    reason: "OVERLOADED",
    limit: "decisions_in_flight",
    retryAfterS: 1,
  };

  it.each([
    { method: "Decide", body: toBinary(DecideRequestSchema, requestOf()) },
    { method: "Decide", body: Buffer.from("what it is, is not looked at") },
    { method: "DecideBatch", body: toBinary(DecideBatchRequestSchema, create(DecideBatchRequestSchema, { items: [requestOf()] })) },
    { method: "Explain", body: toBinary(ExplainRequestSchema, create(ExplainRequestSchema, { request: requestOf() })) },
  ])("refuses $method, and says when to try again", async ({ method, body }) => {
    expect(refusalOf(await server.send(method, body))).toEqual(REFUSED);
  });

  it("suspends, resumes, tells its health and takes answers", async () => {
    const operator = server.client("operator");
    const { suspension } = await operator.suspend({ kind: SuspensionKind.AGENT, value: "somebody", reason: "overload" });
    expect(suspension).toBeDefined();
    expect(await operator.isServing()).toBe(true);
    await server.yes(asked);
  });

  it("decides again once they are answered", async () => {
    await server.yes(await server.pendingOf("waits-0"));
    await Promise.race(waiting);
    expect(inWords(await server.decide(writing({ agent: { id: "after" } }))).outcome).toBe("REQUIRE_APPROVAL");
    expect(inWords(await server.decide(writing({ agent: { id: "before" }, approvalId: asked }))).outcome).toBe("ALLOW");
  });
});
