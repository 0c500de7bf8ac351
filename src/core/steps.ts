/** Work that can pause between its steps, each of them short: whoever must answer others meanwhile takes it in slices. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does all of it at once. */
export function toEnd<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

export interface Slicing {
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
  /** Everything else has its turn after so many milliseconds. */
  readonly sliceMs: number;
}

/** Does it a slice at a time, and lets everything else that waits have its turn in between. */
export async function inSlices<T>(steps: Steps<T>, { now, sliceMs }: Slicing): Promise<T> {
  for (;;) {
    const until = now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (now() < until);
    await new Promise((resume) => setImmediate(resume));
  }
}
