import type { Judgement } from "../core/combine.ts";
import { judge } from "../core/judge.ts";
import { createKeyedDigest, maskRequest } from "../core/masking.ts";
import type { Policy } from "../core/policy.ts";
import type { DecisionRequest } from "../core/request.ts";
import type { Subject } from "../core/situation.ts";
import { NOTHING_SEEN, type Seen } from "../core/tasks/seen.ts";
import { instant, type Json, TRUST_LEVELS } from "../core/words.ts";
import { type Document, flag, integer, listOf, object, oneOf, plainValue, type Read, text } from "./document.ts";

/** One example of what a policy is to decide, beside the rules it is about. */
export interface Case {
  readonly name: string;
  /** As `behest decide` reads it. */
  readonly request: Json;
  readonly caller?: string;
  readonly tenant?: string;
  /** What the task had seen before; parts left out are what a new task has. */
  readonly seen?: Partial<Seen>;
  /** The task had another statement first. */
  readonly restated?: boolean;
  readonly expect: Expectation;
}

/** What is left out is not looked at. */
export interface Expectation {
  readonly outcome: Judgement["outcome"];
  readonly basis?: Judgement["basis"];
  readonly score?: { readonly min: number; readonly max: number };
  /** Names of all holds, in any order. */
  readonly holds?: readonly string[];
  /** All reason codes, in order. */
  readonly reason_codes?: readonly string[];
  /** Rules that stand. */
  readonly fires?: readonly string[];
  /** Rules that do not. */
  readonly silent?: readonly string[];
}

const score: Read<{ readonly min: number; readonly max: number }> = (node, document) => {
  if (node.type === "object") return object({ min: integer(0, 100), max: integer(0, 100) }, {})(node, document);
  const exact = integer(0, 100)(node, document);
  return exact === undefined ? undefined : { min: exact, max: exact };
};

const caseShape: Read<Case> = object(
  {
    name: text,
    request: plainValue,
    expect: object(
      { outcome: oneOf(["ALLOW", "DENY", "REQUIRE_APPROVAL"] as const) },
      {
        basis: oneOf(["AUTHORIZED", "INFERRED", "AVAILABLE", "NONE"] as const),
        score,
        holds: listOf(text),
        reason_codes: listOf(text),
        fires: listOf(text),
        silent: listOf(text),
      },
    ),
  },
  {
    caller: text,
    tenant: text,
    seen: object({}, { classifications: listOf(text), categories: listOf(text), trust: oneOf(TRUST_LEVELS), systems: listOf(text) }),
    restated: flag,
  },
);

/** Reads one `*.cases.json`. */
export function readCases(document: Document): readonly Case[] {
  return object({ cases: listOf(caseShape) }, {})(document.root, document)?.cases ?? [];
}

/** Cases are decided at one instant, under one key, so that they never differ from run to run. */
const CASE_AT = instant(Date.UTC(2026, 0, 5, 9));
const CASE_KEY = Buffer.alloc(32, "case");

/** Decides a case with the one decision there is. */
export function judgeCase(policy: Policy, stated: Case, request: DecisionRequest): Judgement {
  const { request: masked, masked: count } = maskRequest(request, policy, createKeyedDigest(CASE_KEY));
  const statement = request.task?.statement;
  const subject: Subject = {
    at: CASE_AT,
    tenant: stated.tenant ?? "default",
    caller: stated.caller ?? "local",
    request: masked,
    masked: count,
    task: {
      standing: "new",
      id: "case",
      ...(statement !== undefined && { statement }),
      restated: stated.restated ?? false,
      seen: { ...NOTHING_SEEN, ...stated.seen },
    },
  };
  return judge(policy, subject).judgement;
}

/** Every way in which a judgement is not what the case expects, in words. */
export function disagreements({ expect }: Case, judgement: Judgement): readonly string[] {
  const found: string[] = [];
  const same = (what: string, expected: unknown, is: unknown): void => {
    if (expected !== undefined && JSON.stringify(expected) !== JSON.stringify(is)) {
      found.push(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(is)}`);
    }
  };
  const stands = new Set(judgement.findings.map(({ rule }) => rule));
  same("outcome", expect.outcome, judgement.outcome);
  same("basis", expect.basis, judgement.basis);
  same("holds", expect.holds && [...expect.holds].sort(), judgement.holds.map(({ name }) => name).sort());
  same("reason_codes", expect.reason_codes, judgement.reasonCodes);
  if (expect.score && (judgement.score < expect.score.min || judgement.score > expect.score.max)) {
    found.push(`score: expected ${expect.score.min} to ${expect.score.max}, found ${judgement.score}`);
  }
  for (const rule of expect.fires ?? []) if (!stands.has(rule)) found.push(`rule \`${rule}\` should stand and does not`);
  for (const rule of expect.silent ?? []) if (stands.has(rule)) found.push(`rule \`${rule}\` should not stand and does`);
  return found;
}
