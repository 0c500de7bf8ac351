import { create, toBinary } from "@bufbuild/protobuf";
import { type handleBidiStreamingCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, expect, it } from "vitest";
import { MARKER, numberedBodies } from "../../bench/numbered-bodies.ts";
import { connectStreams } from "../../bench/stream-load.ts";
import { DecideStreamRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";

const PATH = "/behest.bench.Test/Stream";
const bytes = (body: Buffer): Buffer => body;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function loadOn(answer: handleBidiStreamingCall<Buffer, Buffer>) {
  const server = new Server();
  const serializers = { requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
  server.addService({ Stream: { path: PATH, requestStream: true, responseStream: true, ...serializers } }, { Stream: answer });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  closers.push(() => server.forceShutdown());
  const load = await connectStreams({ address: `127.0.0.1:${port}`, path: PATH, connections: 2 });
  closers.push(load.close);
  return load;
}

const template = toBinary(DecideStreamRequestSchema, create(DecideStreamRequestSchema, { correlationId: String(MARKER), decide: { session: "s" } }));

function* bodies(count: number): Generator<Buffer, undefined> {
  const numbered = numberedBodies([template]);
  for (let sent = 0; sent < count; sent++) yield numbered.next().value ?? Buffer.alloc(0);
}

it("matches answers to what was asked, in whatever order they come, and ends its streams", async () => {
  const held: (() => void)[] = [];
  let ended = 0;
  const load = await loadOn((call) => {
    call.on("data", (body: Buffer) => {
      held.push(() => call.write(body));
      // In pairs, the later one first.
      if (held.length >= 2) for (const release of held.splice(0).reverse()) release();
    });
    call.on("end", () => {
      for (const release of held.splice(0)) release();
      ended++;
      call.end();
    });
  });
  const result = await load.run({ concurrency: 8, durationMs: 20_000, keptEvery: 1, bodies: bodies(400) });
  expect(result).toMatchObject({ calls: 400, failed: {} });
  expect(new Set(result.kept.map(String)).size).toBe(400);
  expect(ended).toBe(2);
});

it("counts what is in flight as failed when the server ends the stream", async () => {
  const load = await loadOn((call) => {
    let seen = 0;
    call.on("data", (body: Buffer) => {
      if (++seen <= 10) call.write(body);
      else if (seen === 11) call.emit("error", { code: status.UNAVAILABLE, details: "stopping" });
    });
  });
  const result = await load.run({ concurrency: 6, durationMs: 20_000, bodies: bodies(1_000) });
  expect(result).toMatchObject({ calls: 20, failed: { UNAVAILABLE: 6 } });
});
