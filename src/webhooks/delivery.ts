import type { Clock } from "../core/ports.ts";
import type { WebhookMessage } from "./message.ts";
import { signedHeaders } from "./signing.ts";

export interface DeliveryOptions {
  readonly url: string;
  readonly key: Buffer;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Hands one message to the receiver. @throws {Error} unless that answered with 2xx in time */
export type Deliver = (message: WebhookMessage, given: AbortSignal) => Promise<void>;

export const createDelivery =
  ({ url, key, clock, timeoutMs }: DeliveryOptions): Deliver =>
  async ({ id, body }, given) => {
    const timestampSeconds = Math.floor(clock.now() / 1_000);
    const response = await fetch(url, {
      method: "POST",
      // A message goes where the operator said, and nowhere else.
      redirect: "manual",
      headers: { "content-type": "application/json", "user-agent": "behest", ...signedHeaders(key, { id, timestampSeconds, body }) },
      body,
      signal: AbortSignal.any([given, AbortSignal.timeout(timeoutMs)]),
    });
    // Its head says all that there is to know: however much follows, none of it is read.
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  };

/** Why a delivery failed, in words for the log: never more of the URL than where it leads, because the rest can be a secret. */
export function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return "nobody knows why";
  const { cause } = error;
  if (error.name === "TimeoutError") return "it did not answer in time";
  if (cause instanceof Error) return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
  return error.message;
}
