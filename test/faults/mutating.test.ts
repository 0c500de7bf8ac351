import { describe, expect, it } from "vitest";
import { bytes, mutate, text } from "../../faults/mutating.ts";
import { createRandom } from "../storage/under-load.ts";

const TIMES = 3_000;
const corpus = ['{"rules":[{"name":"a"}]}', '{"rules":[]}'];
const texts = (seed: number): readonly string[] => {
  const random = createRandom(seed);
  return Array.from({ length: TIMES }, () => mutate(text(500), corpus, random));
};

describe("what is thrown at a program", () => {
  it("is the same again from the same seed, and other from another", () => {
    expect(texts(1)).toEqual(texts(1));
    expect(texts(1)).not.toEqual(texts(2));
  });

  it("is never longer than what is read, and sometimes as long", () => {
    const lengths = texts(3).map(({ length }) => length);
    expect(Math.max(...lengths)).toBe(500);
  });

  it("is mostly something else than it came from, and of many kinds", () => {
    const drawn = texts(4);
    expect(drawn.filter((one) => corpus.includes(one)).length).toBeLessThan(TIMES / 10);
    expect(new Set(drawn).size).toBeGreaterThan(TIMES / 2);
  });

  it("has bytes of every value, and of every length up to what is read", () => {
    const random = createRandom(5);
    const drawn = Array.from({ length: TIMES }, () => mutate(bytes(64), [Buffer.from("0a0b", "hex")], random));
    expect(new Set(Buffer.concat(drawn)).size).toBe(256);
    expect(Math.max(...drawn.map(({ length }) => length))).toBe(64);
  });
});
