import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { excerpt } from "../../core/excerpt.ts";
import type { Policy } from "../../core/policy.ts";
import type { PolicyRefusal, PolicyStatus } from "../../core/policy-keeper.ts";
import type { FoundPolicy, PolicyComplaint } from "../../core/ports.ts";
import * as wire from "../../gen/behest/v1/policy_pb.ts";
import { timestamp } from "./convert.ts";

type PolicyInit = MessageInitShape<typeof wire.PolicySchema>;
export type Files = "with files" | "without files";

export function inForceToWire({ inForce, loadedAt, directory }: PolicyStatus, files: Files): PolicyInit {
  return {
    digest: inForce.policy.digest,
    loadedAt: timestamp(loadedAt),
    inForce: true,
    directory,
    ...countsOf(inForce.policy),
    warnings: complaintsToWire(inForce.warnings),
    ...(files === "with files" && { files: inForce.files }),
  };
}

export function storedToWire(digest: string, { policy, kept }: FoundPolicy, { directory, files }: { directory: string; files: Files }): PolicyInit {
  return {
    digest,
    loadedAt: timestamp(kept.firstLoadedAt),
    directory,
    ...(policy && countsOf(policy)),
    ...(files === "with files" && { files: kept.files }),
  };
}

const countsOf = ({ rules, agents, tools }: Policy) => ({ rules: rules.length, agents: agents.size, tools: tools.size });

export const refusalToWire = ({ at, complaints }: PolicyRefusal) => ({
  refusedAt: timestamp(at),
  complaints: complaintsToWire(complaints),
  complaintsTotal: complaints.length,
});

const COMPLAINTS_MAX = 200;
const MESSAGE_LENGTH_MAX = 1_000;

export const complaintsToWire = (complaints: readonly PolicyComplaint[]): wire.PolicyComplaint[] =>
  complaints.slice(0, COMPLAINTS_MAX).map(complaintToWire);

function complaintToWire({ id, severity, file, at, message, suggestion = "" }: PolicyComplaint): wire.PolicyComplaint {
  return create(wire.PolicyComplaintSchema, {
    id,
    severity: severity === "error" ? wire.ComplaintSeverity.ERROR : wire.ComplaintSeverity.WARNING,
    file: cut(file),
    ...(at && { line: at.line, column: at.column, ...excerptOf(at.source, at.column) }),
    message: cut(message),
    suggestion: cut(suggestion),
  });
}

/** What is cut in the middle of a pair of surrogates could not be sent. */
function excerptOf(line: string, column: number) {
  const { source, caret } = excerpt(line, column);
  return { source: source.toWellFormed(), caret };
}

const cut = (text: string): string => (text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…` : text).toWellFormed();
