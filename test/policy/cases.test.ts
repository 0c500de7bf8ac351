import { describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { FACTS } from "../../src/core/facts.ts";
import { FALSE } from "../../src/core/kleene.ts";
import { REASON_CODES } from "../../src/core/words.ts";
import { fromWire } from "../../src/endpoints/grpc/convert.ts";
import { judgeCase } from "../../src/policy/case-judge.ts";
import { withFound } from "../../src/policy/case-update.ts";
import { type Case, readCases } from "../../src/policy/cases.ts";
import { type Complaint, formatComplaint } from "../../src/policy/complaints.ts";
import { coverageOf } from "../../src/policy/coverage.ts";
import { readDocument } from "../../src/policy/document.ts";
import { createNoticer, mutantsOf } from "../../src/policy/mutants.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { REQUEST_LIMITS } from "../request-limits.ts";
import { INTENT } from "../storage/deciders.ts";

interface Read {
  readonly cases: readonly Case[];
  readonly complaints: readonly string[];
}

const RULES = new Set(["large", "told"]);

function read(...files: readonly (object | string)[]): Read {
  const complaints: Complaint[] = [];
  const documents = files.flatMap((file, index) => {
    const document = readDocument(`${index}.cases.json`, typeof file === "string" ? file : JSON.stringify(file), complaints);
    return document ? [document] : [];
  });
  const cases = readCases(documents, RULES);
  return { cases, complaints: complaints.map((complaint) => formatComplaint(complaint).split("\n")[0] ?? "") };
}

const expectAllow = { outcome: "ALLOW" };
const request = { agent: { id: "bot" }, action: { tool: "read" } };

describe("a case", () => {
  it("is made of its fixtures, in their order, and of itself, the last", () => {
    const { cases, complaints } = read(
      { fixtures: { "a read": { request, caller: "gateway", task: { seen: { trust: "untrusted" } } } } },
      {
        fixtures: { "by another": { caller: "other", request: { agent: { attributes: { team: "a" } } } } },
        cases: [
          {
            name: "one",
            use: ["a read", "by another"],
            request: { action: { arguments: { path: "/x" } } },
            task: { restated: true },
            expect: expectAllow,
          },
        ],
      },
    );
    expect(complaints).toEqual([]);
    expect(cases).toMatchObject([
      {
        name: "one",
        caller: "other",
        tenant: "default",
        request: { agent: { id: "bot", attributes: { team: "a" } }, action: { tool: "read", arguments: { path: "/x" } } },
        task: { seen: { trust: "untrusted" }, restated: true },
      },
    ]);
  });

  it.each<{ when: string; files: readonly (object | string)[]; message: string }>([
    {
      when: "it uses a fixture that does not exist",
      files: [{ fixtures: { "a read": { request } }, cases: [{ name: "one", use: ["a raed"], request, expect: expectAllow }] }],
      message: "0.cases.json:1:114: unknown fixture `a raed`; did you mean `a read`?",
    },
    {
      when: "neither it nor its fixtures have a request",
      files: [{ cases: [{ name: "one", expect: expectAllow }] }],
      message: "0.cases.json:1:11: the key `request` is missing, and no fixture that the case uses has it",
    },
    {
      when: "two of a file have one name",
      files: [{ cases: ["one", "one"].map((name) => ({ name, request, expect: expectAllow })) }],
      message: "0.cases.json:1:113: the case `one` stands twice in this file; the first stands at 0.cases.json:1:11",
    },
    {
      when: "two files name one fixture",
      files: [{ fixtures: { a: { request } } }, { fixtures: { a: { request } } }],
      message: "1.cases.json:1:14: the fixture `a` is named twice; the first stands at 0.cases.json:1:14",
    },
    {
      when: "its instant is none",
      files: [{ cases: [{ name: "one", at: "yesterday", request, expect: expectAllow }] }],
      message: "0.cases.json:1:30: expected an instant in UTC, such as `2026-01-05T09:00:00Z`",
    },
    {
      when: "it expects nothing",
      files: [{ cases: [{ name: "one", request }] }],
      message: "0.cases.json:1:11: the key `expect` is missing",
    },
    {
      when: "it expects an outcome that there is not",
      files: [{ cases: [{ name: "one", request, expect: { outcome: "ALLOWED" } }] }],
      message: "0.cases.json:1:103: `ALLOWED` is none of `ALLOW` `DENY` `REQUIRE_APPROVAL`; did you mean `ALLOW`?",
    },
    {
      when: "its task stands in a way that there is not",
      files: [{ cases: [{ name: "one", request, task: { standing: "opne" }, expect: expectAllow }] }],
      message: "0.cases.json:1:102: `opne` is none of `new` `open` `unknown` `closed` `expired` `revoked` `mismatch`; did you mean `open`?",
    },
    {
      when: "its task has expired and nobody opened it",
      files: [{ cases: [{ name: "one", request, task: { standing: "expired" }, expect: expectAllow }] }],
      message: "0.cases.json:1:90: only a registered task is `expired`; say `registered`, which may be `{}`",
    },
    {
      when: "its task is registered and new",
      files: [
        {
          fixtures: { a: { task: { registered: {} } } },
          cases: [{ name: "one", use: ["a"], request, task: { standing: "new" }, expect: expectAllow }],
        },
      ],
      message: "0.cases.json:1:146: a registered task is never `new`; leave out `registered`",
    },
    {
      when: "its task is for nobody that there can be",
      files: [{ cases: [{ name: "one", request, task: { registered: { principal: "alice" } }, expect: expectAllow }] }],
      message: "0.cases.json:1:117: `alice` is not `user:…` or `service:…`",
    },
    {
      when: "people were asked less than never",
      files: [{ cases: [{ name: "one", request, approvals: { asked: { agent: -1 } }, expect: expectAllow }] }],
      message: "0.cases.json:1:113: expected an integer from 0 to 9007199254740991, found `-1`",
    },
    {
      when: "a person refused something that nobody can",
      files: [{ cases: [{ name: "one", request, approvals: { refused: "everything" }, expect: expectAllow }] }],
      message: "0.cases.json:1:106: `everything` is none of `action` `flood`",
    },
    {
      when: "its budget is in no currency",
      files: [{ cases: [{ name: "one", request, task: { registered: { scope: { max_amounts: { euro: 1 } } } }, expect: expectAllow }] }],
      message: "0.cases.json:1:129: `euro` is not a currency's code of three capital letters, such as `EUR`",
    },
    {
      when: "a rule that is to stay silent does not exist",
      files: [{ cases: [{ name: "one", request, expect: { outcome: "ALLOW", silent: ["larg"] } }] }],
      message: "0.cases.json:1:121: no rule is named `larg`; did you mean `large`?",
    },
    {
      when: "a rule that is to stand does not exist",
      files: [{ cases: [{ name: "one", request, expect: { outcome: "ALLOW", fires: ["large", "behest:outside-raech"] } }] }],
      message: "0.cases.json:1:128: no rule is named `behest:outside-raech`; did you mean `behest:outside-reach`?",
    },
    {
      when: "a hold is none, though it is a finding",
      files: [{ cases: [{ name: "one", request, expect: { outcome: "ALLOW", holds: ["behest:outside-reach"] } }] }],
      message: "0.cases.json:1:120: no rule is named `behest:outside-reach`; did you mean `behest:outside-scope`?",
    },
    {
      when: "a reason code does not exist",
      files: [{ cases: [{ name: "one", request, expect: { outcome: "DENY", reason_codes: ["RULE_DENIES"] } }] }],
      message: `0.cases.json:1:126: \`RULE_DENIES\` is none of ${REASON_CODES.map((code) => `\`${code}\``).join(" ")}; did you mean \`RULE_DENY\`?`,
    },
    {
      when: "its request is a list",
      files: [{ cases: [{ name: "one", request: [], expect: expectAllow }] }],
      message: "0.cases.json:1:35: a request is an object, as `behest decide` reads it",
    },
    { when: "its file is not JSON", files: ['{ "cases": [ }'], message: "0.cases.json:1:14: not JSON: value expected" },
  ])("is refused when $when", ({ files, message }) => {
    expect(read(...files).complaints).toContain(message);
  });

  it("that uses an unknown fixture is not complained of for what the fixture would have said", () => {
    const { cases, complaints } = read({ cases: [{ name: "one", use: ["a read"], request: { action: { tool: "x" } }, expect: expectAllow }] });
    expect([cases, complaints]).toEqual([[], ["0.cases.json:1:32: unknown fixture `a read`"]]);
  });

  it("may name rules of the policy, and what Behest itself says", () => {
    const expected = {
      outcome: "DENY",
      fires: ["large", "behest:task-closed"],
      silent: ["told", "behest:chain-broken"],
      holds: ["large", "behest:risk"],
    };
    expect(read({ cases: [{ name: "one", request, expect: expected }] }).complaints).toEqual([]);
  });

  it("takes nothing of a prototype from a fixture's name or a key", () => {
    const { complaints } = read(
      `{ "cases": [{ "name": "one", "use": ["constructor"], "request": { "__proto__": {} }, "expect": { "outcome": "ALLOW" } }] }`,
    );
    expect(complaints).toContain("0.cases.json:1:38: unknown fixture `constructor`");
    expect(complaints).toContain("0.cases.json:1:67: `__proto__` is no key that Behest reads");
  });
});

const policy = policyOf({
  settings: { reach: { default: FULL_REACH }, basis: { AUTHORIZED: { "*": "allow" }, INFERRED: { "*": "allow" }, AVAILABLE: { "*": "allow" } } },
  tools: { pay: { effect: "pay", reversibility: "irreversible", output: { trust: "trusted" } } },
  conditions: { pays: { fact: "action.effect", operator: "in", value: ["pay", "unknown"] } },
  rules: [
    {
      name: "large",
      conditions: { all: [{ condition: "pays" }, { fact: "action.arguments.amount", operator: "greaterThan", value: 100 }] },
      event: { type: "require-approval", params: { points: 20, reason: "pays more than 100", controls: [] } },
    },
    {
      name: "told",
      conditions: { all: [{ condition: "pays" }] },
      event: { type: "oblige", params: { reason: "somebody is told", controls: [], obligation: { type: "notify", recipients: ["group:treasury"] } } },
    },
  ],
});

const payment = (amount: number, more: object = {}) => ({
  name: `pays ${amount}`,
  request: { agent: { id: "bot" }, action: { tool: "pay", arguments: { amount } }, supported_obligations: ["notify"] },
  ...more,
});

function judged(...cases: readonly object[]) {
  const found = read({ cases });
  expect(found.complaints).toEqual([]);
  return found.cases.map((stated) =>
    judgeCase({ policy, intent: INTENT }, stated, fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request),
  );
}

const messagesOf = (one: object): readonly string[] => judged(one).flatMap(({ disagreements }) => disagreements.map(({ message }) => message));

describe("what a case expects", () => {
  const told = [{ type: "notify", recipients: ["group:treasury"] }];

  it.each<{ says: string; expects: object; amount: number; messages: readonly string[] }>([
    { says: "an outcome", amount: 50, expects: { outcome: "DENY" }, messages: ["outcome: expected DENY, found ALLOW"] },
    { says: "a score", amount: 500, expects: { outcome: "REQUIRE_APPROVAL", score: 10 }, messages: ["score: expected 10, found 20"] },
    {
      says: "a range of scores",
      amount: 500,
      expects: { outcome: "REQUIRE_APPROVAL", score: { min: 30, max: 40 } },
      messages: ["score: expected 30 to 40, found 20"],
    },
    {
      says: "holds",
      amount: 500,
      expects: { outcome: "REQUIRE_APPROVAL", holds: ["behest:basis"] },
      messages: ['holds: expected ["behest:basis"], found ["large"]'],
    },
    {
      says: "reason codes",
      amount: 500,
      expects: { outcome: "REQUIRE_APPROVAL", reason_codes: [] },
      messages: ['reason_codes: expected [], found ["RULE_ASKS"]'],
    },
    {
      says: "no obligation",
      amount: 50,
      expects: { outcome: "ALLOW", obligations: [] },
      messages: [`obligations: expected [], found ${JSON.stringify(told)}`],
    },
    { says: "for how long", amount: 50, expects: { outcome: "ALLOW", valid_for: "30s" }, messages: ["valid_for: expected 30000, found 60000"] },
    { says: "that a rule fires", amount: 50, expects: { outcome: "ALLOW", fires: ["large"] }, messages: ["rule `large` should stand and does not"] },
    {
      says: "that a rule is silent",
      amount: 500,
      expects: { outcome: "REQUIRE_APPROVAL", silent: ["large"] },
      messages: ["rule `large` should not stand and does"],
    },
    {
      says: "all of it, as it is",
      amount: 50,
      expects: {
        outcome: "ALLOW",
        basis: "AVAILABLE",
        score: 0,
        holds: [],
        reason_codes: [],
        obligations: told,
        valid_for: "60s",
        fires: ["told"],
        silent: ["large"],
      },
      messages: [],
    },
  ])("is compared with what is decided: $says", ({ amount, expects, messages }) => {
    expect(messagesOf(payment(amount, { expect: expects }))).toEqual(messages);
  });

  it("is decided at the case's own instant, in the task that it tells of", () => {
    const [one] = judged(
      payment(5, { at: "2030-06-01T00:00:00.5Z", task: { standing: "closed", seen: { trust: "untrusted" } }, expect: { outcome: "DENY" } }),
    );
    expect(one?.situation.subject).toMatchObject({
      at: Date.UTC(2030, 5, 1, 0, 0, 0, 500),
      task: { standing: "closed", id: "case", seen: { trust: "untrusted" } },
    });
    expect(one?.judgement.reasonCodes).toEqual(["TASK_CLOSED"]);
  });
});

describe("what a case says of approvals", () => {
  it.each<{ says: string; amount: number; approvals: object; expects: object }>([
    { says: "a yes by who may answer", amount: 500, approvals: { approved_by: ["user:local"] }, expects: { outcome: "ALLOW", basis: "AUTHORIZED" } },
    { says: "a yes by nobody", amount: 500, approvals: { approved_by: [] }, expects: { outcome: "REQUIRE_APPROVAL", holds: ["large"] } },
    { says: "a yes by who may not", amount: 500, approvals: { approved_by: ["user:ann"] }, expects: { outcome: "REQUIRE_APPROVAL" } },
    { says: "a yes to what nobody asked", amount: 50, approvals: { approved_by: ["user:local"] }, expects: { outcome: "ALLOW", basis: "AVAILABLE" } },
    { says: "a no", amount: 50, approvals: { refused: "action" }, expects: { outcome: "DENY", reason_codes: ["APPROVAL_DENIED"] } },
    { says: "a no to more questions", amount: 500, approvals: { refused: "flood" }, expects: { outcome: "DENY", reason_codes: ["APPROVAL_DENIED"] } },
    { says: "a no to more questions, and none", amount: 50, approvals: { refused: "flood" }, expects: { outcome: "ALLOW" } },
    {
      says: "a no to more questions, and a yes to this one",
      amount: 500,
      approvals: { refused: "flood", approved_by: ["user:local"] },
      expects: { outcome: "ALLOW", basis: "AUTHORIZED" },
    },
  ])("is what a decision reads: $says", ({ amount, approvals, expects }) => {
    expect(messagesOf(payment(amount, { approvals, expect: expects }))).toEqual([]);
  });

  it("are facts that rules read", () => {
    const approvals = { asked: { agent: 7 }, endorsed: { values: ["DE02"] } };
    const [one] = judged(payment(50, { approvals, expect: { outcome: "ALLOW" } }));
    const facts = ["agent.approvals_asked", "task.approvals_asked", "task.endorsed_values", "task.endorsed_sources"];
    expect(facts.map((name) => one && FACTS[name]?.read(one.situation))).toEqual([7, 0, ["DE02"], []]);
  });

  it("counts one person once, however many are needed", () => {
    const twice = policyOf({
      settings: { groups: { approvers: ["user:local", "user:ann"] } },
      tools: { read: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } } },
      rules: [
        {
          name: "large",
          conditions: { all: [{ fact: "action.tool", operator: "equal", value: "read" }] },
          event: { type: "require-approval", params: { quorum: 2, reason: "two look", controls: [] } },
        },
      ],
    });
    const outcomes = [
      ["user:local", "user:local"],
      ["user:local", "user:ann"],
    ].map((people) => {
      const [stated] = read({ cases: [{ name: "one", request, approvals: { approved_by: people }, expect: expectAllow }] }).cases;
      return (
        stated &&
        judgeCase({ policy: twice, intent: INTENT }, stated, fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request).judgement.outcome
      );
    });
    expect(outcomes).toEqual(["REQUIRE_APPROVAL", "ALLOW"]);
  });
});

describe("what an action has to do with the words of its task", () => {
  const told = policyOf({
    settings: { reach: { default: FULL_REACH } },
    tools: {
      "post/letter": {
        effect: "send",
        reversibility: "irreversible",
        arguments: { to: "destination" },
        objects: ["letter"],
        output: { trust: "trusted" },
      },
      "people/find": { effect: "read", reversibility: "reversible", output: { trust: "trusted", fields: { address: "trusted" } } },
      "pigeon/fetch": { effect: "read", reversibility: "reversible", output: { trust: "untrusted" } },
    },
  });
  const found = (task: object, statement = "Send a letter to Mira") => {
    const one = {
      name: "one",
      request: { agent: { id: "bot" }, task: { statement }, action: { tool: "post/letter", arguments: { to: "mira@example.org" } } },
      task,
      expect: expectAllow,
    };
    const { cases, complaints } = read({ cases: [one] });
    expect(complaints).toEqual([]);
    const [stated] = cases;
    if (!stated) throw new Error("no case");
    const ready = fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request;
    return judgeCase({ policy: told, intent: INTENT }, stated, ready).situation.subject;
  };
  const people = [{ name: "Mira", address: "mira@example.org" }];

  it.each([
    { says: "what nobody has seen", task: {}, grade: "unseen" },
    { says: "a field of a record", task: { observed: [{ tool: "people/find", returned: people }] }, grade: "attested" },
    { says: "the same as a text", task: { observed: [{ tool: "people/find", returned: JSON.stringify(people) }] }, grade: "attested" },
    { says: "free text", task: { observed: [{ tool: "pigeon/fetch", returned: "Write to mira@example.org" }] }, grade: "free_text" },
    { says: "a tool outside the catalog", task: { observed: [{ tool: "nobody/knows", returned: people }] }, grade: "free_text" },
    {
      says: "whom the task is for",
      task: { registered: { principal_attributes: { mail: "mira@example.org" } } },
      grade: "own",
    },
  ])("is found from what was returned: $says", ({ task, grade }) => {
    expect(found(task).intent).toMatchObject({ scope: "inside", alignment: "full", provenance: { destination: grade } });
  });

  it("is stated by the words of a task that somebody opened, while they hold", () => {
    const words = "Send a letter to mira@example.org";
    const destination = (task: object): unknown => found(task, words).intent?.provenance.destination;
    expect(destination({})).toBe("unseen");
    expect(destination({ registered: {} })).toBe("stated");
    expect(destination({ registered: { statement_expired: true } })).toBe("unseen");
    expect(destination({ registered: { reworded: true } })).toBe("unseen");
    expect(destination({ registered: { root_statement: "Write to mira@example.org" } })).toBe("stated");
  });

  it("is less where the task was handed on in other words than its root's", () => {
    expect(found({ registered: { root_statement: "Read my letters" } })).toMatchObject({
      intent: { scope: "outside" },
      task: { registered: { reworded: true } },
    });
    expect(found({ registered: { root_statement: "Send letters" } }).intent?.scope).toBe("inside");
  });

  it("is what the case says that was found, and then nothing is looked for", () => {
    const intent = { scope: "outside", alignment: "partial", object: "none", provenance: { destination: "endorsed" } };
    expect(found({ registered: {}, intent }).intent).toEqual({ ...intent, words: [] });
  });

  it.each([
    {
      task: { intent: { scope: "inside", alignment: "full", object: "none" }, observed: [] },
      message: "what was found is said by `intent`, so that nothing is looked for in `observed`; leave out one of the two",
    },
    {
      task: { registered: { reworded: false, root_statement: "Read" } },
      message: "a task that is not `reworded` has its root's words; leave out `root_statement`",
    },
  ])("is refused where it cannot be: $message", ({ task, message }) => {
    const { cases, complaints } = read({ cases: [{ name: "one", request, task, expect: expectAllow }] });
    expect(cases).toEqual([]);
    expect(complaints).toEqual([expect.stringContaining(message)]);
  });
});

describe("what was found, written into the cases", () => {
  it("replaces expectations, drops rules that are wrong, and leaves the rest as it was written", () => {
    const text = `{
  // no comment can stand here, so this is a name
  "cases": [
    { "name": "pays 500",   "request": ${JSON.stringify(payment(500).request)},
      "expect": { "outcome": "ALLOW", "score": { "min": 0, "max": 5 }, "fires": ["large", "other"], "silent": ["large"], "obligations": [] } }
  ]
}
`.replace("  // no comment can stand here, so this is a name\n", "");
    const { cases } = read(text);
    const changes = cases.map((stated) => {
      const { disagreements } = judgeCase({ policy, intent: INTENT }, stated, fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request);
      return { index: stated.source.index, disagreements };
    });
    const changed = withFound(text, changes);
    expect(changed).toBe(
      text
        .replace('"ALLOW"', '"REQUIRE_APPROVAL"')
        .replace('{ "min": 0, "max": 5 }', "20")
        .replace('["large", "other"]', '["large"]')
        .replace(' "silent": ["large"],', "")
        .replace('"obligations": []', '"obligations": [{ "type": "notify", "recipients": ["group:treasury"] }]'),
    );
    expect(
      read(changed).cases.flatMap(
        (stated) => judgeCase({ policy, intent: INTENT }, stated, fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request).disagreements,
      ),
    ).toEqual([]);
  });
});

const asks = { outcome: "REQUIRE_APPROVAL" };

describe("coverage", () => {
  it("counts rules that stand, and both ways of each comparison, where it is written", () => {
    const { rules, branches, unreached } = coverageOf(policy, judged(payment(50, { expect: expectAllow })));
    expect(rules).toEqual({ reached: 1, all: 2 });
    expect(branches).toEqual({ reached: 2, all: 4 });
    expect(unreached.map(({ rule, what }) => `${rule}: ${what}`)).toEqual([
      'large: `action.effect in ["pay","unknown"]` is never false',
      "large: the rule never stands",
      "large: `action.arguments.amount greaterThan 100` is never true",
    ]);
    for (const { position } of unreached) expect(position).toMatch(/^rules\/test\.rules\.json:1:\d+$/);
  });

  it("does not count what stands behind a part that has decided already", () => {
    const other = {
      name: "reads",
      request: { agent: { id: "bot" }, action: { tool: "pay", operation: "x" } },
      task: { standing: "new" },
      expect: asks,
    };
    const elsewhere = policyOf({
      ...{ tools: { pay: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } } } },
      rules: [
        {
          name: "large",
          conditions: {
            all: [
              { fact: "action.effect", operator: "equal", value: "pay" },
              { fact: "action.target_count", operator: "equal", value: 1 },
            ],
          },
          event: { type: "deny", params: { reason: "r", controls: [] } },
        },
      ],
    });
    const [stated] = read({ cases: [other] }).cases;
    const one = stated && judgeCase({ policy: elsewhere, intent: INTENT }, stated, fromWire(readRequestJson(stated.request), REQUEST_LIMITS).request);
    expect(coverageOf(elsewhere, one ? [one] : []).unreached.map(({ what }) => what)).toEqual([
      "the rule never stands",
      '`action.effect equal "pay"` is never true',
      "`action.target_count equal 1` is never asked",
    ]);
  });
});

describe("mutants", () => {
  const survivors = (...cases: readonly object[]): readonly string[] => {
    const isNoticed = createNoticer(policy, judged(...cases));
    return mutantsOf(policy).flatMap((mutant) => (isNoticed(mutant) ? [] : [mutant.what]));
  };

  it("change operators, values, groups and events, a named condition once for all its rules", () => {
    expect(mutantsOf(policy).map(({ what, mutated }) => `${mutated.size} ${what}`)).toEqual([
      "1 `require-approval` → `risk`",
      "1 20 points → 0",
      "1 `all` → `any`",
      "1 part 1 of `all` is dropped",
      "1 part 2 of `all` is dropped",
      '2 `action.effect in ["pay","unknown"]`: `in` → `notIn`',
      '2 `action.effect in ["pay","unknown"]`: `"pay"` is dropped',
      '2 `action.effect in ["pay","unknown"]`: `"unknown"` is dropped',
      "1 `action.arguments.amount greaterThan 100`: `greaterThan` → `greaterThanInclusive`",
      "1 `action.arguments.amount greaterThan 100`: `greaterThan` → `lessThan`",
      "1 `action.arguments.amount greaterThan 100`: `100` → `101`",
      "1 `action.arguments.amount greaterThan 100`: `100` → `99`",
      "1 the rule is left out",
    ]);
  });

  it("change a named condition wherever a rule uses it", () => {
    const twice = policyOf({
      conditions: { big: { fact: "action.arguments.amount", operator: "greaterThan", value: 20 } },
      rules: [
        {
          name: "twice",
          conditions: {
            any: [
              { all: [{ fact: "action.effect", operator: "equal", value: "pay" }, { condition: "big" }] },
              { all: [{ fact: "action.effect", operator: "equal", value: "share" }, { condition: "big" }] },
            ],
          },
          event: { type: "risk", params: { points: 5, reason: "r", controls: [] } },
        },
      ],
    });
    const [mutant] = mutantsOf(twice).filter(({ what }) => what.endsWith("`20` → `21`"));
    const values = (effect: string) => twice.slots.map(({ name }) => (name === "action.effect" ? effect : 21));
    const results = ["pay", "share"].map((effect) => mutant?.mutated.get(0)?.condition.test(values(effect)));
    expect(results).toEqual([FALSE, FALSE]);
  });

  it("survive where no case looks", () => {
    expect(survivors(payment(50, { expect: expectAllow }))).toContain("`require-approval` → `risk`");
    expect(survivors(payment(50, { expect: expectAllow }), payment(500, { expect: asks }))).not.toContain("`require-approval` → `risk`");
  });

  it("are noticed at the borders by cases that stand there", () => {
    const borders = [payment(100, { expect: expectAllow }), payment(101, { expect: { ...asks, score: 20 } })];
    expect(survivors(...borders).filter((what) => what.includes("amount"))).toEqual([]);
  });
});
