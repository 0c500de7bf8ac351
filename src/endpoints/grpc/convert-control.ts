import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ListedSuspensions, ResumeRequest, SuspendRequest } from "../../core/control.ts";
import type { EndedSuspension, Suspension, SuspensionKind } from "../../core/suspensions.ts";
import * as wire from "../../gen/behest/v1/control_pb.ts";
import { FieldReader, malformed, type RequestLimits, timestamp } from "./convert.ts";
import { readInstant, readReason } from "./convert-fields.ts";

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
    // What is suspended must not be free a moment early.
    ...(until && { until: readInstant("until", until, "up") }),
  };
}

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function resumeFromWire({ suspensionId, reason }: wire.ResumeRequest, limits: RequestLimits): ResumeRequest {
  const why = readReason(reason);
  return { id: new FieldReader(limits).identifier("suspension_id", suspensionId), ...(why !== undefined && { reason: why }) };
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
