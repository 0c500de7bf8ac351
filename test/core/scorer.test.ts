import { describe, expect, it } from "vitest";
import { createInOrder } from "../../src/core/in-order.ts";
import { asScorerAnswer, REASON_LENGTH_MAX, type Scorer, type ScorerAnswer, type ScorerQuestion } from "../../src/core/intent/scorer.ts";
import { judge } from "../../src/core/judge.ts";
import { type DecisionRecord, subjectOf } from "../../src/core/record.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { deciderOver, keeperOver } from "../storage/deciders.ts";
import { ask, CALLER } from "../storage/requests.ts";
import { type OpenedStorage, openMemory } from "../storage/storages.ts";
import { controlOver, OPERATOR } from "./controls.ts";

/** People are asked about a payment of which the scorer says that it is far from the task, or says nothing. */
const policyWith = (reason: string) =>
  policyOf({
    settings: {
      reach: { default: FULL_REACH },
      basis: Object.fromEntries(["AUTHORIZED", "INFERRED", "AVAILABLE"].map((basis) => [basis, { "*": "allow", unknown: "allow" }])),
    },
    tools: {
      read: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
      pay: {
        effect: "pay",
        reversibility: "irreversible",
        arguments: { to: "destination", pin: "secret" },
        output: { trust: "trusted" },
      },
    },
    rules: [
      {
        name: "far-from-the-task",
        conditions: {
          all: [
            { fact: "action.effect", operator: "in", value: ["pay", "unknown"] },
            { fact: "scorer.risk", operator: "greaterThanInclusive", value: 60 },
          ],
        },
        event: { type: "require-approval", params: { points: 30, reason, controls: ["owasp:ASI01"] } },
      },
    ],
  });
const POLICY = policyWith("far from the task");

const NEAR: ScorerAnswer = { id: "stub", version: "1", risk: 5, reason: "as asked" };
const FAR: ScorerAnswer = { ...NEAR, risk: 95, reason: "not as asked" };
const DESK: Caller = { tenant: "default", id: "desk", roles: ["initiator"] };
const MAY = "pay the invoices of May";

const pay = (change: Partial<DecisionRequest> = {}): DecisionRequest => ({
  agent: { id: "bot" },
  task: { statement: MAY },
  action: { tool: "pay", operation: "now", arguments: { to: "DE89", pin: "1234", n: 1 }, resource: { type: "account", id: "7" } },
  ...change,
});

interface Judge extends Scorer {
  readonly asked: readonly ScorerQuestion[];
}

/** A scorer that answers at once, after whatever happens meanwhile. */
function answering(answer: ScorerAnswer | undefined, meanwhile: () => unknown = () => undefined): Judge {
  const asked: ScorerQuestion[] = [];
  return {
    asked,
    async score(question) {
      asked.push(question);
      await meanwhile();
      return answer;
    },
  };
}

async function begin(scorer: Scorer, current = () => POLICY) {
  const storage = await openMemory();
  const decider = deciderOver(storage, { scorer, current });
  const decided = async (change: Partial<DecisionRequest> = {}): Promise<DecisionRecord> =>
    (await decider.decide({ caller: CALLER, request: pay(change) })).record;
  return { storage, decider, decided };
}

const openTask = async (storage: OpenedStorage, more: { readonly statementExpiresAt?: number } = {}): Promise<string> => {
  const { statementExpiresAt: ends } = more;
  const { task } = await keeperOver(storage, { policy: POLICY }).open(DESK, {
    statement: "pay what the desk wants",
    principal: { type: "user", id: "alice" },
    agent: "bot",
    scopeKind: "issued",
    scope: {},
    ...(ends !== undefined && { statementExpiresAt: instant(ends) }),
  });
  return task.id;
};

const rederives = (record: DecisionRecord): void => expect(judge(POLICY, subjectOf(record)).judgement).toEqual(record.judgement);

describe("the scorer's answer", () => {
  it.each([
    { says: "far from the task asks people", answer: FAR, outcome: "REQUIRE_APPROVAL", score: 30 },
    { says: "near it adds nothing", answer: NEAR, outcome: "ALLOW", score: 0 },
    { says: "that does not come counts as the worst", answer: undefined, outcome: "REQUIRE_APPROVAL", score: 30 },
  ])("$says, stands in the record, and the decision is made again from that", async ({ answer, outcome, score }) => {
    const { decided, storage } = await begin(answering(answer));
    const { id } = await decided();
    const record = await storage.ledger.decision(id);
    if (!record) throw new Error("it was not recorded");
    expect(record.judgement).toMatchObject({ outcome, score });
    expect(record.subject.scorer).toEqual(answer);
    rederives(record);
  });

  it("is about statement, tool, operation, effect, masked arguments and resource, and nothing else", async () => {
    const scorer = answering(NEAR);
    const { decided } = await begin(scorer);
    await decided({ session: "s", context: { attributes: { ticket: "OPS-7" } }, data: { classification: "internal" } });
    const [question] = scorer.asked;
    expect(question).toEqual({
      statement: MAY,
      tool: "pay",
      operation: "now",
      effect: "pay",
      argumentsJson: expect.stringMatching(/^\{"n":1,"pin":\{"digest":"hmac-sha256:[0-9a-f]{64}","kind":"string","length":4\},"to":"DE89"\}$/),
      argumentsTruncated: false,
      resource: { type: "account", id: "7" },
    });
  });

  it("is the same for Explain, which records nothing", async () => {
    const scorer = answering(FAR);
    const { decider, storage } = await begin(scorer);
    const { answer } = await decider.explain({ caller: CALLER, request: pay() });
    expect(answer).toMatchObject({ recorded: false, record: { judgement: { outcome: "REQUIRE_APPROVAL" }, subject: { scorer: FAR } } });
    expect(await storage.ledger.decision(answer.record.id)).toBeUndefined();
    expect(scorer.asked).toHaveLength(1);
  });
});

describe("what the scorer is asked by", () => {
  it("is the words of a registered task, whatever the request says", async () => {
    const scorer = answering(NEAR);
    const { decided, storage } = await begin(scorer);
    await decided({ task: { id: await openTask(storage), statement: "pay everything" } });
    expect(scorer.asked.map(({ statement }) => statement)).toEqual(["pay what the desk wants"]);
  });

  it("is the first statement of an open task, whatever a later request says", async () => {
    const scorer = answering(NEAR);
    const { decided } = await begin(scorer);
    await decided();
    const later = await decided({ task: { statement: "pay everything" } });
    const silent = await decided({ task: {} });
    expect(scorer.asked.map(({ statement }) => statement)).toEqual([MAY, MAY, MAY]);
    expect([later, silent].map(({ subject }) => subject.scorer)).toEqual([NEAR, NEAR]);
  });

  it.each([
    { says: "a task without a statement", change: { task: {} } },
    { says: "a task of somebody else", change: { task: { id: "019b8d62-7a80-776e-8b80-5a6a6d9628cb", statement: MAY } } },
  ])("is nothing for $says, and it is not asked", async ({ change }) => {
    const scorer = answering(NEAR);
    const { decided } = await begin(scorer);
    const { subject } = await decided(change);
    expect({ asked: scorer.asked, scorer: subject.scorer }).toEqual({ asked: [], scorer: undefined });
  });

  it("is nothing for an attempt that was answered before, which is answered again", async () => {
    const scorer = answering(NEAR);
    const { decider } = await begin(scorer);
    const first = await decider.decide({ caller: CALLER, request: pay({ requestId: "r1" }) });
    const again = await decider.decide({ caller: CALLER, request: pay({ requestId: "r1" }) });
    expect({ asked: scorer.asked.length, replayed: again.replayed, same: again.record.id === first.record.id }).toEqual({
      asked: 1,
      replayed: true,
      same: true,
    });
  });
});

describe("while the scorer is waited for", () => {
  it("nothing happens, and its answer counts", async () => {
    const { decided } = await begin(answering(NEAR, () => undefined));
    expect((await decided()).judgement.outcome).toBe("ALLOW");
  });

  it("another policy is loaded: that one decides, and the answer is none", async () => {
    let policy = POLICY;
    const other = policyWith("farther from the task");
    const { decided } = await begin(
      answering(NEAR, () => {
        policy = other;
      }),
      () => policy,
    );
    const { subject, policy: digest, judgement } = await decided();
    expect({ scorer: subject.scorer, digest, outcome: judgement.outcome }).toEqual({
      scorer: undefined,
      digest: other.digest,
      outcome: "REQUIRE_APPROVAL",
    });
  });

  it("the statement's time ends: the answer is none", async () => {
    const { decided, storage } = await begin(answering(NEAR, () => storage.clock.advance(1_000)));
    const id = await openTask(storage, { statementExpiresAt: storage.clock.now() + 1_000 });
    const record = await decided({ task: { id } });
    expect(record.subject).toMatchObject({ task: { registered: { statementExpired: true } } });
    expect(record.subject.scorer).toBeUndefined();
    rederives(record);
  });

  it("another request opens the task with other words: the answer is none", async () => {
    const [mine, others] = [MAY, "look after the plants"];
    let inside = false;
    const { decided } = await begin(
      answering(NEAR, async () => {
        if (inside) return;
        inside = true;
        await decided({ task: { statement: others } });
      }),
    );
    const record = await decided({ task: { statement: mine } });
    expect(record.subject.task).toMatchObject({ statement: others, restated: true });
    expect(record.subject.scorer).toBeUndefined();
    expect(record.judgement.outcome).toBe("REQUIRE_APPROVAL");
  });

  it("something is suspended: it is denied", async () => {
    const suspend = () => controlOver(storage).suspend(OPERATOR, { kind: "tool", value: "pay", reason: "r" });
    const { decided, storage } = await begin(answering(NEAR, () => suspend()));
    expect((await decided()).judgement).toMatchObject({ outcome: "DENY", reasonCodes: ["SUSPENDED"] });
  });

  it("time passes: the decision is of the instant after it", async () => {
    const { decided, storage } = await begin(answering(NEAR, () => storage.clock.advance(250)));
    const before = storage.clock.now();
    expect((await decided()).at).toBe(before + 250);
  });
});

describe("requests that were asked one after the other", () => {
  /** The first waits until the second has been answered. */
  async function order(inOrder: ReturnType<typeof createInOrder> | undefined): Promise<readonly string[]> {
    const second = Promise.withResolvers<void>();
    const scorer: Scorer = {
      async score({ tool }) {
        if (tool === "pay") await second.promise;
        else second.resolve();
        return NEAR;
      },
    };
    const { decider } = await begin(scorer);
    // Answers leave in the order of the turns.
    const answered: string[] = [];
    const asked = async (tool: string): Promise<void> => {
      await decider.decide({ caller: CALLER, request: pay({ action: { tool, arguments: {} } }), ...(inOrder && { inOrder }) });
      answered.push(tool);
    };
    await Promise.all([asked("pay"), asked("read")]);
    return answered;
  }

  it("are decided in their order, whoever waits longer", async () => {
    expect(await order(createInOrder())).toEqual(["pay", "read"]);
  });

  it("would be found in another order, if they did not share one", async () => {
    expect(await order(undefined)).toEqual(["read", "pay"]);
  });

  it("go on when one before them fails", async () => {
    const inOrder = createInOrder();
    const first = inOrder(Promise.reject(new Error("it failed")));
    const second = inOrder(Promise.resolve(2));
    await expect(first).rejects.toThrow("it failed");
    expect(await second).toBe(2);
  });
});

describe("what a scorer says", () => {
  it.each([
    ["0", { ...NEAR, risk: 0 }],
    ["100", { ...NEAR, risk: 100 }],
  ])("may be %s", (_, said) => {
    expect(asScorerAnswer(said)).toEqual(said);
  });

  it.each([
    ["below 0", { ...NEAR, risk: -1 }],
    ["above 100", { ...NEAR, risk: 101 }],
    ["no number", { ...NEAR, risk: Number.NaN }],
    ["without end", { ...NEAR, risk: Number.POSITIVE_INFINITY }],
    ["between two", { ...NEAR, risk: 0.5 }],
    ["nobody's", { ...NEAR, id: "" }],
    ["of no version", { ...NEAR, version: "" }],
    ["of a name with a space", { ...NEAR, id: "a b" }],
    ["of a name that is too long", { ...NEAR, version: "1".repeat(129) }],
  ])("is no answer if it is %s", (_, said) => {
    expect(asScorerAnswer(said)).toBeUndefined();
  });

  it("has a reason of one line", () => {
    expect(asScorerAnswer({ ...NEAR, reason: `a\n\tb\u0000\u202e${"c".repeat(5_000)}` })?.reason).toBe(`a b ${"c".repeat(REASON_LENGTH_MAX - 4)}`);
  });
});

it("without a scorer nobody is waited for", async () => {
  const storage = await openMemory();
  const decider = deciderOver(storage, { policy: POLICY });
  const deciding = decider.decide(ask());
  // Its turn has come before anything else could.
  expect(
    storage.ledger.peek({ tenant: "default", caller: "gateway", agent: "bot", principal: "none", session: "none" }, ({ task }) => task),
  ).toBeDefined();
  await deciding;
});
