import { constants, type ServerHttp2Stream } from "node:http2";
import { ServiceError } from "../../core/errors.ts";
import { BriefMap, nextKey } from "./brief-map.ts";
import type { Connections } from "./connections.ts";
import { MessageArrival } from "./message-arrival.ts";
import { answerWith } from "./refusals.ts";
import type { OnShed, UnderWay } from "./shedding.ts";

export interface OpenCallLimits {
  /** How long a request may take to arrive whole, and an answer to be taken. */
  readonly receiveTimeoutMs: number;
  /** Bytes of requests that have arrived and are not answered. */
  readonly receiveBytesMax: number;
  /** Requests that have not arrived whole. */
  readonly receiveCallsMax: number;
}

export interface CallKind {
  readonly underWay: UnderWay;
  /** Has many requests, and stays open as long as its caller likes: each has to arrive whole in time. */
  readonly requestStreams?: boolean;
  /** Has many answers: it is answered when the last has been given. */
  readonly answerStreams?: boolean;
  /** Is ended by nobody but its caller. */
  readonly endless?: boolean;
}

/** Each takes some tens of microseconds. */
const CUTS_PER_TURN = 50;

export interface OpenCall {
  readonly number: number;
  readonly stream: ServerHttp2Stream;
  readonly kind: CallKind;
  /** Since when something of it has begun to arrive and is not whole. */
  arrivingSinceMs: number;
  /** What has arrived of its request; of many requests, of the one that is not whole. */
  bytes: number;
  answeredSinceMs: number | undefined;
}

/**
 * What callers keep open, and how little of it they can make the server hold: a request that does not arrive whole in time is cut, and so is an
 * answer that is not taken. Where too much has not arrived, the oldest or the longest is cut, because an honest request arrives at once.
 */
export class OpenCalls {
  readonly #limits: OpenCallLimits;
  readonly #connections: Connections;
  readonly #onShed: OnShed;
  /** By their numbers; who came first stands first. */
  readonly #arriving = new BriefMap<OpenCall>();
  readonly #underWay = new BriefMap<OpenCall>();
  #last = 0;
  #bytes = 0;
  #timeoutMs: number;
  #stopping = false;
  #cutsLeft = 0;

  constructor(limits: OpenCallLimits, connections: Connections, onShed: OnShed) {
    this.#limits = limits;
    this.#timeoutMs = limits.receiveTimeoutMs;
    this.#connections = connections;
    this.#onShed = onShed;
  }

  /** Nothing of its request is read until it is received. */
  open(stream: ServerHttp2Stream, kind: CallKind): OpenCall {
    const { session } = stream;
    this.#last = nextKey(this.#last, [this.#arriving, this.#underWay]);
    const call: OpenCall = { number: this.#last, stream, kind, arrivingSinceMs: 0, bytes: 0, answeredSinceMs: undefined };
    if (session) this.#connections.callOpened(session);
    stream.once("close", () => {
      this.#closed(call);
      if (session) this.#connections.callClosed(session);
    });
    return call;
  }

  receive(call: OpenCall): void {
    call.arrivingSinceMs = performance.now();
    if (call.kind.requestStreams) this.#openForMany(call);
    else this.#openForOne(call);
  }

  /** From now on nobody who is slow is waited for longer than that. */
  hasten(timeoutMs: number): void {
    this.#timeoutMs = Math.min(this.#timeoutMs, timeoutMs);
    this.#stopping = true;
  }

  /** Cuts what has taken too long, a part of it at a time: decisions must not wait for thousands. Whether there may be more. */
  sweep(nowMs: number): "all" | "more" {
    this.#cutsLeft = CUTS_PER_TURN;
    for (const call of this.#arriving.values()) {
      if (this.#cutsLeft === 0) return "more";
      if (nowMs - call.arrivingSinceMs >= this.#timeoutMs) this.#late(call, nowMs);
      // Refused by now: the rest of it is not waited for.
      else if (call.stream.headersSent && !call.kind.requestStreams) this.#close(call);
    }
    for (const call of this.#underWay.values()) {
      if (this.#cutsLeft === 0) return "more";
      if (call.kind.endless) this.#endIfStopping(call);
      else if (call.answeredSinceMs === undefined) this.#noteAnswer(call, nowMs);
      else if (nowMs - call.answeredSinceMs >= this.#timeoutMs) this.#cut(call, "answer_timeout");
    }
    return "all";
  }

  #late(call: OpenCall, nowMs: number): void {
    if (!(call.kind.requestStreams && call.stream.isPaused())) {
      this.#cut(call, "receive_timeout");
      return;
    }
    // What has not arrived has not been read: as many of its requests are under way as may be.
    call.arrivingSinceMs = nowMs;
    this.#arriving.delete(call.number);
    this.#arriving.set(call.number, call);
  }

  #openForOne(call: OpenCall): void {
    this.#arrives(call);
    call.stream.on("data", (chunk: Buffer) => this.#received(call, chunk.length));
    call.stream.once("end", () => {
      if (this.#arriving.delete(call.number)) this.#begins(call);
    });
  }

  #openForMany(call: OpenCall): void {
    const arrival = new MessageArrival();
    this.#begins(call);
    call.stream.on("data", (chunk: Buffer) => {
      const before = arrival.bytes;
      arrival.take(chunk);
      if (arrival.bytes > 0 && before === 0) {
        call.arrivingSinceMs = performance.now();
        this.#arrives(call);
      } else if (arrival.bytes === 0) this.#arriving.delete(call.number);
      this.#received(call, arrival.bytes - before);
    });
  }

  #arrives(call: OpenCall): void {
    this.#arriving.set(call.number, call);
    if (this.#arriving.size <= this.#limits.receiveCallsMax) return;
    this.#cut(this.#arriving.oldest ?? call, "receive_calls");
  }

  #received(call: OpenCall, bytes: number): void {
    if (call.stream.closed) return;
    call.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > this.#limits.receiveBytesMax && this.#arriving.size > 0) this.#cut(this.#longestArriving(call), "receive_bytes");
  }

  #longestArriving(otherwise: OpenCall): OpenCall {
    let longest = otherwise;
    for (const call of this.#arriving.values()) if (call.bytes > longest.bytes) longest = call;
    return longest;
  }

  #begins(call: OpenCall): void {
    this.#underWay.set(call.number, call);
    call.kind.underWay.began();
  }

  /** It is not under way any more, though its caller has not taken all of it. */
  #noteAnswer(call: OpenCall, nowMs: number): void {
    const { stream, kind } = call;
    if (!stream.headersSent) return;
    // Whoever reads many answers may take his time, but not a server's that stops.
    if (kind.answerStreams && !stream.writableEnded && !(this.#stopping && stream.writableLength > 0)) return;
    call.answeredSinceMs = nowMs;
    call.kind.underWay.ended();
  }

  #endIfStopping(call: OpenCall): void {
    if (this.#stopping) this.#close(call);
  }

  #closed(call: OpenCall): void {
    this.#bytes -= call.bytes;
    call.bytes = 0;
    this.#arriving.delete(call.number);
    if (this.#underWay.delete(call.number) && call.answeredSinceMs === undefined) call.kind.underWay.ended();
  }

  #cut(call: OpenCall, reason: keyof typeof CUTS): void {
    this.#onShed(reason);
    answerWith(call.stream, CUTS[reason]);
    this.#close(call);
  }

  #close(call: OpenCall): void {
    this.#cutsLeft--;
    this.#closed(call);
    call.stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

const CUTS = {
  receive_timeout: new ServiceError("REQUEST_TIMED_OUT", "the request did not arrive whole in time; send it again"),
  answer_timeout: new ServiceError("REQUEST_TIMED_OUT", "the answer was not taken in time; ask again"),
  receive_calls: new ServiceError("OVERLOADED", "too many requests have not arrived whole; send it again at once", { limit: "receive_calls" }),
  receive_bytes: new ServiceError("OVERLOADED", "too many bytes of requests are held; retry after a moment", { limit: "receive_bytes" }),
} as const;
