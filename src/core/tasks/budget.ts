import type { Effect } from "../words.ts";
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

/** As ISO 4217 writes them. */
export const CURRENCY = /^[A-Z]{3}$/;

/** Digits after the point of the smallest unit, where they are not two (ISO 4217). */
const DIGITS: Readonly<Record<string, number>> = Object.fromEntries([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0] as const),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3] as const),
  ..."CLF UYW".split(" ").map((code) => [code, 4] as const),
]);
export const digitsOf = (currency: string): number => (Object.hasOwn(DIGITS, currency) ? (DIGITS[currency] ?? 2) : 2);

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
