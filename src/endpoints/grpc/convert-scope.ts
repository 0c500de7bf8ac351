import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Amounts, type CallCounts, type Scope, stated } from "../../core/tasks/scope.ts";
import { EFFECTS as EFFECT_ORDER, type Effect } from "../../core/words.ts";
import type { Effect as WireEffect } from "../../gen/behest/v1/decision_pb.ts";
import type * as wire from "../../gen/behest/v1/task_pb.ts";
import { EFFECTS, FieldReader, malformed, type RequestLimits, tooBig } from "./convert.ts";

export interface ScopeLimits extends RequestLimits {
  /** Items of each list of a scope. */
  readonly scopeItemsMax: number;
}

/** A list that is empty restricts nothing, as one that is not there. @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function scopeFromWire(scope: wire.Scope | undefined, limits: ScopeLimits): Scope {
  if (!scope) return {};
  if (scope.nothing.length > 0) {
    throw malformed("scope.nothing", "is only answered: a scope that is asked for allows something in each list; leave the task unopened instead");
  }
  const reader = new FieldReader(limits);
  return stated({
    tools: readGlobs("scope.tools", scope.tools, limits),
    effects: readEffects(scope.effects, limits),
    resources: readGlobs("scope.resources", scope.resources, limits),
    maxClassification: reader.optionalIdentifier("scope.max_classification", scope.maxClassification),
    maxCalls: readCalls(scope.maxCalls, limits),
    maxAmounts: readAmounts(scope.maxAmounts, limits),
    delegates: readGlobs("scope.delegates", scope.delegates, limits),
    maxDepth: scope.maxDepth === undefined ? undefined : countOf("scope.max_depth", scope.maxDepth),
  });
}

function refuseTooMany(field: string, { length }: readonly unknown[], { scopeItemsMax }: ScopeLimits): void {
  if (length > scopeItemsMax) {
    throw tooBig(field, "scope_items", `holds ${length} items, at most ${scopeItemsMax} are taken; a pattern with a \`*\` covers many names`);
  }
}

function readGlobs(field: string, globs: readonly string[], limits: ScopeLimits): readonly string[] | undefined {
  refuseTooMany(field, globs, limits);
  const reader = new FieldReader(limits);
  return globs.length === 0 ? undefined : globs.map((glob, at) => reader.identifier(`${field}[${at}]`, glob));
}

function effectOf(field: string, effect: WireEffect): Effect {
  const word = EFFECTS[effect];
  if (!word) throw malformed(field, effect === 0 ? "is missing or empty" : `is \`${effect}\`, which is no effect`);
  return word;
}

function readEffects(effects: readonly WireEffect[], limits: ScopeLimits): readonly Effect[] | undefined {
  refuseTooMany("scope.effects", effects, limits);
  const words = effects.map((effect, at) => effectOf(`scope.effects[${at}]`, effect));
  for (const [at, word] of words.entries()) refuseTwice(`scope.effects[${at}]`, word, words.indexOf(word) < at);
  return words.length === 0 ? undefined : words;
}

function refuseTwice(field: string, word: string, isThere: boolean): void {
  if (isThere) throw malformed(field, `names \`${word}\` a second time; write it once`);
}

function readCalls(caps: readonly wire.EffectCalls[], limits: ScopeLimits): CallCounts | undefined {
  refuseTooMany("scope.max_calls", caps, limits);
  const counts: Partial<Record<Effect, number>> = {};
  for (const [at, { effect, calls }] of caps.entries()) {
    const field = `scope.max_calls[${at}]`;
    const word = effectOf(`${field}.effect`, effect);
    refuseTwice(`${field}.effect`, word, counts[word] !== undefined);
    counts[word] = countOf(`${field}.calls`, calls);
  }
  return caps.length === 0 ? undefined : counts;
}

function readAmounts(caps: readonly wire.CurrencyAmount[], limits: ScopeLimits): Amounts | undefined {
  refuseTooMany("scope.max_amounts", caps, limits);
  const reader = new FieldReader(limits);
  const amounts = new Map<string, number>();
  for (const [at, { currency, amountMinor }] of caps.entries()) {
    const field = `scope.max_amounts[${at}]`;
    const code = reader.identifier(`${field}.currency`, currency);
    refuseTwice(`${field}.currency`, code, amounts.has(code));
    amounts.set(code, countOf(`${field}.amount_minor`, amountMinor));
  }
  return caps.length === 0 ? undefined : Object.fromEntries(amounts);
}

function countOf(field: string, count: bigint): number {
  if (count >= 0n && count <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(count);
  throw malformed(field, `is \`${count}\`; write an integer from 0 to 2^53 - 1`);
}

const WIRE_EFFECTS = new Map(Object.entries(EFFECTS).map(([number, word]) => [word, Number(number) as WireEffect]));
const effectToWire = (effect: Effect): WireEffect => WIRE_EFFECTS.get(effect) ?? 0;

/** The lists of which the wire cannot say that they are there and empty. */
const LISTS = { tools: "tools", effects: "effects", resources: "resources", maxAmounts: "max_amounts", delegates: "delegates" } as const;

export function scopeToWire(scope: Scope): MessageInitShape<typeof wire.ScopeSchema> {
  const { tools = [], effects = [], resources = [], maxClassification = "", maxCalls = {}, maxAmounts = {}, delegates = [], maxDepth } = scope;
  const nothing = (Object.keys(LISTS) as (keyof typeof LISTS)[]).filter((list) => scope[list] && Object.keys(scope[list]).length === 0);
  return {
    tools: [...tools],
    effects: effects.map(effectToWire),
    resources: [...resources],
    maxClassification,
    maxCalls: callsToWire(maxCalls),
    maxAmounts: amountsToWire(maxAmounts),
    delegates: [...delegates],
    ...(maxDepth !== undefined && { maxDepth: BigInt(maxDepth) }),
    nothing: nothing.map((list) => LISTS[list]),
  };
}

export const callsToWire = (calls: CallCounts): MessageInitShape<typeof wire.EffectCallsSchema>[] =>
  EFFECT_ORDER.flatMap((effect) => {
    const count = calls[effect];
    return count === undefined ? [] : [{ effect: effectToWire(effect), calls: BigInt(count) }];
  });

export const amountsToWire = (amounts: Amounts): MessageInitShape<typeof wire.CurrencyAmountSchema>[] =>
  Object.entries(amounts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => ({ currency, amountMinor: BigInt(amount) }));
