import { connect as connectSocket } from "node:net";
import { gzipSync } from "node:zlib";
import { toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it, vi } from "vitest";
import { connectHostile, framed, type HostileConnection } from "../../faults/wire/hostile-connection.ts";
import type { Config } from "../../src/config.ts";
import { DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { type HostileServer, outcomeOf, requestOf, runHostileServer } from "./raw-calls.ts";

const DECIDE = "/behest.v1.DecisionService/Decide";
const HEALTH = "/grpc.health.v1.Health/Check";
const WATCH_HEALTH = "/grpc.health.v1.Health/Watch";
const WATCH_APPROVALS = "/behest.v1.ApprovalService/WatchApprovals";
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const ENHANCE_YOUR_CALM = 11;
const MESSAGE = framed(toBinary(DecideRequestSchema, requestOf()));

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function running(settings: Partial<Config>): Promise<HostileServer> {
  const server = await runHostileServer(settings);
  closers.push(() => server.close());
  return server;
}

async function joining(address: string, settings = {}): Promise<HostileConnection> {
  const connection = await connectHostile(address, settings);
  closers.push(() => connection.close());
  return connection;
}

/** Whatever was done to the server, another caller is served as if nothing had been. */
const serves = async (server: HostileServer): Promise<void> => expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");

describe("a request that does not arrive whole", () => {
  it.each([
    { says: "headers alone", body: undefined },
    { says: "half a length", body: MESSAGE.subarray(0, 3) },
    { says: "half a message", body: MESSAGE.subarray(0, -1) },
    { says: "a message that does not end its stream", body: MESSAGE },
  ])("is cut after `receive_timeout_ms`: $says", async ({ body }) => {
    const server = await running({ receive_timeout_ms: 300 });
    const { call } = await joining(server.address);
    expect(await call(DECIDE, body && { body }).ended).toEqual({
      status: "DEADLINE_EXCEEDED",
      message: "the request did not arrive whole in time; send it again",
      reset: 0,
    });
    await serves(server);
  });

  it("does not keep one that arrives slowly, but in time, from being answered", async () => {
    const server = await running({ receive_timeout_ms: 10_000 });
    const { call } = await joining(server.address);
    const slow = call(HEALTH);
    for (const byte of framed(new Uint8Array())) {
      slow.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    slow.end();
    expect((await slow.ended).status).toBe("OK");
  });

  it("is cut when it is the oldest of more than `receive_calls_max`", async () => {
    const server = await running({ receive_calls_max: 40 });
    const [first, second] = [await joining(server.address), await joining(server.address)];
    const oldest = Array.from({ length: 3 }, () => first.call(HEALTH));
    await first.reached();
    for (let count = 0; count < 40; count++) second.call(HEALTH);
    expect(await Promise.all(oldest.map(({ ended }) => ended))).toEqual(
      oldest.map(() => ({ status: "RESOURCE_EXHAUSTED", message: "too many requests have not arrived whole; send it again at once", reset: 0 })),
    );
    await serves(server);
  });

  it("is cut when it is the longest, and all together are longer than `receive_bytes_max`", async () => {
    const server = await running({ receive_bytes_max: 100_000 });
    const { call } = await joining(server.address);
    const part = (bytes: number): Buffer => framed(new Uint8Array(bytes), { length: 200_000 });
    call(DECIDE, { body: part(30_000) });
    const longest = call(DECIDE, { body: part(50_000) });
    call(DECIDE, { body: part(40_000) });
    expect((await longest.ended).message).toBe("too many bytes of requests are held; retry after a moment");
    await serves(server);
  });
});

describe("an answer", () => {
  it("that its caller does not take is cut after `receive_timeout_ms`", async () => {
    const server = await running({ receive_timeout_ms: 300 });
    const { call } = await joining(server.address, { initialWindowSize: 0 });
    const headers = { authorization: `Bearer ${server.token("enforcer")}` };
    expect((await call(DECIDE, { headers, body: MESSAGE, whole: true }).ended).status).toBeUndefined();
    await serves(server);
  });
});

describe("compressed messages", () => {
  it.each([
    { says: "well compressed", body: framed(gzipSync(toBinary(DecideRequestSchema, requestOf())), { compressed: true }) },
    { says: "of far more than may be sent", body: framed(gzipSync(new Uint8Array(100_000_000)), { compressed: true }) },
    { says: "that are no gzip", body: framed(Buffer.from("\u001f\u008b rubbish", "latin1"), { compressed: true }) },
    { says: "that are none after all", body: MESSAGE },
  ])("are refused unread: $says", async ({ body }) => {
    const server = await running({});
    const { call } = await joining(server.address);
    expect(await call(DECIDE, { headers: { "grpc-encoding": "gzip" }, body, whole: true }).ended).toEqual({
      status: "UNIMPLEMENTED",
      message: "compressed messages are not read; send them as they are",
      reset: 0,
    });
    await serves(server);
  });
});

describe("a length beyond every limit", () => {
  it("is refused as soon as it is read, and not waited for", async () => {
    const server = await running({ receive_timeout_ms: 3_600_000 });
    const { call } = await joining(server.address);
    const headers = { authorization: `Bearer ${server.token("enforcer")}` };
    expect(await call(DECIDE, { headers, body: framed(Uint8Array.of(1), { length: 2 ** 32 - 1 }) }).ended).toMatchObject({
      status: "RESOURCE_EXHAUSTED",
    });
    await serves(server);
  });
});

describe("headers", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "1"]));
  it.each([
    { says: "as many as may be", headers: many(40), ended: { status: "OK" } },
    { says: "too many", headers: many(100), ended: { reset: ENHANCE_YOUR_CALM } },
    { says: "too long", headers: { "x-long": "x".repeat(20_000) }, ended: { reset: ENHANCE_YOUR_CALM } },
  ])("$says", async ({ headers, ended }) => {
    const server = await running({});
    const { call } = await joining(server.address);
    expect(await call(HEALTH, { headers, body: framed(new Uint8Array()), whole: true }).ended).toMatchObject(ended);
    await serves(server);
  });
});

describe("a connection", () => {
  it("that resets more calls than it may have open is closed", async () => {
    const server = await running({ streams_max: 20 });
    const { call, closed, session } = await joining(server.address);
    for (let count = 0; count < 100 && !session.closed; count++) {
      call(DECIDE).cancel();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await closed).toBe(INTERNAL_ERROR);
    await serves(server);
  });

  it("that does not begin to speak HTTP/2 is closed after `receive_timeout_ms`", async () => {
    const server = await running({ receive_timeout_ms: 300 });
    const colon = server.address.lastIndexOf(":");
    const socket = connectSocket({ host: server.address.slice(0, colon), port: Number(server.address.slice(colon + 1)) });
    socket.on("error", () => undefined).resume();
    await new Promise((resolve) => socket.once("close", resolve));
    await serves(server);
  });

  it("without calls is closed after `connection_idle_ms`", async () => {
    const server = await running({ connection_idle_ms: 300 });
    const { call, closed } = await joining(server.address);
    expect((await call(HEALTH, { body: framed(new Uint8Array()), whole: true }).ended).status).toBe("OK");
    await closed;
    await serves(server);
  });

  it("without calls makes room where there are `connections_max`: first one that never had any, then the one that is idle longest", async () => {
    const server = await running({ connections_max: 3 });
    const idle = await joining(server.address);
    expect((await idle.call(HEALTH, { body: framed(new Uint8Array()), whole: true }).ended).status).toBe("OK");
    const busy = await joining(server.address);
    busy.call(HEALTH);
    await busy.reached();
    const unused = await joining(server.address);
    const next = await joining(server.address);
    expect(await unused.closed).toBe(NO_ERROR);
    expect([idle, busy, next].map(({ session }) => session.closed)).toEqual([false, false, false]);
    next.call(HEALTH);
    await next.reached();
    const last = await joining(server.address);
    expect(await idle.closed).toBe(NO_ERROR);
    expect([busy, next, last].map(({ session }) => session.closed)).toEqual([false, false, false]);
  });

  it("is refused where all that there may be have calls", async () => {
    const server = await running({ connections_max: 2 });
    for (let count = 0; count < 2; count++) {
      const busy = await joining(server.address);
      busy.call(HEALTH);
      await busy.reached();
    }
    expect(await (await joining(server.address)).closed).toBe(NO_ERROR);
  });
});

describe("a server that stops", () => {
  it("does not wait for the rest of a request, for answers to be taken, or for who watches its health", async () => {
    const server = await runHostileServer();
    const sender = await joining(server.address);
    const half = sender.call(DECIDE, { body: MESSAGE.subarray(0, 3) });
    await sender.reached();
    const reader = await joining(server.address, { initialWindowSize: 0 });
    const headers = { authorization: `Bearer ${server.token("enforcer")}` };
    const untaken = reader.call(DECIDE, { headers, body: MESSAGE, whole: true });
    const approvals = { authorization: `Bearer ${server.token("approver")}` };
    const unread = reader.call(WATCH_APPROVALS, { headers: approvals, body: framed(new Uint8Array()), whole: true });
    const watching = sender.call(WATCH_HEALTH, { body: framed(new Uint8Array()), whole: true });
    await vi.waitFor(() => expect(server.rows("SELECT decision_id FROM decisions")).toHaveLength(1));
    await server.close();
    // Had it been waited for until the end, both would have been cut with everything else.
    expect(await half.ended).toMatchObject({ status: "DEADLINE_EXCEEDED", reset: NO_ERROR });
    for (const { ended } of [untaken, unread, watching]) expect(await ended).toMatchObject({ reset: NO_ERROR });
  });
});
