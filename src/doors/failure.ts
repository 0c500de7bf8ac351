import { ServiceError } from "../core/errors.ts";
import type { Failure } from "./messages.ts";

/** Thrown for what the owner has told its own log of. */
export class OwnerFailed extends Error {}

/** What a door is told of an error. What we did not throw ourselves stays here. */
export function failureOf(error: unknown, onInternalError: (error: unknown) => void): Failure {
  if (error instanceof ServiceError) return { code: error.code, message: error.message, detail: error.detail };
  onInternalError(error);
  return "internal";
}

/** The same, as it is thrown in a door. */
export const errorOf = (failure: Failure): Error =>
  failure === "internal" ? new OwnerFailed("the owner failed") : new ServiceError(failure.code, failure.message, failure.detail);
