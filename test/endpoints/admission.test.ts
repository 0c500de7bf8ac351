import { describe, expect, it } from "vitest";
import { Admission } from "../../src/endpoints/grpc/admission.ts";

const AGE_MAX_MS = 20;

function admitting(queuedForMs = () => 0) {
  const begun: number[] = [];
  const refused: number[] = [];
  let nowMs = 0;
  const admission = new Admission({ queueAgeMaxMs: AGE_MAX_MS, queuedForMs, nowMs: () => nowMs });
  const ask = (number: number, weight = 1) => admission.ask({ begin: () => begun.push(number), refuse: () => refused.push(number) }, weight);
  const growOld = (times = 1) => {
    nowMs += times * AGE_MAX_MS + 1;
  };
  return { begun, refused, ask, growOld };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe("calls that come together", () => {
  it("are begun at once, 256 of them; the others in the turns that follow, in order", async () => {
    const { begun, ask } = admitting();
    for (const number of numbers(0, 600)) ask(number);
    expect(begun).toEqual(numbers(0, 256));
    await turn();
    expect(begun).toEqual(numbers(0, 512));
    await turn();
    expect(begun).toEqual(numbers(0, 600));
    ask(600);
    expect(begun).toHaveLength(601);
  });

  it("count as much as they weigh", async () => {
    const { begun, ask } = admitting();
    for (const number of numbers(0, 10)) ask(number, 64);
    expect(begun).toEqual(numbers(0, 4));
  });

  it("are passed over if their caller has given up", async () => {
    const { begun, ask } = admitting();
    const giveUps = numbers(0, 300).map((number) => ask(number));
    giveUps[280]?.();
    await turn();
    expect(begun).toEqual(numbers(0, 300).filter((number) => number !== 280));
  });
});

describe("once the first has waited too long", () => {
  it("what comes is refused at once, but no more than is begun", async () => {
    const { begun, refused, ask, growOld } = admitting();
    for (const number of numbers(0, 1_000)) ask(number);
    growOld();
    for (const number of numbers(1_000, 1_400)) ask(number);
    expect(refused).toEqual(numbers(1_000, 1_256));
    await turn();
    // What could not be refused then: the newest first.
    expect(begun).toHaveLength(512);
    expect(refused).toEqual(numbers(1_000, 1_256));
  });

  it("it is passed over for what came later, and begun after it, the last first, or refused, the first first", async () => {
    const { begun, refused, ask, growOld } = admitting();
    for (const number of numbers(0, 260)) ask(number);
    growOld();
    await turn();
    expect(begun).toEqual([...numbers(0, 256), ...numbers(256, 260).reverse()]);
    for (const number of numbers(300, 1_000)) ask(number);
    growOld();
    await turn();
    expect(begun.slice(260)).toEqual([...numbers(300, 552), ...numbers(744, 1_000).reverse()]);
    for (const number of numbers(2_000, 2_700)) ask(number);
    await turn();
    expect(begun.slice(768)).toEqual(numbers(2_000, 2_256));
    expect(refused).toEqual(numbers(552, 744));
  });

  it("what is held is begun when nothing else waits, the last first", async () => {
    const { begun, refused, ask, growOld } = admitting();
    for (const number of numbers(0, 300)) ask(number);
    growOld();
    for (const number of numbers(300, 700)) ask(number);
    await turn();
    await turn();
    expect(refused).toEqual(numbers(300, 556));
    expect(begun).toEqual([...numbers(0, 256), ...numbers(256, 300).reverse(), ...numbers(556, 700).reverse()]);
  });
});

describe("what has waited half as long again", () => {
  it("is refused, even if there is time for it", async () => {
    const { begun, refused, ask, growOld } = admitting();
    for (const number of numbers(0, 260)) ask(number);
    growOld(1.5);
    await turn();
    expect(begun).toEqual(numbers(0, 256));
    expect(refused).toEqual(numbers(256, 260));
  });
});

describe("while the disk takes nothing", () => {
  it("nothing is begun, and whoever has waited too long is told", async () => {
    let queuedMs = 100;
    const { begun, refused, ask, growOld } = admitting(() => queuedMs);
    for (const number of numbers(0, 3)) ask(number);
    await turn();
    expect([begun, refused]).toEqual([[], []]);
    growOld();
    while (refused.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    expect([begun, refused]).toEqual([[], [0, 1, 2]]);
    ask(3);
    queuedMs = 0;
    while (begun.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(begun).toEqual([3]);
  });
});
