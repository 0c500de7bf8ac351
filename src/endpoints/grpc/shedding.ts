import { ServiceError } from "../../core/errors.ts";

/** Why something was not taken, or was cut before it was done: what it was. */
export const SHED_REASONS = {
  in_flight: "a decision: as many are being made as may be",
  queue_age: "a decision: what waits for the disk has waited too long",
  loop_age: "a decision: what arrived with it has kept the server busy for too long",
  calls: "another call: as many of its kind are under way as may be",
  compressed: "a call whose messages may be compressed",
  receive_timeout: "a request, or the greeting of a connection, that did not arrive whole in time",
  receive_calls: "the oldest request that had not arrived whole, because there were too many",
  receive_bytes: "the longest request that had not arrived whole, because all of them were too long together",
  answer_timeout: "an answer that its caller did not take in time",
  connections: "a connection: one without calls that made room, or one for which there was none",
} as const;

export type ShedReason = keyof typeof SHED_REASONS;

export type OnShed = (reason: ShedReason) => void;

/** Calls of one kind that are under way: their requests have arrived whole, and they are not answered. */
export interface UnderWay {
  /** Why another is not begun, for its caller; told of if so. */
  refusal(): ServiceError | undefined;
  began(): void;
  ended(): void;
}

export interface SheddingPorts {
  readonly decisionsInFlightMax: number;
  readonly queueAgeMaxMs: number;
  /** How long the oldest decision has waited to be given to the disk. */
  readonly queuedForMs: () => number;
  readonly onShed: OnShed;
}

/**
 * Whether a decision is begun at all: asked before anything of its message is looked at, because whoever sheds has to be much faster than whoever
 * decides. Items of a stream wait in sockets, where they cannot be seen; but whatever a server finds there it works off before it looks again, so one
 * that it comes to late in such a round has waited as long as the round has lasted.
 */
export class Shedding implements UnderWay {
  readonly #ports: SheddingPorts;
  #inFlight = 0;
  #roundSinceMs: number | undefined;

  constructor(ports: SheddingPorts) {
    this.#ports = ports;
  }

  began(): void {
    this.#inFlight++;
  }

  ended(): void {
    this.#inFlight--;
  }

  refusal(): ServiceError | undefined {
    const reason = this.#reason();
    return reason && this.#told(reason);
  }

  /** The same for a call of its own, that can wait until it is begun. */
  refusalIfFull(): ServiceError | undefined {
    return this.#inFlight >= this.#ports.decisionsInFlightMax ? this.#told("in_flight") : undefined;
  }

  /** For one that has waited too long. */
  refusalOfLate(): ServiceError {
    return this.#told("queue_age");
  }

  #told(reason: keyof typeof REFUSALS): ServiceError {
    this.#ports.onShed(reason);
    return REFUSALS[reason];
  }

  #reason(): keyof typeof REFUSALS | undefined {
    const { decisionsInFlightMax, queueAgeMaxMs, queuedForMs } = this.#ports;
    if (this.#inFlight >= decisionsInFlightMax) return "in_flight";
    if (queuedForMs() > queueAgeMaxMs) return "queue_age";
    return this.#roundMs() > queueAgeMaxMs ? "loop_age" : undefined;
  }

  #roundMs(): number {
    const nowMs = performance.now();
    if (this.#roundSinceMs === undefined) {
      this.#roundSinceMs = nowMs;
      setImmediate(() => {
        this.#roundSinceMs = undefined;
      });
    }
    return nowMs - this.#roundSinceMs;
  }
}

/** Calls that are not decisions, at most so many at once. */
export function createCallCount(callsMax: number, onShed: OnShed): UnderWay {
  const refusal = overloaded(`${callsMax} calls of this kind are under way`, "calls");
  let count = 0;
  return {
    refusal() {
      if (count < callsMax) return undefined;
      onShed("calls");
      return refusal;
    },
    began: () => count++,
    ended: () => count--,
  };
}

const overloaded = (why: string, limit: string): ServiceError => new ServiceError("OVERLOADED", `${why}; retry after a moment`, { limit });

const REFUSALS = {
  in_flight: overloaded("too many decisions are being made", "decisions_in_flight"),
  queue_age: overloaded("decisions have waited too long", "queue_age"),
  loop_age: overloaded("decisions have waited too long to be begun", "queue_age"),
} as const;
