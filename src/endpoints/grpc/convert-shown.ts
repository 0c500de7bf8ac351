import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ShownApproval } from "../../core/approvals/keeper.ts";
import { type Difference, type ShownArgument, shown } from "../../core/approvals/show.ts";
import type { Policy } from "../../core/policy.ts";
import type { Hop } from "../../core/request.ts";
import type { PrincipalType } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/approval_pb.ts";
import { PrincipalType as WirePrincipalType } from "../../gen/behest/v1/decision_pb.ts";
import { findingToWire, obligationToWire } from "./convert.ts";
import { summaryToWire } from "./convert-approvals.ts";
import { toValue, withValue } from "./convert-explanation.ts";

/** All that whoever answers should see, as the policy is now. */
export function shownToWire(found: ShownApproval, policy: Policy): wire.GetApprovalResponse {
  const { status, record, last } = found;
  const { situation, ...rest } = shown(found, policy);
  const { request } = situation.subject;
  const { operation = "", resource } = request.action;
  return create(wire.GetApprovalResponseSchema, {
    approval: summaryToWire(status, policy.settings),
    chain: (request.delegation ?? []).map(hopToWire),
    operation,
    toolOwner: situation.tool?.owner ?? "",
    toolListed: situation.tool !== undefined,
    reversibility: situation.reversibility,
    resource: resource ? `${resource.type}:${resource.id}` : "",
    environment: situation.environment,
    classification: situation.classification,
    arguments: rest.arguments.map(argumentToWire),
    differences: rest.differences.map(differenceToWire),
    comparedWith: last?.approval.id ?? "",
    findings: record.judgement.findings.map(findingToWire),
    obligations: (record.judgement.obligations ?? []).map(obligationToWire),
    onApproval: rest.onApproval,
    warnings: [...rest.warnings],
    // Kept with the request only where it is other words than the task's.
    statedOtherwise: request.task?.statement ?? "",
  });
}

const PRINCIPAL_TYPES: Readonly<Record<PrincipalType, WirePrincipalType>> = {
  user: WirePrincipalType.USER,
  service: WirePrincipalType.SERVICE,
  agent: WirePrincipalType.AGENT,
};

const hopToWire = ({ type, id, taskId = "" }: Hop): MessageInitShape<typeof wire.ChainHopSchema> => ({
  principal: { type: PRINCIPAL_TYPES[type], id },
  taskId,
});

const argumentToWire = ({ name, value, role = "", provenance, identifiers }: ShownArgument): MessageInitShape<typeof wire.ShownArgumentSchema> => ({
  name,
  value: toValue(value),
  role,
  provenance,
  identifiers: identifiers.map((identifier) => ({ value: identifier.value, provenance: identifier.provenance })),
});

const differenceToWire = ({ field, before, now }: Difference): MessageInitShape<typeof wire.DifferenceSchema> => ({
  field,
  ...withValue("before", before),
  ...withValue("now", now),
});
