import { RequestUnreadable, readRequestJson } from "../client/request-json.ts";
import { readConfig, requestLimits } from "../config.ts";
import { ServiceError } from "../core/errors.ts";
import type { Policy } from "../core/policy.ts";
import type { DecisionRequest } from "../core/request.ts";
import { fromWire } from "../endpoints/grpc/convert.ts";
import { readCaseTexts } from "../policy/case-files.ts";
import { type JudgedCase, judgeCase } from "../policy/case-judge.ts";
import { type Case, readCases } from "../policy/cases.ts";
import { type Complaint, PolicyInvalid } from "../policy/complaints.ts";
import { readDocument } from "../policy/document.ts";

/** A case with its request as the core reads it. */
export interface ReadyCase {
  readonly stated: Case;
  readonly request: DecisionRequest;
}

const LIMITS = requestLimits(readConfig({ flags: {}, environment: {} }));

/** Reads every `*.cases.json` of a rules directory, which may name the rules of a policy. @throws {PolicyInvalid} with every complaint. */
export function readCaseFiles(directory: string, policy?: Policy): readonly ReadyCase[] {
  const complaints: Complaint[] = [];
  const documents = readCaseTexts(directory, complaints).flatMap(({ path, text }) => readDocument(path, text, complaints) ?? []);
  const rules = policy && new Set(policy.rules.map(({ name }) => name));
  const ready = readCases(documents, rules).flatMap((stated) => readyCase(stated));
  if (complaints.length > 0) throw new PolicyInvalid(complaints);
  return ready;
}

/** Through the same reading and the same limits as a request that a server is sent. */
export function readyCase(stated: Case): readonly ReadyCase[] {
  try {
    return [{ stated, request: fromWire(readRequestJson(stated.request), LIMITS).request }];
  } catch (error) {
    if (!(error instanceof RequestUnreadable || error instanceof ServiceError)) throw error;
    stated.source.document.error("unreadable-request", stated.source.node, `case \`${stated.name}\`: ${error.message}`);
    return [];
  }
}

export const judgeCases = (policy: Policy, cases: readonly ReadyCase[]): readonly JudgedCase[] =>
  cases.map(({ stated, request }) => judgeCase(policy, stated, request));
