import { once } from "node:events";
import { createServer } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { type handleBidiStreamingCall, type handleUnaryCall, Server, ServerCredentials, type ServerOptions, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { openConnection } from "../../bench/http2/connection.ts";
import { connect, type Load } from "../../bench/http2-load.ts";

const PATH = "/behest.bench.Test/Call";
const bytes = (body: Buffer): Buffer => body;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

interface Answers {
  readonly unary?: handleUnaryCall<Buffer, Buffer>;
  readonly bidi?: handleBidiStreamingCall<Buffer, Buffer>;
  readonly options?: ServerOptions;
}

/** A grpc-js server whose one method echoes, unless told otherwise. */
async function serve({ unary = (call, callback) => callback(null, call.request), bidi, options = {} }: Answers): Promise<string> {
  const server = new Server({ "grpc.max_receive_message_length": -1, ...options });
  const streams = bidi !== undefined;
  const serializers = { requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
  server.addService({ Call: { path: PATH, requestStream: streams, responseStream: streams, ...serializers } }, { Call: bidi ?? unary });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  closers.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function loadOn(address: string, connections = 2): Promise<Load> {
  const load = await connect({ address, path: PATH, token: "secret", connections });
  closers.push(load.close);
  return load;
}

function* bodiesOf(count: number, body: (number: number) => Buffer): Generator<Buffer, undefined> {
  for (let number = 0; number < count; number++) yield body(number);
}

/** Bytes that show when a part of them is lost, doubled or out of order. */
const patterned = (length: number, seed: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 31 + seed) % 251));

describe("the load generator", () => {
  it("sends every body once and keeps the answers asked for", async () => {
    const seen: string[] = [];
    const address = await serve({
      unary(call, callback) {
        seen.push(`${call.request} by ${call.metadata.get("authorization")}`);
        callback(null, call.request);
      },
    });
    const load = await loadOn(address);
    const result = await load.run({
      concurrency: 8,
      durationMs: 20_000,
      keptEvery: 1,
      bodies: bodiesOf(500, (number) => Buffer.from(`call ${number}`)),
    });
    expect(result).toMatchObject({ calls: 500, failed: {}, unsent: 0 });
    expect(new Set(seen).size).toBe(500);
    expect(seen[0]).toBe("call 0 by Bearer secret");
    expect(new Set(result.kept.map(String)).size).toBe(500);
  });

  it("gets bodies and answers through that are larger than every window and frame", async () => {
    const load = await loadOn(await serve({}), 1);
    const bodies = Array.from({ length: 6 }, (_, number) => patterned(300_000 + number, number));
    const result = await load.run({ concurrency: 3, durationMs: 20_000, keptEvery: 1, bodies: bodies.values() });
    expect(result).toMatchObject({ calls: 6, failed: {} });
    for (const body of bodies) expect(result.kept.some((answer) => answer.equals(body))).toBe(true);
  });

  it("keeps to the streams that the server takes at once", async () => {
    let open = 0;
    let most = 0;
    const address = await serve({
      options: { "grpc.max_concurrent_streams": 3 },
      unary(call, callback) {
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          callback(null, call.request);
        }, 2);
      },
    });
    const load = await loadOn(address, 1);
    const result = await load.run({ concurrency: 20, durationMs: 20_000, bodies: bodiesOf(100, (number) => Buffer.from(`${number}`)) });
    expect(result).toMatchObject({ calls: 100, failed: {} });
    expect(most).toBe(3);
  });

  it("counts what fails apart from what is answered, by its status", async () => {
    let calls = 0;
    const address = await serve({
      unary(call, callback) {
        if (++calls % 4 === 0) callback({ code: status.RESOURCE_EXHAUSTED, details: "no more" });
        else callback(null, call.request);
      },
    });
    const load = await loadOn(address);
    const result = await load.run({ concurrency: 4, durationMs: 20_000, bodies: bodiesOf(100, () => Buffer.from("x")) });
    expect(result).toMatchObject({ calls: 75, failed: { RESOURCE_EXHAUSTED: 25 } });
  });

  it("goes on over a new connection after the server said goodbye", async () => {
    const address = await serve({ options: { "grpc.max_connection_age_ms": 100, "grpc.max_connection_age_grace_ms": 1_000 } });
    const load = await loadOn(address, 1);
    const bodies = bodiesOf(1_000_000, () => Buffer.from("x"));
    const result = await load.run({ concurrency: 1, durationMs: 600, bodies });
    expect(result.calls).toBeGreaterThan(10);
    const after = await load.run({ concurrency: 1, durationMs: 20_000, bodies: bodiesOf(5, () => Buffer.from("x")) });
    expect(after.calls).toBeGreaterThan(0);
  });

  it("fails what was under way when the connection is cut, and what is begun while there is none", async () => {
    const server = createServer();
    server.on("session", (session) => closers.push(() => session.destroy()));
    server.on("stream", (stream) => stream.session?.destroy());
    server.listen(0, "127.0.0.1");
    closers.push(() => server.close());
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const load = await loadOn(`127.0.0.1:${address.port}`, 1);
    const result = await load.run({ concurrency: 2, durationMs: 100, bodies: bodiesOf(1_000, () => Buffer.from("x")) });
    expect(result.calls).toBe(0);
    expect(Object.keys(result.failed)).toContain("the connection was lost");
  });

  it("counts calls that are never answered as failed", async () => {
    const load = await loadOn(await serve({ unary: () => undefined }));
    const result = await load.run({ concurrency: 3, durationMs: 50, lastCallsMs: 100, bodies: bodiesOf(1_000, () => Buffer.from("x")) });
    expect(result).toMatchObject({ calls: 0, failed: { "not answered in time": 3 } });
  });

  it("offers an open load whatever becomes of it, up to the bound of what is unanswered", async () => {
    const address = await serve({
      unary(call, callback) {
        setTimeout(() => callback(null, call.request), 200);
      },
    });
    const load = await loadOn(address);
    const open = { ratePerSecond: 500, durationMs: 1_000, lateAfterMs: 100 };
    const free = await load.run({ ...open, outstandingMax: 10_000, bodies: bodiesOf(10_000, () => Buffer.from("x")) });
    expect(free).toMatchObject({ calls: 500, late: 500, unsent: 0, failed: {} });
    expect(free.p50Ms).toBeGreaterThan(199);
    const bounded = await load.run({ ...open, outstandingMax: 10, bodies: bodiesOf(10_000, () => Buffer.from("x")) });
    expect(bounded.calls + bounded.unsent).toBe(500);
    expect(bounded.calls).toBeLessThanOrEqual(60);
  });
});

describe("a connection", () => {
  it("carries a stream of messages both ways, however large they are", async () => {
    const address = await serve({
      bidi(call) {
        call.on("data", (body: Buffer) => call.write(body));
        call.on("end", () => call.end());
      },
    });
    const connection = await openConnection({ address, path: PATH });
    closers.push(() => connection.close());
    const sent = Array.from({ length: 200 }, (_, number) => patterned(number % 10 === 0 ? 100_000 : number, number));
    const received: Buffer[] = [];
    const failure = await new Promise<string | undefined>((resolve) => {
      const stream = connection.stream({ message: (body) => received.push(Buffer.from(body)), ended: resolve });
      for (const body of sent) stream.write(body);
      stream.end();
    });
    expect(failure).toBeUndefined();
    expect(received.length).toBe(200);
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  });

  it("gives the server room again, so that a stream of answers never stops", async () => {
    const megabyte = Buffer.alloc(2 ** 20, 0x61);
    const address = await serve({
      bidi(call) {
        const more = async (): Promise<void> => {
          for (let count = 0; count < 40; count++) if (!call.write(megabyte)) await once(call, "drain");
          call.end();
        };
        call.once("data", () => more().catch(() => undefined));
      },
    });
    const connection = await openConnection({ address, path: PATH });
    closers.push(() => connection.close());
    let received = 0;
    const failure = await new Promise<string | undefined>((resolve) => {
      const stream = connection.stream({ message: (body) => (received += body.length), ended: resolve });
      stream.write(Buffer.from("begin"));
    });
    expect(failure).toBeUndefined();
    expect(received).toBe(40 * 2 ** 20);
  });

  it("answers pings, so that the server keeps it", async () => {
    const address = await serve({ options: { "grpc.keepalive_time_ms": 50, "grpc.keepalive_timeout_ms": 50 } });
    const connection = await openConnection({ address, path: PATH });
    closers.push(() => connection.close());
    await pause(500);
    expect(connection.usable).toBe(true);
  });
});
