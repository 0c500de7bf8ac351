import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { percentile } from "./statistics.ts";

const CONNECTIONS = 4;
const CONNECTED_WITHIN_MS = 10_000;
/** After the end of a run its last calls may still take so long. */
const LAST_CALLS_MS = 10_000;
/** One answer in so many is kept, to see that the server did what the figures claim. */
const KEPT_EVERY = 61;

/** Some connections to one server, made once and used by every run. */
export interface Connections {
  run(load: Load): Promise<LoadResult>;
  close(): void;
}

export interface ConnectionOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly token?: string;
}

/** So many calls at a time, each followed by the next at once, until the time is up or the bodies are. */
export interface Load {
  readonly concurrency: number;
  readonly durationMs: number;
  /** Requests, encoded already. */
  readonly bodies: Iterator<Buffer, undefined>;
}

export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Some of the answers, as they came. */
  readonly kept: readonly Buffer[];
}

export async function connect({ address, path, token }: ConnectionOptions): Promise<Connections> {
  // Without a pool of its own every client would share one connection.
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const clients = Array.from({ length: CONNECTIONS }, () => new Client(address, credentials.createInsecure(), options));
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  await Promise.all(clients.map(waitForReady));
  return {
    run: (load) => run(load, (lane, body, deadlineMs) => call({ client: clientOf(clients, lane), path, metadata, deadlineMs }, body)),
    close() {
      for (const client of clients) client.close();
    },
  };
}

function clientOf(clients: readonly Client[], lane: number): Client {
  const client = clients[lane % clients.length];
  if (!client) throw new RangeError("no connections");
  return client;
}

const waitForReady = (client: Client): Promise<void> =>
  new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECTED_WITHIN_MS, (error) => (error ? reject(error) : resolve()));
  });

type Send = (lane: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;

async function run({ concurrency, durationMs, bodies }: Load, send: Send): Promise<LoadResult> {
  const tookMs: number[] = [];
  const kept: Buffer[] = [];
  const beganMs = performance.now();
  const deadlineMs = Date.now() + durationMs + LAST_CALLS_MS;
  const lane = async (number: number): Promise<void> => {
    let sentMs = performance.now();
    while (sentMs - beganMs < durationMs) {
      const next = bodies.next();
      if (next.done) return;
      const answer = await send(number, next.value, deadlineMs);
      const nowMs = performance.now();
      if (tookMs.push(nowMs - sentMs) % KEPT_EVERY === 0) kept.push(answer);
      sentMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => lane(number)));
  const seconds = (performance.now() - beganMs) / 1_000;
  return { calls: tookMs.length, seconds, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99), kept };
}

interface Call {
  readonly client: Client;
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number;
}

const bytes = (body: Buffer): Buffer => body;

const call = ({ client, path, metadata, deadlineMs }: Call, body: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, bytes, bytes, body, metadata, { deadline: deadlineMs }, (error, answer) => {
      if (error) reject(error);
      else if (answer) resolve(answer);
      else reject(new Error("the server answered nothing"));
    });
  });
