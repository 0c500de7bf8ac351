import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Instant, instant } from "../../core/words.ts";
import { malformed, tooBig } from "./convert.ts";

const REASON_BYTES_MAX = 1_024;
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Why somebody does something; undefined if nobody says. @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG */
export function readReason(text: string, field: "reason" | "comment" = "reason"): string | undefined {
  if (Buffer.byteLength(text) > REASON_BYTES_MAX) throw tooBig(field, `${field}_bytes`, `is longer than ${REASON_BYTES_MAX} bytes`);
  if (UNFIT.test(text)) throw malformed(field, "holds a control or invisible character; write it in one line");
  const trimmed = text.trim();
  return trimmed === "" ? undefined : trimmed;
}

/** 9999-12-31T23:59:59Z, the last second that a Timestamp may hold. */
const SECONDS_MAX = 253_402_300_799n;

/** A part of a millisecond counts for whatever keeps what is given shortest, and what is taken away longest. @throws {ServiceError} REQUEST_MALFORMED */
export function readInstant(field: string, { seconds, nanos }: Timestamp, rounded: "up" | "down"): Instant {
  if (seconds < 0n || seconds > SECONDS_MAX || nanos < 0 || nanos > 999_999_999) throw malformed(field, "is no time from 1970 to 9999");
  const ms = nanos / 1_000_000;
  return instant(Number(seconds) * 1_000 + (rounded === "up" ? Math.ceil(ms) : Math.floor(ms)));
}
