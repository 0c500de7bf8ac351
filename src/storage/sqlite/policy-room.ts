import { ServiceError } from "../../core/errors.ts";
import type { Room } from "./messages.ts";

/** Before anything is written: what is refused here has cost nothing. @throws {ServiceError} DISK_FULL */
export function refuseWithoutRoom({ neededBytes, freeBytes }: Room): void {
  if (neededBytes <= freeBytes) return;
  const [needed, free] = [neededBytes, freeBytes].map((bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`);
  throw new ServiceError(
    "DISK_FULL",
    `the policy does not fit on the disk: recording it takes ${needed} and ${free} are free; make room or make it smaller`,
  );
}
