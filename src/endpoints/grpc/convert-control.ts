import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ListedSuspensions, ResumeRequest, SuspendRequest } from "../../core/control.ts";
import type { EndedSuspension, Suspension, SuspensionKind } from "../../core/suspensions.ts";
import { type Instant, instant } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/control_pb.ts";
import { FieldReader, malformed, type RequestLimits, timestamp, tooBig } from "./convert.ts";

const KINDS: Readonly<Record<SuspensionKind, wire.SuspensionKind>> = {
  all: wire.SuspensionKind.ALL,
  tenant: wire.SuspensionKind.TENANT,
  agent: wire.SuspensionKind.AGENT,
  principal: wire.SuspensionKind.PRINCIPAL,
  tool: wire.SuspensionKind.TOOL,
  effect: wire.SuspensionKind.EFFECT,
  task: wire.SuspensionKind.TASK,
};

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function suspendFromWire({ kind, value, reason, until }: wire.SuspendRequest, limits: RequestLimits): SuspendRequest {
  const word = (Object.keys(KINDS) as SuspensionKind[]).find((name) => KINDS[name] === kind);
  if (!word)
    throw malformed(
      "kind",
      `is \`${kind}\`: write ${Object.keys(KINDS)
        .join(", ")
        .toUpperCase()
        .replace(/, (?=[^,]*$)/, " or ")}`,
    );
  const why = readReason(reason);
  if (why === undefined) throw malformed("reason", "is missing: whoever is stopped, and whoever may end it, needs to know why");
  return {
    kind: word,
    value: new FieldReader(limits).optionalIdentifier("value", value) ?? "",
    reason: why,
    ...(until && { until: readInstant("until", until) }),
  };
}

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function resumeFromWire({ suspensionId, reason }: wire.ResumeRequest, limits: RequestLimits): ResumeRequest {
  const why = readReason(reason);
  return { id: new FieldReader(limits).identifier("suspension_id", suspensionId), ...(why !== undefined && { reason: why }) };
}

const REASON_BYTES_MAX = 1_024;
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function readReason(text: string): string | undefined {
  if (Buffer.byteLength(text) > REASON_BYTES_MAX) throw tooBig("reason", "reason_bytes", `is longer than ${REASON_BYTES_MAX} bytes`);
  if (UNFIT.test(text)) throw malformed("reason", "holds a control or invisible character; write it in one line");
  const trimmed = text.trim();
  return trimmed === "" ? undefined : trimmed;
}

/** 9999-12-31T23:59:59Z, the last second that a Timestamp may hold. */
const SECONDS_MAX = 253_402_300_799n;

/** Rounded up: what is suspended must not be free a moment early. */
function readInstant(field: string, { seconds, nanos }: Timestamp): Instant {
  if (seconds < 0n || seconds > SECONDS_MAX || nanos < 0 || nanos > 999_999_999) throw malformed(field, "is no time from 1970 to 9999");
  return instant(Number(seconds) * 1_000 + Math.ceil(nanos / 1_000_000));
}

type SuspensionInit = MessageInitShape<typeof wire.SuspensionSchema>;

export const suspensionToWire = ({ id, kind, value, tenant, reason, by, at, until }: Suspension): SuspensionInit => ({
  suspensionId: id,
  kind: KINDS[kind],
  value,
  tenant,
  reason,
  suspendedBy: by,
  suspendedAt: timestamp(at),
  ...(until !== undefined && { until: timestamp(until) }),
});

export const endedToWire = ({ suspension, endedAt, endedBy = "", endedBecause = "" }: EndedSuspension): SuspensionInit => ({
  ...suspensionToWire(suspension),
  endedAt: timestamp(endedAt),
  endedBy,
  endedBecause,
});

export const listToWire = ({ holding, holdingTotal, ended }: ListedSuspensions): wire.ListSuspensionsResponse =>
  create(wire.ListSuspensionsResponseSchema, {
    suspensions: [...holding.map(suspensionToWire), ...ended.map(endedToWire)],
    holdingTotal,
  });
