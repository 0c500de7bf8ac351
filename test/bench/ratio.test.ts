import { expect, it } from "vitest";
import { ratioOf, type ServerFigures } from "../../bench/measure.ts";

const measured = (rates: readonly number[]): ServerFigures => ({
  perSecond: 0,
  mainThreadUs: 0,
  processUs: 0,
  p50Ms: 0,
  p95Ms: 0,
  p99Ms: 0,
  repetitions: rates,
  rates,
  othersPercent: 0,
  failed: 0,
});

it("compares each repetition with the one beside it, however fast the machine was then", () => {
  const [over, under] = [measured([1_000, 4_000, 1_200]), measured([2_000, 8_000, 2_000])];
  // Of the medians it is 0.6, because the machine was four times as fast for a while.
  expect(ratioOf(over, under, "rates")).toBe(0.5);
  expect(ratioOf(measured([1_000, 4_000]), measured([2_000, 4_000]), "repetitions")).toBe(0.75);
});

it("says that there is nothing to compare", () => {
  expect(ratioOf(undefined, measured([1]), "rates")).toBeNaN();
  expect(ratioOf(measured([1]), undefined, "rates")).toBeNaN();
  expect(() => ratioOf(measured([1, 2]), measured([1]), "rates")).toThrow(RangeError);
});
