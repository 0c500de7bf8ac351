import { ServiceError } from "./errors.ts";

/** Lets one piece of work through at a time. */
export interface Turnstile {
  /** Begins when all before it have ended. @throws {ServiceError} OVERLOADED when too many wait already. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createTurnstile(what: string, waitingMax: number): Turnstile {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async alone(work) {
      if (waiting >= waitingMax) throw new ServiceError("OVERLOADED", `${waiting} ${what} wait already; retry after a moment`, { limit: what });
      waiting++;
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
  };
}
