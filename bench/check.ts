import { readFileSync } from "node:fs";
import type { Row } from "../src/cli/output.ts";

/** What a ratio may be. Ratios are of figures taken in turn in one run, so they say the same on a slow machine as on a fast one. */
export interface RatioBound {
  readonly least?: number;
  readonly most?: number;
  /** What was seen, so that whoever moves the bound knows how far it is away. */
  readonly seen: string;
}

export type Bounds = Readonly<Record<string, RatioBound>>;

export const readBounds = (): Bounds => JSON.parse(readFileSync(new URL("./bounds.json", import.meta.url), "utf8"));

export interface Compared {
  readonly ratio: string;
  readonly reached: number | undefined;
  readonly bound: RatioBound;
  readonly holds: boolean;
}

/** Each bound beside what was reached; what was not measured does not hold. */
export function compare(bounds: Bounds, ratios: Readonly<Record<string, number>>): readonly Compared[] {
  return Object.entries(bounds).map(([ratio, bound]) => {
    const reached = ratios[ratio];
    const holds = reached !== undefined && reached >= (bound.least ?? reached) && reached <= (bound.most ?? reached);
    return { ratio, reached, bound, holds };
  });
}

export const comparedRow = ({ ratio, reached, bound, holds }: Compared): Row => ({
  ratio,
  bound: [bound.least === undefined ? "" : `≥ ${bound.least}`, bound.most === undefined ? "" : `≤ ${bound.most}`]
    .filter((text) => text !== "")
    .join(", "),
  seen: bound.seen,
  reached: reached ?? "not measured",
  holds: holds ? "yes" : "NO",
});

/** The part of the benchmark that measures a ratio. */
export const sectionOf = (ratio: string): string => ratio.slice(0, ratio.indexOf("."));
