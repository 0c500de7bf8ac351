import type { Http2Server, Http2Session } from "node:http2";
import type { OnShed } from "./shedding.ts";

export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** How long a connection may take to say that it speaks HTTP/2. */
  readonly receiveTimeoutMs: number;
}

/** Accepted beyond the limit for as long as it takes to close those that make room. */
const CLOSING_MAX = 64;

/**
 * The connections of a server: bounded, and one without calls makes room for a new one, so that nobody can lock others out by holding connections
 * open. First go those that have never had a call, then those whose last ended longest ago.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #onShed: OnShed;
  readonly #open = new Map<Http2Session, { calls: number }>();
  /** Both in the order in which they began to be so. */
  readonly #unused = new Set<Http2Session>();
  readonly #idle = new Set<Http2Session>();
  readonly #greeting = new Map<Http2Session, number>();

  constructor(limits: ConnectionLimits, onShed: OnShed) {
    this.#limits = limits;
    this.#onShed = onShed;
  }

  get size(): number {
    return this.#open.size;
  }

  watch(server: Http2Server): void {
    // What comes faster than room can be made is closed without a session being made for it.
    server.maxConnections = this.#limits.connectionsMax + CLOSING_MAX;
    server.on("drop", () => this.#onShed("connections"));
    server.on("session", (session) => this.#opened(session));
  }

  callOpened(session: Http2Session): void {
    const connection = this.#open.get(session);
    if (connection && connection.calls++ === 0) this.#leaveIdle(session);
  }

  callClosed(session: Http2Session): void {
    const connection = this.#open.get(session);
    if (connection && --connection.calls === 0) this.#idle.add(session);
  }

  /** Closes what has not begun to speak HTTP/2 in time. */
  sweep(nowMs: number): void {
    for (const [session, sinceMs] of this.#greeting) {
      if (nowMs - sinceMs < this.#limits.receiveTimeoutMs) return;
      this.#shed(session, "receive_timeout");
    }
  }

  /** Cuts every connection, with whatever is under way on it. */
  destroyAll(): void {
    for (const session of this.#open.keys()) session.destroy();
  }

  #opened(session: Http2Session): void {
    this.#open.set(session, { calls: 0 });
    this.#unused.add(session);
    this.#greeting.set(session, performance.now());
    session.once("remoteSettings", () => this.#greeting.delete(session));
    session.once("close", () => this.#closed(session));
    if (this.#open.size <= this.#limits.connectionsMax) return;
    const [longest = session] = this.#unused.size > 1 ? this.#unused : this.#idle;
    this.#shed(longest, "connections");
  }

  #shed(session: Http2Session, reason: "connections" | "receive_timeout"): void {
    this.#onShed(reason);
    this.#closed(session);
    // Without an error: an honest caller just connects again.
    session.destroy();
  }

  #closed(session: Http2Session): void {
    this.#open.delete(session);
    this.#greeting.delete(session);
    this.#leaveIdle(session);
  }

  #leaveIdle(session: Http2Session): void {
    this.#unused.delete(session);
    this.#idle.delete(session);
  }
}
