import { clock } from "./clock.ts";
import { diskFull } from "./disk-full.ts";
import { drain } from "./drain.ts";
import type { Fault } from "./fault.ts";
import { fuzz } from "./fuzz.ts";
import { ioErrors } from "./io-errors.ts";
import { kill } from "./kill.ts";
import { overload } from "./overload.ts";
import { powerCut } from "./power-cut.ts";
import { slowDisk } from "./slow-disk.ts";
import { soak } from "./soak.ts";
import { wireAbuse } from "./wire-abuse.ts";

/** In the order in which they are struck. */
export const FAULTS: readonly Fault[] = [kill, powerCut, diskFull, ioErrors, slowDisk, clock, overload, wireAbuse, drain, soak, fuzz];
