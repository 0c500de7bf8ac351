import { expect, it } from "vitest";
import { createLedgerClock } from "../src/clock.ts";
import { instant } from "../src/core/words.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A machine: time that passes, and what its clock makes of it. */
function machine() {
  let elapsedMs = 5;
  let offsetMs = Date.UTC(2026, 0, 5);
  const clock = createLedgerClock({ machine: { now: () => instant(Math.floor(offsetMs + elapsedMs)) }, elapsedMs: () => elapsedMs });
  return {
    clock,
    shown: () => Math.floor(offsetMs + elapsedMs),
    pass: (ms: number) => {
      elapsedMs += ms;
    },
    step: (ms: number) => {
      offsetMs += ms;
    },
  };
}

it("is the machine's clock as long as nobody puts that back", () => {
  const { clock, pass, step, shown } = machine();
  for (const ms of [0, 1, 0.3, 0.4, 0.5, 16.7, HOUR]) {
    pass(ms);
    expect(clock.now()).toBe(shown());
    expect(clock.ahead()).toBe(0);
  }
  step(DAY);
  expect(clock.now()).toBe(shown());
  expect(clock.ahead()).toBe(0);
});

it("is not ahead of a machine's clock that shows its milliseconds a moment later", () => {
  let ms = 0;
  const clock = createLedgerClock({ machine: { now: () => instant(Math.floor(ms + 0.4)) }, elapsedMs: () => ms });
  const aheads = new Set<number>();
  for (; ms < 40; ms += 0.3) {
    clock.now();
    aheads.add(clock.ahead());
  }
  expect([...aheads]).toEqual([0]);
});

it.each([
  { says: "a second", back: 1_000 },
  { says: "an hour", back: HOUR },
  { says: "a day", back: DAY },
])("goes on at the pace of time when the machine's is put back by $says, and says by how much it is ahead", ({ back }) => {
  const { clock, pass, step } = machine();
  const before = clock.now();
  step(-back);
  expect(clock.now()).toBe(before);
  pass(700);
  expect(clock.now()).toBe(before + 700);
  expect(clock.ahead()).toBe(back);
});

it("counts the time that passes between two looks at it, also if the machine's clock is put back meanwhile", () => {
  const { clock, pass, step } = machine();
  const before = clock.now();
  pass(10 * HOUR);
  step(-HOUR);
  pass(HOUR);
  expect(clock.now()).toBe(before + 11 * HOUR);
});

it("is the machine's again once that has caught up", () => {
  const { clock, step, shown } = machine();
  step(-HOUR);
  clock.now();
  step(HOUR + 3_000);
  expect(clock.now()).toBe(shown());
  expect(clock.ahead()).toBe(0);
});

it("comes out of step by no more than one step however often the machine's is put back and forth", () => {
  const { clock, step, pass } = machine();
  for (let time = 0; time < 1_000; time++) {
    step(time % 2 === 0 ? -1_000 : 1_000);
    pass(1);
    clock.now();
  }
  expect(clock.ahead()).toBe(0);
});

it("goes on from what was recorded before", () => {
  const { clock, pass, shown } = machine();
  const recorded = instant(shown() + DAY);
  clock.notBefore(recorded);
  expect(clock.now()).toBe(recorded);
  expect(clock.ahead()).toBe(DAY);
  pass(20);
  expect(clock.now()).toBe(recorded + 20);
  clock.notBefore(instant(recorded - HOUR));
  expect(clock.now()).toBe(recorded + 20);
});
