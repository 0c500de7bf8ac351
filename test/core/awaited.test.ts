import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, it } from "vitest";
import { AWAITED_MAX, awaitCall, createAwaited, crowdedOut, endAwaiting } from "../../src/core/tasks/awaited.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";

it("gives up on the oldest call that was not reported, whichever were reported meanwhile", () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant("allow" as const) }, fc.nat({ max: AWAITED_MAX + 20 })), {
    minLength: AWAITED_MAX,
    maxLength: 4 * AWAITED_MAX,
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const awaited = createAwaited();
      const expected: number[] = [];
      let number = 0;
      for (const step of taken) {
        if (step === "allow") {
          const oldest = expected.length < AWAITED_MAX ? undefined : expected.shift();
          expect(crowdedOut(awaited)?.at).toBe(oldest);
          expect(awaitCall(awaited, String(number), { at: instant(number), worst: NOTHING_SEEN })?.at).toBe(oldest);
          expected.push(number++);
        } else {
          const [reported] = expected.splice(step % Math.max(1, expected.length), 1);
          if (reported !== undefined) endAwaiting(awaited, String(reported));
        }
      }
      expect([...awaited.calls].map(([, { at }]) => at)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

it("holds no more for calls that came and were reported, after it had to give up on some", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const awaited = createAwaited();
  let number = 0;
  const allow = (): unknown => awaitCall(awaited, String(number++), { at: instant(number), worst: NOTHING_SEEN });
  const heldBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  while (number < AWAITED_MAX + 50) allow();
  // In their order: what is reported is the oldest each time.
  let reported = number - AWAITED_MAX;
  endAwaiting(awaited, String(reported++));
  const before = heldBytes();
  for (let round = 0; round < 200_000; round++) {
    allow();
    endAwaiting(awaited, String(reported++));
  }
  expect(awaited.calls.size).toBe(AWAITED_MAX - 1);
  expect(heldBytes() - before).toBeLessThan(4 * 1024 * 1024);
});
