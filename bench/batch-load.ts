import { type ClosedLoad, connect, type LoadOptions, type LoadResult } from "./http2-load.ts";

/** Batches of so many decisions, as a load of decisions: `concurrency` counts these. A latency is that of a whole batch. */
export async function connectBatches(options: LoadOptions, size: number) {
  const load = await connect(options);
  return {
    async run({ concurrency, bodies, ...rest }: ClosedLoad): Promise<LoadResult> {
      const result = await load.run({ ...rest, concurrency: Math.ceil(concurrency / size), bodies: batchesOf(bodies, size) });
      return { ...result, calls: result.calls * size };
    },
    close: load.close,
  };
}

/** `DecideBatchRequest`s of these `DecideRequest`s, each written over the last: whoever sends one copies it first. */
export function* batchesOf(bodies: Iterator<Buffer, undefined>, size: number): Generator<Buffer, undefined> {
  let batch = Buffer.alloc(0);
  while (true) {
    let length = 0;
    for (let item = 0; item < size; item++) {
      const next = bodies.next();
      if (next.done) return undefined;
      if (batch.length - length < next.value.length + ITEM_HEAD_MAX)
        batch = Buffer.concat([batch, Buffer.alloc(size * (next.value.length + ITEM_HEAD_MAX))]);
      length = writeItem(batch, length, next.value);
    }
    yield batch.subarray(0, length);
  }
}

const ITEM_HEAD_MAX = 6;
/** `repeated DecideRequest items = 1`. */
const ITEM_TAG = 0x0a;

function writeItem(batch: Buffer, start: number, item: Buffer): number {
  let at = start;
  batch[at++] = ITEM_TAG;
  let rest = item.length;
  for (; rest >= 128; rest >>= 7) batch[at++] = (rest & 127) | 128;
  batch[at++] = rest;
  return at + item.copy(batch, at);
}
