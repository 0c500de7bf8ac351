import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { rounded } from "./statistics.ts";

/** What the figures were taken on; without it they say nothing. */
export interface Hardware {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  /** Before the run began: above 0.5 or so, other work disturbed the figures. */
  readonly loadAverage: number;
}

export function readHardware(): Hardware {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: rounded(totalmem() / 2 ** 30, 1),
    system: `${type()} ${release()}`,
    node: process.version,
    loadAverage: rounded(loadavg()[0] ?? 0, 2),
  };
}
