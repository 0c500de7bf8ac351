import { type Http2Connection, openConnection } from "./http2/connection.ts";
import { type ClosedLoad, type Count, createCount, LAST_CALLS_MS, type LoadOptions, type LoadResult } from "./http2-load.ts";

/**
 * Decisions over streams, one on each connection: `concurrency` of them in flight altogether, each answer followed by the next question at
 * once. Bodies are `DecideStreamRequest`s whose correlation id is ten digits, as `numberedBodies` makes them.
 */
export async function connectStreams({ connections: count = 4, ...options }: LoadOptions) {
  const connections = await Promise.all(Array.from({ length: count }, () => openConnection(options)));
  return {
    async run(load: ClosedLoad): Promise<LoadResult> {
      const counted = createCount(load);
      const began = performance.now();
      const each = Math.ceil(load.concurrency / connections.length);
      await Promise.all(connections.map((connection) => runStream(connection, { ...load, concurrency: each }, counted)));
      return counted.result((performance.now() - began) / 1_000);
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}

function runStream(
  connection: Http2Connection,
  { concurrency, durationMs, bodies, lastCallsMs = LAST_CALLS_MS }: ClosedLoad,
  count: Count,
): Promise<void> {
  const began = performance.now();
  const sentMs = new Map<number, number>();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const finish = (why: string): void => {
      clearTimeout(timer);
      count.failed(why, sentMs.size);
      sentMs.clear();
      resolve();
    };
    const stream = connection.stream({
      message(body) {
        const correlation = correlationOf(body);
        const sent = sentMs.get(correlation);
        if (sent === undefined) return;
        sentMs.delete(correlation);
        count.answered(performance.now() - sent, body);
        ask();
      },
      ended: (failure) => finish(failure ?? "the stream ended before its answers"),
    });
    timer = setTimeout(() => finish("not answered in time"), durationMs + lastCallsMs);
    const ask = (): void => {
      const now = performance.now();
      const next = now - began < durationMs ? bodies.next() : undefined;
      if (next && !next.done) {
        sentMs.set(correlationOf(next.value), now);
        stream.write(next.value);
      } else if (sentMs.size === 0) stream.end();
    };
    for (let asked = 0; asked < concurrency; asked++) ask();
  });
}

const DIGITS = 10;

/** Field 1 of either message: its tag and length, then the digits. */
function correlationOf(body: Buffer): number {
  if (body[0] !== 0x0a || body[1] !== DIGITS) return -1;
  let number = 0;
  for (let at = 2; at < 2 + DIGITS; at++) number = number * 10 + (body.readUInt8(at) - 0x30);
  return number;
}
