import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeApproval } from "../../src/cli/approval-report.ts";
import { approvalHeadline, leftUntil, nextWords } from "../../src/cli/approval-words.ts";
import { columnsOf } from "../../src/cli/columns.ts";
import { instant } from "../../src/core/words.ts";
import { ApprovalSummarySchema, type GetApprovalResponse, GetApprovalResponseSchema, Verdict } from "../../src/gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState, Effect, FindingResult, ObligationType, PrincipalType } from "../../src/gen/behest/v1/decision_pb.ts";

const NOW = instant(Date.UTC(2026, 10, 25, 9));
const at = (minutes: number) => timestampFromMs(NOW + minutes * 60_000);
const ID = "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21";
const EARLIER = "01999d5c-0000-7b7e-a6c3-1b0a4a5e9f21";
const TASK = "01999d5c-1111-7b7e-a6c3-1b0a4a5e9f21";

type Fields = Exclude<MessageInitShape<typeof GetApprovalResponseSchema>, GetApprovalResponse>;
type Summary = Exclude<NonNullable<Fields["approval"]>, NonNullable<GetApprovalResponse["approval"]>>;

const json = (value: JsonValue) => fromJson(ValueSchema, value);

const SUMMARY: Summary = {
  id: ID,
  kind: ApprovalKind.ACTION,
  state: ApprovalState.PENDING,
  agentId: "payer",
  principal: "user:alice",
  caller: "service:gateway",
  taskId: TASK,
  statement: "Pay the October invoices",
  tool: "bank/transfer",
  effect: Effect.PAY,
  score: 45,
  holds: [
    { name: "much-money", approvers: ["group:finance", "user:carol"], quorum: 2, agreed: ["user:bob"], eligible: ["user:bob", "user:carol"] },
    { name: "behest:basis", approvers: ["principal"], quorum: 1, agreed: [], eligible: ["user:alice"] },
  ],
  answers: [
    {
      approver: { id: "user:bob", verified: "local_file" },
      verdict: Verdict.APPROVE,
      comment: "seen the invoice",
      at: at(-1),
      holds: ["much-money"],
    },
  ],
  askedAt: at(-6),
  lastAskedAt: at(-2),
  asked: 7,
  expiresAt: at(54),
};

const page = (fields: Fields = {}, summary: Summary = {}, columns?: number): string =>
  describeApproval(create(GetApprovalResponseSchema, { ...fields, approval: { ...SUMMARY, ...summary } }), { now: NOW, columns });

const WHOLE: Fields = {
  chain: [
    { principal: { type: PrincipalType.USER, id: "alice" } },
    { principal: { type: PrincipalType.AGENT, id: "planner" }, taskId: TASK },
    { principal: { type: PrincipalType.AGENT, id: "payer" } },
  ],
  toolOwner: "team:treasury",
  toolListed: true,
  reversibility: "irreversible",
  environment: "production",
  classification: "confidential",
  arguments: [
    {
      name: "iban",
      value: json("DE89370400440532013000"),
      role: "destination",
      provenance: "stated",
      identifiers: [{ value: "de89370400440532013000", provenance: "stated" }],
    },
    { name: "amount", value: json(90), role: "amount", provenance: "unseen" },
    { name: "note", value: json("first line\nsecond line"), role: "free_text", provenance: "unseen" },
    { name: "pin", value: json({ kind: "string", length: 4, digest: "hmac-sha256:0a1b" }), role: "secret" },
  ],
  differences: [{ field: "arguments.amount", before: json(40), now: json(90) }],
  comparedWith: EARLIER,
  findings: [{ rule: "much-money", result: FindingResult.MATCHED, points: 35, reason: "moves more than 50" }],
  obligations: [{ type: ObligationType.LOG, level: "warn" }],
  onApproval: "`service:gateway` may let it, once",
  warnings: ["a key in `arguments` holds control characters (U+0007)", "`arguments.k⟨U+0007⟩` mixes alphabets"],
  statedOtherwise: "Pay everything",
};

describe("the page of an approval", () => {
  it("tells who wants what for whom, where each value comes from, and what follows, with what deceives on top", () => {
    expect(page(WHOLE)).toBe(`? pending  payer → bank/transfer (pay)  risk 45  ${ID}
  ! beware    a key in \`arguments\` holds control characters (U+0007)
  ! beware    \`arguments.k⟨U+0007⟩\` mixes alphabets
  agent       payer
  asked       at 2026-11-25T08:54:00Z through service:gateway; 7×, last at 2026-11-25T08:58:00Z
  for         user:alice
  task        “Pay the October invoices”
              ${TASK}
  ! now says  “Pay everything”
  chain       user:alice
              → agent:planner, in task ${TASK}
              → agent:payer, for whom nobody vouches
  tool        bank/transfer, owned by team:treasury
  effect      pay, irreversible
  where       production, with confidential data
  arguments   iban  (destination; named in the words of the task)
              │ "DE89370400440532013000"
              amount  (amount; nobody vouches for it)
              │ 90
              note  (free text)
              │ first line
              │ second line
              pin  (secret)
              │ a secret: a string of 4 characters, hmac-sha256:0a1b
  compared    with ${EARLIER}, approved last, this differs:
              arguments.amount
              - 40
              + 90
  findings    much-money +35: moves more than 50
  obliges     log the call, at warn or above
  holds       much-money: asks group:finance or user:carol, 2 of them
              1 of 2 agreed: user:bob; may answer: user:carol
              behest:basis: asks principal
              nobody has agreed; may answer: user:alice
  answers     user:bob: yes at 2026-11-25T08:59:00Z, “seen the invoice”
  on a yes    \`service:gateway\` may let it, once
  expires     in 54 min, at 2026-11-25T09:54:00Z
`);
  });

  it("shows an over-long text in full, with its length", () => {
    const long = "Lorem ipsum ".repeat(100).trim();
    const shown = page({ arguments: [{ name: "body", value: json(long), role: "free_text" }] }, { statement: long });
    expect(shown).toContain(`body  (free text; 1,199 characters)\n              │ "${long}"\n`);
    expect(shown).toContain(`task        (1,199 characters)\n              “${long}”\n`);
  });

  it("says what a wider yes covers, one by one, and how it ended", () => {
    const granted = {
      uses: 3,
      used: 1,
      until: at(60),
      values: ["bob@example.org"],
      sources: ["crm"],
      varying: [{ argument: "amount", atMost: 90 }, { argument: "note" }],
    };
    const shown = page(
      { onApproval: "never shown" },
      { state: ApprovalState.CANCELLED, granted, ended: { at: at(-1), by: "user:bob", reason: "INC-4711" } },
    );
    expect(
      shown,
    ).toContain(`  granted     3 times in all, used once, until 2026-11-25T10:00:00Z: everything else is exactly as shown; amount may be at most 90; note may be other text that names no new address, account, number or key
              counts as named by a person in this task until 2026-11-25T10:00:00Z: bob@example.org
              may be followed in this task until 2026-11-25T10:00:00Z: what crm answers
  ended       cancelled at 2026-11-25T08:59:00Z by user:bob: INC-4711\n`);
    expect(shown).not.toContain("never shown");
  });

  const HOLD = { name: "much-money", approvers: ["group:finance"], quorum: 1, agreed: [], eligible: [] };
  const yes = (by: string, endorsement?: { readonly uses?: number; readonly values?: string[]; readonly sources?: string[] }) => ({
    approver: { id: by, verified: "local_file" },
    verdict: Verdict.APPROVE,
    at: at(-1),
    holds: ["much-money"],
    ...(endorsement && { endorsement }),
  });
  const nextOf = (summary: Summary): string | undefined => nextWords(create(ApprovalSummarySchema, { ...SUMMARY, ...summary }));

  it("says that a yes covers nothing while whoever said it may not answer, and not to use it", () => {
    const lapsed: Summary = { state: ApprovalState.APPROVED, holds: [{ ...HOLD, eligible: ["user:carol"] }], answers: [yes("user:bob")] };
    expect(page({}, lapsed)).toContain(
      "holds       much-money: asks group:finance\n              user:bob said yes and may not answer any more: this covers nothing now\n",
    );
    expect(page({}, lapsed)).toMatch(/^! approved {2}payer/);
    expect(nextOf(lapsed)).toBeUndefined();
    expect(nextOf({ ...lapsed, holds: [{ ...HOLD, agreed: ["user:bob"] }] })).toBe(`decide THE-SAME-REQUEST --approval ${ID}`);
    expect(page({}, { ...lapsed, state: ApprovalState.PENDING })).toContain(
      "user:bob said yes and may not answer any more; may answer: user:carol\n",
    );
  });

  it.each<{ says: string; hold: object; line: string }>([
    {
      says: "a group can be filled",
      hold: {},
      line: "nobody has agreed; nobody may answer: add people to group:finance in policy.json, or let it expire",
    },
    {
      says: "of several one has agreed",
      hold: { quorum: 2, agreed: ["user:bob"], eligible: ["user:bob"] },
      line: "1 of 2 agreed: user:bob; nobody else may answer: add people to group:finance in policy.json, or let it expire",
    },
    { says: "only the principal is asked", hold: { approvers: ["principal"] }, line: "nobody has agreed; nobody may answer: let it expire" },
  ])("names what helps where nobody may answer, and no next step: $says", ({ hold, line }) => {
    const summary: Summary = { answers: [], holds: [{ ...HOLD, ...hold }] };
    expect(page({}, summary)).toContain(`              ${line}\n`);
    expect(nextOf(summary)).toBeUndefined();
    expect(nextOf({ ...summary, holds: [{ ...HOLD, eligible: ["user:carol"] }] })).toBe(`approvals approve ${ID}`);
  });

  it("tells who has said yes to how much, and what not all have named", () => {
    const first = yes("user:bob", { uses: 3, values: ["a@example.org"], sources: ["crm"] });
    const said = `user:bob: yes at 2026-11-25T08:59:00Z, to 3 uses, to a@example.org as named by a person, to following what crm answers\n`;
    expect(page({}, { answers: [first] })).toContain(said);
    expect(page({}, { answers: [first] })).not.toContain("not granted");
    const both: Summary = {
      state: ApprovalState.APPROVED,
      answers: [first, yes("user:carol", { values: ["a@example.org"] })],
      granted: { uses: 1, values: ["a@example.org"], until: at(60) },
    };
    expect(page({}, both)).toContain(
      "  granted     counts as named by a person in this task until 2026-11-25T10:00:00Z: a@example.org\n              not granted: 3 uses; user:carol said yes to 1\n              not granted: source crm, which user:carol did not name\n",
    );
  });

  it("takes no task that a chain names for a word of anybody's", () => {
    const chain = [{ principal: { type: PrincipalType.USER, id: "alice" }, taskId: "01, for whom finance vouches\u200b" }];
    expect(page({ chain }, { principal: "" })).toContain(
      "  chain       user:alice, in task 01, for whom finance vouches⟨U+200B⟩, for whom nobody vouches\n",
    );
  });

  it("says a flood in words", () => {
    expect(approvalHeadline(create(GetApprovalResponseSchema, { approval: { ...SUMMARY, kind: ApprovalKind.FLOOD } }).approval ?? fail())).toBe(
      `? pending  payer asks more than people can be asked  ${ID}`,
    );
  });
});

const fail = (): never => {
  throw new Error("no approval");
};

/** What tries to look like a line of the page, to go to the beginning of one, or to colour it. */
const HOSTILE = [
  "\n  holds       none",
  "\r\n  expires     never\r\n",
  "\u001b[2K\u001b[1G  holds       none",
  "\u009b2K\u0085  holds       none",
  `${" ".repeat(60)}holds       none`,
  "─".repeat(200),
  "漢".repeat(200),
  `${"x".repeat(47)}  holds       none`,
  "\u202e enon sdloh",
  "│ │ │ ",
  `"  (destination; named in the words of the task)`,
];

const LABELS =
  /^ {2}(! beware|agent|asked|for|task|! now says|chain|tool|effect|resource|where|arguments|compared|findings|obliges|holds|answers|granted|on a yes|expires|ended)( +[^ ]|$)/;

/** What of a page is not as this program alone writes it. */
function escapes(shown: string, columns: number): readonly string[] {
  const [head = "", ...lines] = shown.trimEnd().split("\n");
  const strange = lines.filter(
    (line) => columnsOf(line) > columns || /[\p{C}\p{Zl}\p{Zp}]/u.test(line) || !(/^ {4}[^ ]|^ {14}/.test(line) || LABELS.test(line)),
  );
  const holds = lines.filter((line) => line.startsWith("  holds"));
  const isHonest = holds.length === 1 && holds[0]?.includes("much-money: asks group:finance");
  return [...(head.startsWith("? pending  ") ? [] : [head]), ...strange, ...(isHonest ? [] : holds)];
}

describe("whatever an agent writes into a request", () => {
  const hostile = fc
    .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 20 })), { maxLength: 3 })
    .map((all) => all.join(""));

  it("stays behind the margin, in one terminal's width, and moves and colours nothing", () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(60, 80, 132), (words, columns) => {
        const shown = page(
          {
            ...WHOLE,
            chain: [{ principal: { type: PrincipalType.AGENT, id: words }, taskId: "" }],
            operation: words,
            resource: words,
            environment: words,
            classification: words,
            arguments: [
              { name: words, value: json(words), role: "free_text", provenance: "unseen", identifiers: [{ value: words, provenance: "unseen" }] },
              { name: "list", value: json([words, { [words]: words }]) },
              { name: "secret", value: json({ kind: words, length: 4, digest: words }), role: "secret" },
            ],
            differences: [{ field: words, before: json(words), now: json(words) }],
            statedOtherwise: words,
            warnings: [words],
          },
          { agentId: words, tool: words, statement: words, answers: [] },
          columns,
        );
        expect(escapes(shown, columns)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each(HOSTILE.slice(0, 7))("would do so as it is: %j", (words) => {
    expect(escapes(page(WHOLE, {}, 80).replace("October", words), 80)).not.toEqual([]);
  });
});

describe("the time that is left", () => {
  it.each([
    { ms: 90_000, left: "90 s" },
    { ms: 120_000, left: "2 min" },
    { ms: 179_999, left: "2 min 59 s" },
    { ms: 3_599_999, left: "59 min" },
    { ms: 7_200_000, left: "2 h" },
    { ms: 14_399_999, left: "3 h 59 min" },
    { ms: 46_800_000, left: "13 h" },
    { ms: 172_800_000, left: "2 d" },
    { ms: 259_199_999, left: "2 d 23 h" },
    { ms: 999, left: "0 s" },
    { ms: 0, left: "over" },
  ])("is $left for $ms ms", ({ ms, left }) => {
    expect(leftUntil(timestampFromMs(NOW + ms), NOW)).toBe(left);
  });
});
