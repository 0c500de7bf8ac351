import { RequestUnreadable, readRequestJson } from "../client/request-json.ts";
import type { RequestProblem } from "../client/request-problems.ts";
import { readConfig, requestLimits } from "../config.ts";
import { ServiceError } from "../core/errors.ts";
import { createIntent, type Intent } from "../core/intent/intent.ts";
import type { Policy } from "../core/policy.ts";
import type { DecisionRequest } from "../core/request.ts";
import { fromWire } from "../endpoints/grpc/convert.ts";
import { createLanguage } from "../inference/statement.ts";
import { readCaseTexts } from "../policy/case-files.ts";
import { type JudgedCase, judgeCase } from "../policy/case-judge.ts";
import { type Case, readCases } from "../policy/cases.ts";
import { type Complaint, PolicyInvalid, type Said } from "../policy/complaints.ts";
import { type Node, propertiesOf, readDocument } from "../policy/document.ts";
import { readResult } from "../results/read.ts";
import { saidOf } from "./request-mistakes.ts";

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
    if (error instanceof RequestUnreadable && error.problems.length > 0) {
      for (const problem of error.problems) complain(stated, { ...problem, said: saidOf(problem) });
    } else if (error instanceof ServiceError || error instanceof RequestUnreadable) {
      const field = error instanceof ServiceError ? (error.detail.field ?? "") : "";
      const path = field.split(/[.[\]]+/).filter((part) => part !== "");
      complain(stated, { path, wrong: "value", said: `case \`${stated.name}\`: ${error.message}` });
    } else throw error;
    return [];
  }
}

interface Mistake extends Pick<RequestProblem, "wrong"> {
  readonly path: readonly (string | number)[];
  readonly said: Said;
}

/** At the mistake itself, in the case or in the fixture that states it; what stands nowhere is told at the case. */
function complain({ source }: Case, { path, wrong, said }: Mistake): void {
  for (const { document, node } of source.requests) {
    const found = path.length > 0 ? followed(node, path, wrong) : undefined;
    if (!found) continue;
    document.error("unreadable-request", found, said);
    return;
  }
  source.document.error("unreadable-request", source.node, said);
}

function followed(node: Node, path: Mistake["path"], wrong: Mistake["wrong"]): Node | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return node;
  if (node.type === "array") {
    const item = node.children?.[Number(part)];
    return item && followed(item, rest, wrong);
  }
  const property = propertiesOf(node).find(({ key }) => key === part);
  if (!property) return undefined;
  return rest.length === 0 && wrong === "key" ? property.keyNode : followed(property.valueNode, rest, wrong);
}

/** Reads words and results as a server does. */
export const createCaseIntent = (): Intent => createIntent(createLanguage(), readResult);

export function judgeCases(policy: Policy, cases: readonly ReadyCase[]): readonly JudgedCase[] {
  const intent = createCaseIntent();
  return cases.map(({ stated, request }) => judgeCase({ policy, intent }, stated, request));
}
