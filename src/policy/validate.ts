import type { Policy } from "../core/policy.ts";
import { inSlices, type Slicing } from "../core/steps.ts";
import { type Complaint, PolicyInvalid } from "./complaints.ts";
import { takePolicyFiles } from "./files.ts";
import { compileSteps } from "./load.ts";
import type { PolicyFiles } from "./walk.ts";

export interface Validated {
  /** Absent if the policy would be refused. */
  readonly digest?: string;
  readonly complaints: readonly Complaint[];
}

const DIRECTORY = "rules";

/** What a server would say of these files, without loading them. */
export async function validatePolicy(files: PolicyFiles, slicing: Slicing): Promise<Validated> {
  const complaints: Complaint[] = [];
  const taken = takePolicyFiles(files, DIRECTORY, complaints);
  if (complaints.length > 0) return { complaints };
  try {
    const { policy, warnings } = await inSlices(compileSteps(taken, DIRECTORY), slicing);
    return { digest: policy.digest, complaints: warnings };
  } catch (error) {
    if (error instanceof PolicyInvalid) return { complaints: error.complaints };
    throw error;
  }
}

/** A policy as it was stored; undefined if this version would refuse it. */
export async function compileStored(files: PolicyFiles, slicing: Slicing): Promise<Policy | undefined> {
  try {
    return (await inSlices(compileSteps(files, DIRECTORY), slicing)).policy;
  } catch (error) {
    if (error instanceof PolicyInvalid) return undefined;
    throw error;
  }
}
