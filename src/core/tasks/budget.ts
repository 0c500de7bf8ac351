import { isObject } from "../json.ts";
import type { Situation } from "../situation.ts";
import { EFFECTS, type Effect, type Json } from "../words.ts";
import type { Amounts, CallCounts, Scope } from "./scope.ts";

/** What was used of a task's budgets. */
export interface Spent {
  readonly calls: CallCounts;
  /** In the currency's smallest unit. */
  readonly amounts: Amounts;
}

export const NOTHING_SPENT: Spent = { calls: {}, amounts: {} };

/** A task's caps, and what was used of them before this decision. */
export interface Budget {
  readonly task: string;
  readonly spent: Spent;
  readonly maxCalls?: CallCounts;
  readonly maxAmounts?: Amounts;
}

/** What one action would use up. */
export interface Charge {
  /** Each counts once. */
  readonly effects: readonly Effect[];
  readonly amount?: Money;
}

export interface Money {
  readonly currency: string;
  /** In the currency's smallest unit. */
  readonly minor: number;
}

/** Why nobody can say how much an action moves. */
export interface Unclear {
  readonly unclear: string;
}

export const hasCaps = ({ maxCalls, maxAmounts }: Scope): boolean => maxCalls !== undefined || maxAmounts !== undefined;

/**
 * What the action counts as: the catalog's effect, and the request's where that is worse, so that a worse word is no way around a cap. Nobody knows what
 * an unknown effect is, so it counts as every one.
 */
export function effectsCharged({ effect, listedEffect }: Pick<Situation, "effect" | "listedEffect">): readonly Effect[] {
  if (effect === "unknown" || listedEffect === "unknown") return EFFECTS;
  return effect === listedEffect ? [effect] : [listedEffect, effect];
}

/** How much the action moves; undefined if it moves nothing. */
export function moneyOf({ subject, tool, effect, listedEffect }: Situation): Money | Unclear | undefined {
  const { action } = subject.request;
  const amounts: Json[] = [];
  let amountNamed = false;
  let currency: Json | undefined;
  for (const [name, role] of tool?.roles ?? []) {
    const value = Object.hasOwn(action.arguments, name) ? action.arguments[name] : undefined;
    if (role === "amount") {
      amountNamed = true;
      if (value !== undefined) amounts.push(value);
    } else if (role === "currency" && value !== undefined) {
      if (currency !== undefined && currency !== value) return { unclear: "its arguments name several currencies" };
      currency = value;
    }
  }
  if (!amountNamed) {
    const mayMove = effect === "pay" || listedEffect === "pay" || effect === "unknown";
    return mayMove
      ? { unclear: tool ? "the catalog gives no argument of the tool the role `amount`" : "the catalog does not list the tool" }
      : undefined;
  }
  if (action.argumentsTruncated) return { unclear: "its arguments were cut" };
  if (amounts.length === 0) return { unclear: "its amount is missing" };
  if (typeof currency !== "string" || !CURRENCY.test(currency)) return { unclear: "its currency is missing, or no code of three capital letters" };
  return sum(amounts, currency);
}

/** As ISO 4217 writes them. */
export const CURRENCY = /^[A-Z]{3}$/;

/** Digits after the point of the smallest unit, where they are not two (ISO 4217). */
const DIGITS: Readonly<Record<string, number>> = Object.fromEntries([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0] as const),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3] as const),
  ..."CLF UYW".split(" ").map((code) => [code, 4] as const),
]);
export const digitsOf = (currency: string): number => (Object.hasOwn(DIGITS, currency) ? (DIGITS[currency] ?? 2) : 2);

function sum(amounts: readonly Json[], currency: string): Money | Unclear {
  let minor = 0;
  for (const amount of amounts) {
    const read = minorOf(amount, digitsOf(currency));
    if (typeof read !== "number") return read;
    minor += read;
  }
  return Number.isSafeInteger(minor) ? { currency, minor } : { unclear: "its amount is larger than can be counted" };
}

/** Decimal digits, as a number or as text: an exponent, a sign or a separator is nobody's amount. */
const DECIMAL = /^(\d{1,15})(?:\.(\d{1,15}))?$/;

function minorOf(amount: Json, digits: number): number | Unclear {
  if (typeof amount === "number" && amount < 0) return { unclear: "its amount is negative" };
  const text = typeof amount === "number" ? String(amount) : typeof amount === "string" ? amount : "";
  const [, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return { unclear: isObject(amount) ? "its amount is masked or no number" : "its amount is no decimal number" };
  const finest = fraction.replace(/0+$/, "");
  if (finest.length > digits) return { unclear: "its amount is finer than the currency's smallest unit" };
  return Number(whole) * 10 ** digits + Number(finest.padEnd(digits, "0") || "0");
}

/** Why an action would go over one of the budgets of its task and of those above it; undefined while there is enough. */
export function whyOverBudget(situation: Situation, budgets: readonly Budget[]): string | undefined {
  const effects = effectsCharged(situation);
  const money = moneyOf(situation);
  for (const { task, spent, maxCalls, maxAmounts } of budgets) {
    for (const effect of maxCalls ? effects : []) {
      const max = maxCalls?.[effect];
      if (max !== undefined && (spent.calls[effect] ?? 0) + 1 > max)
        return `task \`${task}\` has none left of ${max === 1 ? "its one call" : `its ${max} calls`} with the effect \`${effect}\``;
    }
    if (!maxAmounts || !money) continue;
    if ("unclear" in money) return `nobody can say how much of the budget of task \`${task}\` it takes: ${money.unclear}`;
    const max = Object.hasOwn(maxAmounts, money.currency) ? (maxAmounts[money.currency] ?? 0) : 0;
    const used = Object.hasOwn(spent.amounts, money.currency) ? (spent.amounts[money.currency] ?? 0) : 0;
    if (used + money.minor > max)
      return `task \`${task}\` has ${max - used} of ${max} ${money.currency} left, in the smallest unit; this takes ${money.minor}`;
  }
  return undefined;
}

/** What an allowed action uses up. */
export function chargeOf(situation: Situation): Charge {
  const money = moneyOf(situation);
  return { effects: effectsCharged(situation), ...(money && !("unclear" in money) && { amount: money }) };
}

/** How much of the budgets is used up, in percent of the one that is nearest its end; 0 where nothing is capped. */
export function percentUsed(budgets: readonly Budget[]): number {
  let percent = 0;
  const count = (used: number, max: number): void => {
    // A cap of nothing forbids; it cannot be nearly used up.
    if (max > 0) percent = Math.max(percent, Math.floor((used * 100) / max));
  };
  for (const { spent, maxCalls, maxAmounts } of budgets) {
    for (const [effect, max] of Object.entries(maxCalls ?? {})) count(spent.calls[effect as Effect] ?? 0, max);
    for (const [currency, max] of Object.entries(maxAmounts ?? {})) count(spent.amounts[currency] ?? 0, max);
  }
  return Math.min(100, percent);
}

export const spend = (spent: Spent, charge: Charge): Spent => moved(spent, charge, 1);
/** Never below nothing. */
export const giveBack = (spent: Spent, charge: Charge): Spent => moved(spent, charge, -1);

function moved(spent: Spent, { effects, amount }: Charge, sign: 1 | -1): Spent {
  const calls: Partial<Record<Effect, number>> = { ...spent.calls };
  for (const effect of effects) calls[effect] = Math.max(0, (calls[effect] ?? 0) + sign);
  if (!amount) return { calls, amounts: spent.amounts };
  const { currency, minor } = amount;
  const before = Object.hasOwn(spent.amounts, currency) ? (spent.amounts[currency] ?? 0) : 0;
  return { calls, amounts: { ...spent.amounts, [currency]: Math.max(0, before + sign * minor) } };
}
