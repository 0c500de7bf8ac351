import type { Row } from "../src/cli/output.ts";
import type { Stage } from "./processes.ts";

/** How long to measure: `full` for figures that are told, `quick` with more noise, `check` for the ratios alone. */
export type Scale = "full" | "quick" | "check";

export interface Bench {
  readonly scale: Scale;
  readonly stage: Stage;
  /** Says what is being done, to whoever watches. */
  readonly tell: (what: string) => void;
  /** Says what whoever reads the figures must know, whether or not anybody watches. */
  readonly warn: (what: string) => void;
}

/** One part of the benchmark. */
export interface Section {
  readonly name: string;
  readonly says: string;
  run(bench: Bench): Promise<SectionReport>;
}

export interface SectionReport {
  /** Everything that was measured. */
  readonly figures: unknown;
  readonly tables: readonly Table[];
  readonly musts: readonly Must[];
  /** What other work took of the machine meanwhile, the median; above 5 or so the figures are of a disturbed machine. Absent where it does not matter. */
  readonly othersPercent?: number;
  /** What does not depend on how fast the machine is, by name: for `--check`. */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Something that has to be so, and whether it was. */
export interface Must {
  readonly what: string;
  readonly must: string;
  readonly goal?: string;
  readonly reached: string;
  readonly holds: boolean;
}

interface Bound {
  readonly what: string;
  readonly reached: number;
  readonly unit?: string;
  readonly least?: number;
  readonly most?: number;
  readonly goal?: number;
}

export function must({ what, reached, unit = "", least, most, goal }: Bound): Must {
  const sign = least === undefined ? "≤" : "≥";
  const bound = least ?? most ?? Number.NaN;
  return {
    what,
    must: `${sign} ${bound}${unit}`,
    ...(goal !== undefined && { goal: `${sign} ${goal}${unit}` }),
    reached: `${reached}${unit}`,
    holds: least === undefined ? reached <= bound : reached >= bound,
  };
}
