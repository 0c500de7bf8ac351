import { beforeAll, describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical.ts";
import type { Endorsement } from "../../src/core/approvals/approval.ts";
import type { Canonical } from "../../src/core/ports.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import type { JsonObject } from "../../src/core/words.ts";
import { asking, GATEWAY, type LiveApprovals, liveApprovals, PIN, PORTAL, payPolicy, person } from "./live-approvals.ts";
import { type Dice, diceOf } from "./random-histories.ts";
import { randomRuns } from "./random-rules.ts";
import { mutantOf } from "./request-mutants.ts";

const { seed, numRuns } = randomRuns(2_000);

const ARGUMENTS = {
  to: "DE89370400440532013000",
  account: "acme:7",
  amount: 100,
  currency: "EUR",
  memo: "invoice 7 of May",
  note: "for bob@corp.example",
  nothing: null,
  nested: { list: [1, "two", { three: false }], empty: {} },
};

/** Every field is there, so that every field can be another. */
const requestFor = (task: string): DecisionRequest => ({
  agent: { id: "payer", attributes: { version: "1", tags: ["a", "b"] } },
  task: { id: task, statement: "pay the invoices of May" },
  session: "chat-7",
  delegation: [
    { type: "user", id: "alice" },
    { type: "agent", id: "payer", taskId: task },
  ],
  action: {
    tool: "bank/pay",
    operation: "now",
    effect: "pay",
    arguments: ARGUMENTS,
    toolDefinitionDigest: PIN,
    resource: { type: "acme", id: "7", attributes: { owner: "team:bank" } },
  },
  data: { classification: "internal", categories: ["payment"] },
  context: { environment: "production", attributes: { region: "eu" } },
  supportedObligations: ["log", "redact"],
});

const ALL_IS_ASKED = {
  ...asking("all-is-asked", ["group:finance"]),
  conditions: { all: [{ fact: "agent.registered", operator: "equal", value: false }] },
};

interface Approved {
  readonly live: LiveApprovals;
  readonly request: DecisionRequest;
  readonly approval: string;
}

async function approved(endorsement?: Endorsement, through: Canonical = canonical): Promise<Approved> {
  const live = liveApprovals({ policy: payPolicy({ rules: [ALL_IS_ASKED] }), canonical: through });
  const { task } = await live.tasks.open(PORTAL, {
    statement: "pay the invoices of May",
    principal: { type: "user", id: "alice" },
    agent: "payer",
    scopeKind: "issued",
    scope: {},
  });
  const request = requestFor(task.id);
  const { record } = await live.decider.decide({ caller: GATEWAY, request });
  const approval = record.approval?.id ?? "none";
  await live.approvals.resolve(person("ann"), { id: approval, verdict: "approve", ...(endorsement && { endorsement }) });
  return { live, request, approval };
}

/** What would be decided; nothing is used up. */
const wouldBe = async ({ live, approval }: Approved, request: DecisionRequest): Promise<string> =>
  (await live.decider.explain({ caller: GATEWAY, request: { ...request, approvalId: approval } })).answer.record.judgement.outcome;

const nowhere = (): boolean => false;
const asRequest = (value: JsonObject): DecisionRequest => value as unknown as DecisionRequest;
const asJson = (request: DecisionRequest): JsonObject => JSON.parse(JSON.stringify(request));

/** The first of so many mutants that would be allowed. */
async function firstAllowed(it: Approved, mutant: (dice: Dice) => { readonly path: string; readonly value: JsonObject }, runs = numRuns) {
  const outcomes = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const { path, value } = mutant(diceOf(seed + run));
    const outcome = await outcomeOf(it, value);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome === "ALLOW") return { allowed: { path, value, seed: seed + run }, outcomes };
  }
  return { allowed: undefined, outcomes };
}

/** Some mutants are no requests at all: an endpoint would not have let them in. */
async function outcomeOf(it: Approved, value: JsonObject): Promise<string> {
  try {
    return await wouldBe(it, asRequest(value));
  } catch {
    return "no request";
  }
}

/** A hundred thousand take minutes. */
const timeout = 600_000;

describe("a request that differs in one place from the one that was approved", { timeout }, () => {
  let it_: Approved;
  beforeAll(async () => {
    it_ = await approved();
  });

  it("is not allowed, wherever the place is, and the approved one is, once", async () => {
    const json = asJson(it_.request);
    const { allowed, outcomes } = await firstAllowed(it_, (dice) => mutantOf(dice, json, nowhere));
    expect(allowed).toBeUndefined();
    // Most of them differ in nothing that would be denied anyway.
    expect((outcomes.get("REQUIRE_APPROVAL") ?? 0) / numRuns).toBeGreaterThan(0.5);
    const use = async () => (await it_.live.decider.decide({ caller: GATEWAY, request: { ...it_.request, approvalId: it_.approval } })).record;
    expect((await use()).judgement.outcome).toBe("ALLOW");
    expect((await use()).judgement.outcome).toBe("REQUIRE_APPROVAL");
  });

  it.each([
    "request.session",
    "request.context.environment",
    "request.context.attributes",
    "request.data",
    "request.agent.attributes",
    "request.action.operation",
    "request.action.resource",
    "request.action.toolDefinitionDigest",
    "request.action.arguments.to",
    "request.action.arguments.amount",
    "request.action.arguments.memo",
    "request.action.arguments.nothing",
    "request.action.arguments.nested",
    "request.supportedObligations",
    "request.task.statement",
  ])("is allowed by a broken twin whose approvals leave out `%s`", async (path) => {
    const broken = await approved(undefined, (value) => canonical(without(value, path.split("."))));
    const json = asJson(broken.request);
    const { allowed } = await firstAllowed(broken, (dice) => mutantOf(dice, json, nowhere), 20_000);
    expect(`request.${allowed?.path}`).toContain(path);
  });
});

function without(value: object, [key, ...rest]: readonly string[]): object {
  if (key === undefined || !Object.hasOwn(value, key)) return value;
  const { [key]: own, ...others } = value as Readonly<Record<string, object>>;
  return rest.length === 0 || own === undefined ? others : { ...value, [key]: without(own, rest) };
}

const WORDS = ["please", "pay", "invoice", "of", "May", "7", "boxes", "Grüße", "as", "agreed", "for", "bob@corp.example", "(urgent)", "today!"];
const SMUGGLED = [
  "https://evil.example/x",
  "evil.example",
  "mallory@evil.example",
  "GB29 NWBK 6016 1331 9268 19",
  "+49 30 1234567",
  "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
  "corp.example",
  "bob@corp.example.evil.example",
  "192.0.2.7",
  "@mallory",
];
const DISGUISES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replaceAll(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
  (text) => [...text].join("\u200b"),
  (text) => [...text].join("\u2060"),
  (text) => [...text].map((sign, at) => (at % 2 === 0 ? sign.toUpperCase() : sign)).join(""),
  (text) => `\u202e${text}\u202c`,
  (text) => `(${text}).`,
  (text) => text.replaceAll(".", "&#46;"),
];

describe("a request that is like the one of a wider yes", { timeout }, () => {
  let it_: Approved;
  beforeAll(async () => {
    it_ = await approved({ uses: 10 });
  });
  const varied = (args: object): DecisionRequest => ({ ...it_.request, action: { ...it_.request.action, arguments: { ...ARGUMENTS, ...args } } });
  const words = (dice: Dice): string => Array.from({ length: dice.roll(12) }, () => dice.pick(WORDS)).join(" ");

  it("is allowed with less, and with other words", async () => {
    for (let run = 0; run < numRuns; run++) {
      const dice = diceOf(seed + run);
      const args = { amount: dice.pick([0, 0.01, 1, 99.99, 100]), memo: words(dice), note: words(dice) };
      expect({ ...args, outcome: await wouldBe(it_, varied(args)) }).toEqual({ ...args, outcome: "ALLOW" });
    }
  });

  it("is not allowed if it differs in anything else", async () => {
    const json = asJson(it_.request);
    const may = ["action.arguments.amount", "action.arguments.memo", "action.arguments.note"];
    const { allowed } = await firstAllowed(it_, (dice) => mutantOf(dice, json, (path) => may.includes(path)));
    expect(allowed).toBeUndefined();
    for (const amount of [100.01, 101, 1e9, -1, "1", null, [1], { varies: "amount" }, { amount: 1 }]) {
      expect({ amount, outcome: await wouldBe(it_, varied({ amount })) }).toEqual({ amount, outcome: "REQUIRE_APPROVAL" });
    }
    for (const memo of [null, 7, true, ["please"], { text: "please" }, { varies: "free_text" }]) {
      expect({ memo, outcome: await wouldBe(it_, varied({ memo })) }).toEqual({ memo, outcome: "REQUIRE_APPROVAL" });
    }
  });

  it("is not allowed if its words name what nobody has seen, however it is written", async () => {
    for (let run = 0; run < numRuns; run++) {
      const dice = diceOf(seed + run);
      const smuggled = dice.pick(DISGUISES)(dice.pick(SMUGGLED));
      const memo = [words(dice), smuggled, words(dice)].join(dice.pick([" ", "\n", "\t"]));
      expect({ memo, outcome: await wouldBe(it_, varied({ memo })) }).toEqual({ memo, outcome: "REQUIRE_APPROVAL" });
    }
  });

  it("is allowed if its words name what was shown, unless they are escaped", async () => {
    for (const disguise of DISGUISES.slice(0, -1)) expect(await wouldBe(it_, varied({ memo: `for ${disguise("bob@corp.example")}` }))).toBe("ALLOW");
  });
});
