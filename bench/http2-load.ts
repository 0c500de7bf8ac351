import type { CallOptions } from "./http2/call-headers.ts";
import { type Answering, type Http2Connection, openConnection } from "./http2/connection.ts";

/**
 * Unary gRPC calls with a body of their own each, at a few µs of CPU a call: a client library takes about a hundred, and on the
 * same machine it would measure itself.
 */
export interface Load {
  run(load: ClosedLoad | OpenLoad): Promise<LoadResult>;
  close(): void;
}

export interface LoadOptions extends CallOptions {
  readonly connections?: number;
}

interface AnyLoad {
  readonly durationMs: number;
  /** Requests, encoded already; a load that uses them all up ends earlier. */
  readonly bodies: Iterator<Buffer, undefined>;
  /** One answer in so many is kept, to see that the server did what the figures claim. */
  readonly keptEvery?: number;
  /** After the end its last calls may still take so long, then they have failed. */
  readonly lastCallsMs?: number;
}

/** So many calls at a time, each followed by the next at once. */
export interface ClosedLoad extends AnyLoad {
  readonly concurrency: number;
}

/** So many calls a second, whatever becomes of those before. */
export interface OpenLoad extends AnyLoad {
  readonly ratePerSecond: number;
  /** An answer later than that is of no use any more. */
  readonly lateAfterMs: number;
  /** With so many unanswered, a call that is due is not sent. */
  readonly outstandingMax: number;
}

export interface LoadResult {
  /** Answered with a message. */
  readonly calls: number;
  /** Of these, so many after `lateAfterMs`. */
  readonly late: number;
  /** Calls that failed, by why. */
  readonly failed: Readonly<Record<string, number>>;
  /** Due, but not sent, because too many were unanswered. */
  readonly unsent: number;
  readonly seconds: number;
  /** From when a call was due until its answer was here; of an open load, our own lateness in sending counts. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly kept: readonly Buffer[];
}

const CONNECTIONS = 4;
const KEPT_EVERY = 61;
export const LAST_CALLS_MS = 30_000;
/** How long a load waits before it tries again on a connection that is gone. */
const RECONNECT_AFTER_MS = 20;

/** @throws {Error} when the server cannot be reached. */
export async function connect({ connections = CONNECTIONS, ...options }: LoadOptions): Promise<Load> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(options)));
  return {
    async run(load) {
      const counted = createCount(load);
      const began = performance.now();
      await ("concurrency" in load ? runClosed(lines, load, counted) : runOpen(lines, load, counted));
      return counted.result((performance.now() - began) / 1_000);
    },
    close() {
      for (const line of lines) line.close();
    },
  };
}

/** A connection that is made again when the server has closed it. */
interface Line {
  readonly connection: Http2Connection;
  close(): void;
}

async function openLine(options: CallOptions): Promise<Line> {
  let connection = await openConnection(options);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const again = (): void => {
    timer = undefined;
    openConnection(options).then(
      (opened) => {
        connection = opened;
        if (closed) opened.close();
      },
      () => undefined,
    );
  };
  return {
    get connection() {
      if (!connection.usable && !closed) timer ??= setTimeout(again, RECONNECT_AFTER_MS);
      return connection;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      connection.close();
    },
  };
}

/** What came of a load, as it comes. */
export interface Count {
  answered(tookMs: number, body: Buffer): void;
  failed(why: string, count?: number): void;
  unsent(): void;
  result(seconds: number): LoadResult;
}

export function createCount(load: ClosedLoad | OpenLoad): Count {
  const { keptEvery = KEPT_EVERY } = load;
  const lateAfterMs = "lateAfterMs" in load ? load.lateAfterMs : Number.POSITIVE_INFINITY;
  const tookMs: number[] = [];
  const kept: Buffer[] = [];
  const failed: Record<string, number> = {};
  let late = 0;
  let unsent = 0;
  return {
    answered(ms, body) {
      if (ms > lateAfterMs) late++;
      if (tookMs.push(ms) % keptEvery === 0) kept.push(Buffer.from(body));
    },
    failed(why, count = 1) {
      if (count > 0) failed[why] = (failed[why] ?? 0) + count;
    },
    unsent() {
      unsent++;
    },
    result(seconds) {
      // Sorted once, as numbers: this is CPU time of the load too.
      const sorted = Float64Array.from(tookMs).sort();
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      return { calls: tookMs.length, late, failed, unsent, seconds, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1), kept };
    },
  };
}

/** A call that ends more than once, or after its load has ended, is counted once. */
class Call implements Answering {
  dueMs = 0;
  open = false;
  readonly #count: Count;
  readonly #next: (failed: boolean) => void;

  constructor(count: Count, next: (failed: boolean) => void) {
    this.#count = count;
    this.#next = next;
  }

  message(body: Buffer): void {
    if (!this.open) return;
    this.open = false;
    this.#count.answered(performance.now() - this.dueMs, body);
  }

  ended(failure?: string): void {
    if (failure !== undefined && this.open) this.#count.failed(failure);
    this.open = false;
    this.#next(failure !== undefined);
  }
}

const lineOf = (lines: readonly Line[], number: number): Line => {
  const line = lines[number % lines.length];
  if (!line) throw new RangeError("no connections");
  return line;
};

/** Resolves once `done` has been called, or when the last calls have had their time. */
function untilDone(lastMs: number, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lastMs);
    begin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function runClosed(lines: readonly Line[], load: ClosedLoad, count: Count): Promise<void> {
  const { concurrency, durationMs, bodies, lastCallsMs = LAST_CALLS_MS } = load;
  const began = performance.now();
  let lanes = concurrency;
  await untilDone(durationMs + lastCallsMs, (done) => {
    const lane = (number: number): void => {
      const line = lineOf(lines, number);
      const next = (): void => {
        const now = performance.now();
        const body = now - began < durationMs ? bodies.next() : undefined;
        if (!body || body.done) {
          if (--lanes === 0) done();
          return;
        }
        call.dueMs = now;
        call.open = true;
        line.connection.unary(body.value, call);
      };
      const call = new Call(count, (failed) => {
        if (failed && !line.connection.usable) setTimeout(next, RECONNECT_AFTER_MS);
        else next();
      });
      next();
    };
    for (let number = 0; number < concurrency; number++) lane(number);
  });
  count.failed("not answered in time", lanes);
}

async function runOpen(lines: readonly Line[], load: OpenLoad, count: Count): Promise<void> {
  const { ratePerSecond, durationMs, bodies, outstandingMax, lastCallsMs = LAST_CALLS_MS } = load;
  const began = performance.now();
  let due = 0;
  let outstanding = 0;
  let sending = true;
  await untilDone(durationMs + lastCallsMs, (done) => {
    const answered = (): void => {
      if (--outstanding === 0 && !sending) done();
    };
    const send = (dueMs: number): boolean => {
      const body = bodies.next();
      if (body.done) return false;
      const call = new Call(count, answered);
      call.dueMs = dueMs;
      call.open = true;
      outstanding++;
      lineOf(lines, due).connection.unary(body.value, call);
      return true;
    };
    /** All that has become due since; timers are no finer than a millisecond. */
    const tick = (): void => {
      const passedMs = Math.min(performance.now() - began, durationMs);
      for (const dueNow = Math.floor((passedMs * ratePerSecond) / 1_000); due < dueNow && sending; due++) {
        if (outstanding >= outstandingMax) count.unsent();
        else sending = send(began + ((due + 1) * 1_000) / ratePerSecond);
      }
      sending &&= passedMs < durationMs;
      if (sending) setTimeout(tick, 1);
      else if (outstanding === 0) done();
    };
    tick();
  });
  count.failed("not answered in time", outstanding);
}
