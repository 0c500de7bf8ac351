import { isObject } from "./json.ts";
import { effectsNamed, type Situation } from "./situation.ts";
import { type Budget, type Charge, CURRENCY, digitsOf, type Money, type Unclear } from "./tasks/budget.ts";
import { EFFECTS, type Effect, type Json } from "./words.ts";

/** What an allowed action uses up. */
export function chargeOf(situation: Situation): Charge {
  const money = moneyOf(situation);
  const isCounted = money && !("unclear" in money) && capsOf(situation).has(money.currency);
  return { effects: effectsCharged(situation), ...(isCounted && { amount: money }) };
}

/** Currencies that the task or one above it caps: there are few, whereas an action may name any. */
const capsOf = ({ subject }: Situation): ReadonlySet<string> =>
  new Set((subject.task.registered?.budgets ?? []).flatMap(({ maxAmounts }) => Object.keys(maxAmounts ?? {})));

/** Why an action would go over one of the budgets of its task and of those above it; undefined while there is enough. */
export function whyOverBudget(situation: Situation, budgets: readonly Budget[]): string | undefined {
  const effects = effectsCharged(situation);
  const money = moneyOf(situation);
  for (const { task, spent, maxCalls, maxAmounts } of budgets) {
    for (const effect of maxCalls ? effects : []) {
      const max = maxCalls?.[effect];
      if (max !== undefined && (spent.calls[effect] ?? 0) + 1 > max)
        return `task \`${task}\` ${max === 0 ? "may make no call" : `has made all ${max} of its calls`} with the effect \`${effect}\``;
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

/**
 * What the action counts as: the catalog's effect, and the request's where that is worse, so that a worse word is no way around a cap. Nobody knows what
 * an unknown effect is, so it counts as every one.
 */
export function effectsCharged({ effect, listedEffect }: Pick<Situation, "effect" | "listedEffect">): readonly Effect[] {
  if (effect === "unknown" || listedEffect === "unknown") return EFFECTS;
  return effectsNamed({ effect, listedEffect });
}

const NO_ROLE = "the catalog gives no argument of the tool the role";

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
      ? {
          unclear: tool ? `${NO_ROLE} \`amount\`; cap its calls instead` : "the catalog does not list the tool",
        }
      : undefined;
  }
  if (action.argumentsTruncated) return { unclear: "its arguments were cut" };
  if (amounts.length === 0) return { unclear: "its amount is missing" };
  if (typeof currency !== "string" || !CURRENCY.test(currency)) {
    const isNamed = [...(tool?.roles.values() ?? [])].includes("currency");
    const why = isNamed ? "its currency is missing, or no code of three capital letters" : `${NO_ROLE} \`currency\`; cap its calls instead`;
    return { unclear: why };
  }
  return sum(amounts, currency);
}

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
