/** Draws a whole number from 0 up to, and not including, what it is given. */
export type Random = (below: number) => number;

const PARTS_MAX = 6;
const REPEATS_MAX = 2_000;

/** What can befall a sequence of anything: a part is lost, doubled, moved elsewhere, repeated without end, or replaced by something odd. */
export interface Mutable<T> {
  readonly bytesMax: number;
  length(value: T): number;
  slice(value: T, from: number, to: number): T;
  join(parts: readonly T[]): T;
  /** Something that is seldom thought of. */
  odd(random: Random): T;
}

export function mutate<T>(of: Mutable<T>, corpus: readonly T[], random: Random): T {
  let value = pick(corpus, random);
  const times = 1 + random(PARTS_MAX);
  for (let time = 0; time < times; time++) value = mishap(of, value, { corpus, random });
  return of.length(value) > of.bytesMax ? of.slice(value, 0, of.bytesMax) : value;
}

export function pick<T>(corpus: readonly T[], random: Random): T {
  const picked = corpus[random(corpus.length)];
  if (picked === undefined) throw new RangeError("there is nothing to pick from");
  return picked;
}

interface Drawn<T> {
  readonly corpus: readonly T[];
  readonly random: Random;
}

function mishap<T>(of: Mutable<T>, value: T, { corpus, random }: Drawn<T>): T {
  const length = of.length(value);
  const from = random(length + 1);
  const to = Math.min(length, from + random(random(4) === 0 ? length + 1 : 12));
  const [before, part, behind] = [of.slice(value, 0, from), of.slice(value, from, to), of.slice(value, to, length)];
  switch (random(8)) {
    case 0:
      return of.join([before, behind]);
    case 1:
      return of.join([before, part, part, behind]);
    case 2:
      return of.join([part, before, behind]);
    case 3: {
      const most = Math.floor(of.bytesMax / Math.max(1, of.length(part)));
      const repeats = random(16) === 0 ? Math.min(REPEATS_MAX, most) : random(8);
      return of.join([before, ...Array.from({ length: repeats }, () => part), behind]);
    }
    case 4: {
      const other = pick(corpus, random);
      return of.join([before, of.slice(other, random(of.length(other) + 1), of.length(other))]);
    }
    default:
      return of.join([before, of.odd(random), behind]);
  }
}

export const bytes = (bytesMax: number): Mutable<Buffer> => ({
  bytesMax,
  length: ({ length }) => length,
  slice: (value, from, to) => value.subarray(from, to),
  join: (parts) => Buffer.concat(parts),
  odd: (random) => {
    const edges = [0x00, 0x01, 0x7f, 0x80, 0xff];
    return Buffer.from(Array.from({ length: 1 + random(8) }, () => (random(2) === 0 ? pick(edges, random) : random(256))));
  },
});

const ODD_TEXTS: readonly string[] = [
  ...['"', "\\", "{", "}", "[", "]", ":", ",", "null", "true", "-0", "1e999", "-1", "0.1", "9007199254740993", "1e-400", '""', "{}", "[]"],
  ...[
    '"__proto__":',
    '"constructor":',
    "\u0000",
    "\ud800",
    "\u202e",
    "\ufeff",
    "\u{1f600}",
    "é",
    " ",
    "\n",
    "\\u0000",
    "\\ud800",
    "*",
    "**",
    ".",
    "..",
    "$.",
  ],
  ...['{"all":[', '{"any":[', '{"not":', '{"condition":"c"}', '"fact":', '"operator":', '"value":', '"path":', '"params":', '"points":', '"name":'],
];

export const text = (bytesMax: number, more: readonly string[] = []): Mutable<string> => ({
  bytesMax,
  length: ({ length }) => length,
  slice: (value, from, to) => value.slice(from, to),
  join: (parts) => parts.join(""),
  odd: (random) => {
    const odd = pick([...ODD_TEXTS, ...more], random);
    return random(64) === 0 ? odd.repeat(1 + random(REPEATS_MAX)) : odd;
  },
});
