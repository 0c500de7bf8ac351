import type { Fault } from "./fault.ts";

/** In the order in which they are struck. */
export const FAULTS: readonly Fault[] = [];
