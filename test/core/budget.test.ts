import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chargeOf, effectsCharged, moneyOf, whyOverBudget } from "../../src/core/charges.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import { type Situation, situate } from "../../src/core/situation.ts";
import { type Budget, type Charge, digitsOf, giveBack, NOTHING_SPENT, percentUsed, type Spent, spend } from "../../src/core/tasks/budget.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { EFFECTS, type Effect, instant, type Json, type JsonObject } from "../../src/core/words.ts";
import { policyOf } from "../policies.ts";
import { randomRuns } from "./random-rules.ts";

const tool = (effect: string, args: object = {}): object => ({
  effect,
  reversibility: "irreversible",
  arguments: args,
  output: { trust: "trusted" },
});

const POLICY = policyOf({
  tools: {
    "bank/pay": tool("pay", { amount: "amount", fee: "amount", currency: "currency", unit: "currency" }),
    "bank/gift": tool("pay"),
    "bank/tip": tool("pay", { amount: "amount" }),
    "shop/quote": tool("read", { price: "amount", currency: "currency" }),
    "crm/read": tool("read"),
    "files/change": { operations: { append: "update" }, reversibility: "unknown", output: { trust: "trusted" } },
  },
});

const situationOf = (name: string, args: JsonObject = {}, change: Partial<DecisionRequest["action"]> = {}): Situation =>
  situate(POLICY, {
    at: instant(0),
    tenant: "default",
    caller: "gateway",
    masked: 0,
    request: { agent: { id: "bot" }, action: { tool: name, arguments: args, ...change } },
    task: { standing: "open", id: "t", restated: false, seen: NOTHING_SEEN },
  });

const paying = (amount: Json, currency: Json = "EUR"): Situation => situationOf("bank/pay", { amount, currency });

describe("an amount", () => {
  it.each<{ says: string; amount: Json; currency?: string; minor: number }>([
    { says: "is an integer", amount: 12, minor: 1_200 },
    { says: "is nothing", amount: 0, minor: 0 },
    { says: "is nothing below nothing", amount: -0, minor: 0 },
    { says: "has the digits of its currency", amount: 12.34, minor: 1_234 },
    { says: "has fewer", amount: 12.5, minor: 1_250 },
    { says: "is read by its digits, and not calculated with", amount: 1.1, minor: 110 },
    { says: "is text", amount: "12.34", minor: 1_234 },
    { says: "is text with zeros behind", amount: "12.3400", minor: 1_234 },
    { says: "is text with zeros before", amount: "0012", minor: 1_200 },
    { says: "is the smallest", amount: 0.01, minor: 1 },
    { says: "is of a currency without digits", amount: 500, currency: "JPY", minor: 500 },
    { says: "is of one without digits, with zeros behind", amount: "500.00", currency: "JPY", minor: 500 },
    { says: "is of a currency with three", amount: 1.234, currency: "KWD", minor: 1_234 },
    { says: "is of a currency with four", amount: "0.0001", currency: "CLF", minor: 1 },
    { says: "is of a currency that nobody has heard of", amount: 1.23, currency: "XYZ", minor: 123 },
    { says: "is the largest that can be counted", amount: "90071992547409.91", minor: Number.MAX_SAFE_INTEGER },
  ])("$says", ({ amount, currency = "EUR", minor }) => {
    expect(moneyOf(paying(amount, currency))).toEqual({ currency, minor });
  });

  const NO_NUMBER = "its amount is no decimal number";
  const TOO_FINE = "its amount is finer than the currency's smallest unit";
  const TOO_LARGE = "its amount is larger than can be counted";
  const NO_CURRENCY = "its currency is missing, or no code of three capital letters";
  it.each<{ says: string; situation: Situation; unclear: string }>([
    { says: "is negative", situation: paying(-5), unclear: "its amount is negative" },
    { says: "is negative by very little", situation: paying(-1e-9), unclear: "its amount is negative" },
    { says: "is negative text", situation: paying("-5"), unclear: NO_NUMBER },
    { says: "is no number", situation: paying("five"), unclear: NO_NUMBER },
    { says: "is empty", situation: paying(""), unclear: NO_NUMBER },
    { says: "is null", situation: paying(null), unclear: NO_NUMBER },
    { says: "is a truth", situation: paying(true), unclear: NO_NUMBER },
    { says: "is a list", situation: paying([5]), unclear: NO_NUMBER },
    { says: "has an exponent", situation: paying("1e3"), unclear: NO_NUMBER },
    { says: "is so large that it has one", situation: paying(1e21), unclear: NO_NUMBER },
    { says: "is so small that it has one", situation: paying(1e-7), unclear: NO_NUMBER },
    { says: "has separators", situation: paying("1,000.00"), unclear: NO_NUMBER },
    { says: "has a space", situation: paying("5 "), unclear: NO_NUMBER },
    { says: "has a line break", situation: paying("5\n"), unclear: NO_NUMBER },
    { says: "has a sign", situation: paying("+5"), unclear: NO_NUMBER },
    { says: "has digits of another script", situation: paying("٥"), unclear: NO_NUMBER },
    { says: "begins with its point", situation: paying(".5"), unclear: NO_NUMBER },
    { says: "ends with its point", situation: paying("5."), unclear: NO_NUMBER },
    { says: "is what 0.1 and 0.2 make", situation: paying(0.1 + 0.2), unclear: NO_NUMBER },
    { says: "is finer than a cent", situation: paying(0.001), unclear: TOO_FINE },
    { says: "is finer than a yen", situation: paying(0.5, "JPY"), unclear: TOO_FINE },
    { says: "is finer than a fils", situation: paying(0.0001, "KWD"), unclear: TOO_FINE },
    { says: "is larger than can be counted", situation: paying("90071992547409.92"), unclear: TOO_LARGE },
    { says: "is huge", situation: paying(999_999_999_999_999), unclear: TOO_LARGE },
    { says: "was masked", situation: paying({ kind: "string", length: 3, digest: "d" }), unclear: "its amount is masked or no number" },
    { says: "is missing", situation: situationOf("bank/pay", { currency: "EUR" }), unclear: "its amount is missing" },
    { says: "is what every object has", situation: situationOf("bank/pay", { currency: "EUR", toString: 5 }), unclear: "its amount is missing" },
    { says: "has no currency", situation: situationOf("bank/pay", { amount: 5 }), unclear: NO_CURRENCY },
    { says: "has a currency in small letters", situation: paying(5, "eur"), unclear: NO_CURRENCY },
    { says: "has a currency of four letters", situation: paying(5, "EURO"), unclear: NO_CURRENCY },
    { says: "has a sign for a currency", situation: paying(5, "€"), unclear: NO_CURRENCY },
    { says: "has a number for a currency", situation: paying(5, 978), unclear: NO_CURRENCY },
    {
      says: "has two currencies",
      situation: situationOf("bank/pay", { amount: 5, currency: "EUR", unit: "USD" }),
      unclear: "its arguments name several currencies",
    },
    {
      says: "stands in arguments that were cut",
      situation: situationOf("bank/pay", { amount: 5, currency: "EUR" }, { argumentsTruncated: true }),
      unclear: "its arguments were cut",
    },
    { says: "of several is unclear", situation: situationOf("bank/pay", { amount: 5, fee: "?", currency: "EUR" }), unclear: NO_NUMBER },
    {
      says: "has no name in the catalog",
      situation: situationOf("bank/gift", { amount: 5, currency: "EUR" }),
      unclear: "the catalog gives no argument of the tool the role `amount`; cap its calls instead",
    },
    {
      says: "is of a tool that names no currency",
      situation: situationOf("bank/tip", { amount: 5, currency: "EUR" }),
      unclear: "the catalog gives no argument of the tool the role `currency`; cap its calls instead",
    },
    { says: "is of a tool that nobody knows", situation: situationOf("nobody/knows", { amount: 5 }), unclear: "the catalog does not list the tool" },
    {
      says: "is of a tool whose operation nobody knows",
      situation: situationOf("files/change", {}, { operation: "erase" }),
      unclear: "the catalog gives no argument of the tool the role `amount`; cap its calls instead",
    },
    {
      says: "is of what the request calls a payment",
      situation: situationOf("crm/read", {}, { effect: "pay" }),
      unclear: "the catalog gives no argument of the tool the role `amount`; cap its calls instead",
    },
  ])("cannot be read that $says", ({ situation, unclear }) => {
    expect(moneyOf(situation)).toEqual({ unclear });
  });

  it("adds up with the others of its call", () => {
    expect(moneyOf(situationOf("bank/pay", { amount: 0.1, fee: 0.2, currency: "EUR", unit: "EUR" }))).toEqual({ currency: "EUR", minor: 30 });
  });

  it("adds up to no more than can be counted", () => {
    const most = "90071992547409.91";
    expect(moneyOf(situationOf("bank/pay", { amount: most, fee: 0.01, currency: "EUR" }))).toEqual({ unclear: TOO_LARGE });
  });

  it.each([
    { says: "none that reads", situation: situationOf("crm/read") },
    { says: "none that changes", situation: situationOf("files/change", {}, { operation: "append" }) },
  ])("is asked of $says", ({ situation }) => {
    expect(moneyOf(situation)).toBeUndefined();
  });

  it("is asked of whatever has one by the catalog, a payment or not", () => {
    expect(moneyOf(situationOf("shop/quote", { price: 7, currency: "EUR" }))).toEqual({ currency: "EUR", minor: 700 });
  });

  it.each([
    ["EUR", 2],
    ["JPY", 0],
    ["KWD", 3],
    ["CLF", 4],
    ["toString", 2],
  ])("of %s has %i digits", (currency, digits) => {
    expect(digitsOf(currency)).toBe(digits);
  });
});

describe("the effects that are charged", () => {
  it.each<{ says: string; situation: Situation; effects: readonly Effect[] }>([
    { says: "the catalog's", situation: situationOf("crm/read"), effects: ["read"] },
    { says: "the catalog's where the request's is better", situation: situationOf("bank/pay", {}, { effect: "read" }), effects: ["pay"] },
    { says: "both where the request's is worse", situation: situationOf("crm/read", {}, { effect: "send" }), effects: ["read", "send"] },
    { says: "every one where nobody knows", situation: situationOf("nobody/knows"), effects: EFFECTS },
    { says: "every one where the request does not", situation: situationOf("crm/read", {}, { effect: "unknown" }), effects: EFFECTS },
    { says: "the operation's", situation: situationOf("files/change", {}, { operation: "append" }), effects: ["update"] },
  ])("are $says", ({ situation, effects }) => {
    expect(effectsCharged(situation)).toEqual(effects);
  });
});

const budgetOf = (change: Partial<Budget>): Budget => ({ task: "t", spent: NOTHING_SPENT, ...change });
const spent = (calls: Spent["calls"], amounts: Spent["amounts"] = {}): Spent => ({ calls, amounts });

describe("an action", () => {
  const FIVE = paying(5);
  const within = (maxAmounts: Spent["amounts"]): Situation => {
    const { subject } = FIVE;
    const registered = {
      root: "t",
      depth: 0,
      principal: { type: "user", id: "alice" },
      issuer: "portal",
      scopeKind: "issued",
      hops: 2,
      budgets: [budgetOf({ maxAmounts })],
      until: instant(Number.MAX_SAFE_INTEGER),
    } as const;
    return { ...FIVE, subject: { ...subject, task: { ...subject.task, registered } } };
  };
  it.each<{ says: string; situation: Situation; budgets: readonly Budget[]; why: string | undefined }>([
    { says: "has enough where nothing is capped", situation: FIVE, budgets: [], why: undefined },
    {
      says: "has enough for its last call",
      situation: FIVE,
      budgets: [budgetOf({ spent: spent({ pay: 1 }), maxCalls: { pay: 2 } })],
      why: undefined,
    },
    {
      says: "has not enough after it",
      situation: FIVE,
      budgets: [budgetOf({ spent: spent({ pay: 2 }), maxCalls: { pay: 2 } })],
      why: "task `t` has made all 2 of its calls with the effect `pay`",
    },
    { says: "needs none of another effect's calls", situation: FIVE, budgets: [budgetOf({ maxCalls: { send: 0 } })], why: undefined },
    {
      says: "needs one of each effect's calls if nobody knows what it does",
      situation: situationOf("nobody/knows"),
      budgets: [budgetOf({ maxCalls: { delete: 0 } })],
      why: "task `t` may make no call with the effect `delete`",
    },
    { says: "has enough for the last cent", situation: FIVE, budgets: [budgetOf({ maxAmounts: { EUR: 500 } })], why: undefined },
    {
      says: "has not enough for one more",
      situation: FIVE,
      budgets: [budgetOf({ spent: spent({}, { EUR: 1 }), maxAmounts: { EUR: 500 } })],
      why: "task `t` has 499 of 500 EUR left, in the smallest unit; this takes 500",
    },
    {
      says: "may not move a currency that is not named",
      situation: paying(5, "USD"),
      budgets: [budgetOf({ maxAmounts: { EUR: 500 } })],
      why: "task `t` has 0 of 0 USD left, in the smallest unit; this takes 500",
    },
    {
      says: "may not move what cannot be read",
      situation: paying(-5),
      budgets: [budgetOf({ maxAmounts: { EUR: 500 } })],
      why: "nobody can say how much of the budget of task `t` it takes: its amount is negative",
    },
    { says: "may move nothing", situation: paying(0), budgets: [budgetOf({ maxAmounts: { EUR: 0 } })], why: undefined },
    { says: "may be unclear where no amount is capped", situation: paying(-5), budgets: [budgetOf({ maxCalls: { pay: 1 } })], why: undefined },
    { says: "that moves nothing needs no money", situation: situationOf("crm/read"), budgets: [budgetOf({ maxAmounts: {} })], why: undefined },
    {
      says: "needs enough of each task above",
      situation: FIVE,
      budgets: [budgetOf({ task: "root", maxAmounts: { EUR: 499 } }), budgetOf({ maxAmounts: { EUR: 9_999 } })],
      why: "task `root` has 499 of 499 EUR left, in the smallest unit; this takes 500",
    },
    {
      says: "needs enough of its own task",
      situation: FIVE,
      budgets: [budgetOf({ task: "root", maxCalls: { pay: 9 } }), budgetOf({ maxCalls: { pay: 0 } })],
      why: "task `t` may make no call with the effect `pay`",
    },
  ])("$says", ({ situation, budgets, why }) => {
    expect(whyOverBudget(situation, budgets)).toBe(why);
  });

  it.each<{ says: string; situation: Situation; charge: Charge }>([
    { says: "takes a call and its amount", situation: within({ EUR: 1_000 }), charge: { effects: ["pay"], amount: { currency: "EUR", minor: 500 } } },
    { says: "takes a call alone where nobody capped its currency", situation: within({ USD: 1_000 }), charge: { effects: ["pay"] } },
    { says: "takes a call where it moves nothing", situation: situationOf("crm/read"), charge: { effects: ["read"] } },
    { says: "takes a call where nobody can read its amount", situation: paying(-5), charge: { effects: ["pay"] } },
  ])("$says", ({ situation, charge }) => {
    expect(chargeOf(situation)).toEqual(charge);
  });
});

describe("how much is used", () => {
  it.each<{ says: string; budgets: readonly Budget[]; percent: number }>([
    { says: "nothing where nothing is capped", budgets: [budgetOf({ spent: spent({ pay: 9 }) })], percent: 0 },
    { says: "nothing of what is fresh", budgets: [budgetOf({ maxCalls: { pay: 5 } })], percent: 0 },
    { says: "whole percents, none too many", budgets: [budgetOf({ spent: spent({ pay: 2 }), maxCalls: { pay: 3 } })], percent: 66 },
    {
      says: "of the cap that is nearest its end",
      budgets: [budgetOf({ spent: spent({ pay: 1, read: 4 }, { EUR: 9 }), maxCalls: { pay: 2, read: 5 }, maxAmounts: { EUR: 100 } })],
      percent: 80,
    },
    {
      says: "of whichever task has it",
      budgets: [budgetOf({ spent: spent({}, { EUR: 99 }), maxAmounts: { EUR: 100 } }), budgetOf({ maxCalls: { pay: 2 } })],
      percent: 99,
    },
    { says: "all of it", budgets: [budgetOf({ spent: spent({ pay: 2 }), maxCalls: { pay: 2 } })], percent: 100 },
    { says: "nothing of a cap of nothing", budgets: [budgetOf({ maxCalls: { pay: 0 }, maxAmounts: { EUR: 0 } })], percent: 0 },
  ])("is $says", ({ budgets, percent }) => {
    expect(percentUsed(budgets)).toBe(percent);
  });
});

describe("what is spent", () => {
  const charges: fc.Arbitrary<Charge> = fc
    .record({
      effects: fc.uniqueArray(fc.constantFrom(...EFFECTS)),
      currency: fc.constantFrom("EUR", "toString", "none"),
      minor: fc.nat({ max: 1_000 }),
    })
    .map(({ effects, currency, minor }) => ({ effects, ...(currency !== "none" && { amount: { currency, minor } }) }));
  const totalOf = (of: readonly Charge[]) => ({
    calls: Object.fromEntries(EFFECTS.map((effect) => [effect, of.filter(({ effects }) => effects.includes(effect)).length])),
    amounts: Object.fromEntries(
      ["EUR", "toString"].map((currency) => [currency, of.reduce((sum, { amount }) => sum + (amount?.currency === currency ? amount.minor : 0), 0)]),
    ),
  });
  const countsOf = ({ calls, amounts }: Spent) => ({
    calls: Object.fromEntries(EFFECTS.map((effect) => [effect, calls[effect] ?? 0])),
    amounts: Object.fromEntries(["EUR", "toString"].map((currency) => [currency, Object.hasOwn(amounts, currency) ? (amounts[currency] ?? 0) : 0])),
  });

  it("is the sum of what was charged, in whatever order some of it comes back", () => {
    fc.assert(
      fc.property(fc.array(charges, { maxLength: 8 }), fc.infiniteStream(fc.boolean()), (all, isBack) => {
        const back = all.filter(() => isBack.next().value);
        const whole = all.reduce(spend, NOTHING_SPENT);
        expect(countsOf(whole)).toEqual(totalOf(all));
        const kept = all.filter((charge) => !back.includes(charge));
        expect(countsOf(back.reduce(giveBack, whole))).toEqual(totalOf(kept));
        expect(countsOf(back.toReversed().reduce(giveBack, whole))).toEqual(totalOf(kept));
      }),
      randomRuns(1_000),
    );
  });

  it("is never below nothing, whatever comes back", () => {
    fc.assert(
      fc.property(charges, charges, (charged, back) => {
        const { calls, amounts } = countsOf(giveBack(giveBack(spend(NOTHING_SPENT, charged), back), back));
        for (const count of [...Object.values(calls), ...Object.values(amounts)]) expect(count).toBeGreaterThanOrEqual(0);
      }),
      randomRuns(1_000),
    );
  });
});
