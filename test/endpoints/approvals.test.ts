import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BehestClient, createClient } from "../../src/client/client.ts";
import type { Role } from "../../src/core/request.ts";
import * as wire from "../../src/gen/behest/v1/approval_pb.ts";
import {
  ApprovalKind,
  ApprovalState,
  Basis,
  type DecideRequest,
  type DecideResponse,
  Effect,
  PrincipalType,
} from "../../src/gen/behest/v1/decision_pb.ts";
import { type OpenTaskRequestSchema, ScopeKind } from "../../src/gen/behest/v1/task_pb.ts";
import { type AskingServer, failureOf, idOf, inWords, type OtherCaller, runAskingServer, writing } from "./asking-server.ts";
import { ACCEPTED, malformed, outcomeOf, type Refusal, refusalOf, tooBig } from "./raw-calls.ts";

const { Verdict } = wire;

let server: AskingServer;
let approver: BehestClient;
const others = new Map<string, BehestClient>();
beforeAll(async () => {
  server = await runAskingServer();
  approver = server.approver;
  const callers: readonly OtherCaller[] = [
    { caller: "user:bob", roles: ["approver"] },
    { caller: "both", roles: ["enforcer", "approver"] },
    { caller: "writer", roles: ["approver"] },
    { caller: "user:local", roles: ["approver", "auditor"], tenant: "elsewhere" },
  ];
  for (const caller of callers) others.set(caller.tenant ?? caller.caller, (await server.join(caller)).client);
});
afterAll(() => server.close());

const other = (name: string): BehestClient => {
  const client = others.get(name);
  if (!client) throw new Error(`no client \`${name}\``);
  return client;
};

let writers = 0;
/** Asks in a task of its own. */
const another = (fields: Parameters<typeof writing>[0] = {}, content?: string): DecideRequest =>
  writing({ agent: { id: `writer-${writers++}` }, ...fields }, content);

/** A task of `user:local`, who is asked for what it was not opened for; and the agent that it is for. */
async function openTask(fields: Omit<MessageInitShape<typeof OpenTaskRequestSchema>, "$typeName"> = {}) {
  const agent = { id: `writer-${writers++}` };
  const { task } = await server.client("initiator").openTask({
    statement: "Keep the notes",
    agentId: agent.id,
    principal: { type: PrincipalType.USER, id: "local" },
    scopeKind: ScopeKind.PROPOSED,
    ...fields,
  });
  return { agent, task: { id: task?.taskId ?? "none" } };
}

const yes = (approvalId: string, endorsement?: MessageInitShape<typeof wire.EndorsementSchema>) =>
  approver.resolveApproval({ approvalId, verdict: Verdict.APPROVE, ...(endorsement && { endorsement }) });
const again = (request: DecideRequest, approvalId = ""): Promise<DecideResponse> => server.decide({ ...request, approvalId });
const listed = async (client: BehestClient, question: MessageInitShape<typeof wire.ListApprovalsRequestSchema> = {}): Promise<readonly string[]> =>
  (await client.listApprovals(question)).approvals.map(({ id }) => id);
describe("an approval", () => {
  it("is asked for, listed, shown, given and used, once", async () => {
    const request = another();
    const asked = await server.decide(request);
    const id = idOf(asked);
    const { approvals } = await approver.listApprovals({ agentId: request.agent?.id ?? "" });
    const summary = approvals.find((approval) => approval.id === id);
    expect(summary).toMatchObject({
      kind: ApprovalKind.ACTION,
      state: ApprovalState.PENDING,
      agentId: request.agent?.id,
      principal: "",
      caller: "local-enforcer",
      taskId: asked.taskId,
      tool: "write",
      effect: Effect.UPDATE,
      score: asked.risk?.score,
      holds: [{ name: "behest:basis", approvers: ["group:approvers"], quorum: 1, agreed: [], eligible: ["user:local"] }],
      answers: [],
      asked: 1,
      decisionId: asked.decisionId,
    });
    expect((await approver.getApproval(id)).approval).toEqual(summary);

    const { approval: given } = await yes(id);
    expect(given).toMatchObject({
      state: ApprovalState.APPROVED,
      holds: [{ agreed: ["user:local"] }],
      answers: [{ approver: { id: "user:local", verified: "local_file" }, verdict: Verdict.APPROVE, holds: ["behest:basis"] }],
    });
    const used = await again(request, id);
    expect({ ...inWords(used), basis: used.basis }).toEqual({ outcome: "ALLOW", codes: [], state: "CONSUMED", basis: Basis.AUTHORIZED });
    expect((await approver.getApproval(id)).approval).toMatchObject({ state: ApprovalState.CONSUMED, ended: { by: "" } });

    const anew = await again(request, id);
    expect(inWords(anew)).toEqual({ outcome: "REQUIRE_APPROVAL", codes: ["BASIS_ASKS", "APPROVAL_NOT_APPLICABLE"], state: "PENDING" });
    expect(idOf(anew)).not.toBe(id);
  });

  it("is explained as given, and not used by that", async () => {
    const request = another();
    const approvalId = await server.asking(request);
    await yes(approvalId);
    const { decision } = await server.client("auditor").explain({ ...request, approvalId }, { caller: "local-enforcer" });
    expect(decision && { ...inWords(decision), basis: decision.basis }).toMatchObject({ outcome: "ALLOW", codes: [], basis: Basis.AUTHORIZED });
    expect((await approver.getApproval(approvalId)).approval).toMatchObject({ state: ApprovalState.APPROVED });
    expect(inWords(await again(request, approvalId))).toMatchObject({ outcome: "ALLOW", state: "CONSUMED" });
  });

  it("says whom the task is for, also where that is a service, which nobody can ask", async () => {
    const { agent, task } = await openTask({ principal: { type: PrincipalType.SERVICE, id: "nightly" } });
    const asked = await server.decide(another({ agent, task }));
    expect((await approver.getApproval(idOf(asked))).approval).toMatchObject({
      principal: "service:nightly",
      holds: [{ approvers: ["group:approvers"], eligible: ["user:local"] }],
    });
  });

  it("is one for identical requests, which are counted, and stays as it is when another is asked with it", async () => {
    const request = another();
    const id = await server.asking(request);
    expect(await server.asking(request)).toBe(id);
    const strange = await again(another({ agent: request.agent }, "something else"), id);
    expect(inWords(strange)).toMatchObject({ outcome: "REQUIRE_APPROVAL", codes: ["BASIS_ASKS", "APPROVAL_NOT_APPLICABLE"] });
    expect(idOf(strange)).not.toBe(id);
    expect((await approver.getApproval(id)).approval).toMatchObject({ state: ApprovalState.PENDING, asked: 2 });
  });

  it("once denied, denies the same request and no other, with no more asking", async () => {
    const request = another();
    const id = await server.asking(request);
    const { approval } = await approver.resolveApproval({ approvalId: id, verdict: Verdict.DENY, comment: "not on a Friday" });
    expect(approval).toMatchObject({ state: ApprovalState.DENIED, ended: { by: "user:local", reason: "not on a Friday" } });
    for (const approvalId of ["", id]) {
      const answer = await again(request, approvalId);
      expect({ outcome: outcomeOf(answer), codes: answer.reasonCodes }).toEqual({ outcome: "DENY", codes: ["APPROVAL_DENIED"] });
    }
    await server.asking(another({ agent: request.agent }, "something else"));
  });

  it("once revoked, covers nothing, and can be asked anew", async () => {
    const request = another();
    const id = await server.asking(request);
    await yes(id);
    const { approval } = await approver.resolveApproval({ approvalId: id, verdict: Verdict.REVOKE, comment: "too soon" });
    expect(approval).toMatchObject({ state: ApprovalState.CANCELLED, ended: { by: "user:local", reason: "too soon" } });
    const answer = await again(request, id);
    expect(inWords(answer)).toMatchObject({ outcome: "REQUIRE_APPROVAL", codes: ["BASIS_ASKS", "APPROVAL_NOT_APPLICABLE"] });
    expect(idOf(answer)).not.toBe(id);
  });

  it("takes the same yes twice as one, and nothing more once it is settled", async () => {
    const request = another();
    const id = await server.asking(request);
    await yes(id);
    expect((await yes(id)).approval?.answers).toHaveLength(1);
    await again(request, id);
    for (const verdict of [Verdict.DENY, Verdict.REVOKE]) {
      const error = await failureOf(approver.resolveApproval({ approvalId: id, verdict, comment: "late" }));
      expect({ code: error.code, message: error.message }).toEqual({ code: Code.FAILED_PRECONDITION, message: `approval \`${id}\` is consumed` });
    }
  });

  it("may be for more uses of what is alike, which are shown and counted, and end when it is revoked", async () => {
    const request = another();
    const id = await server.asking(request);
    const { approval } = await yes(id, { uses: 3, values: ["/srv/notes.md"], sources: ["write"] });
    expect(approval).toMatchObject({
      state: ApprovalState.APPROVED,
      answers: [{ endorsement: { uses: 3, values: ["/srv/notes.md"], sources: ["write"] } }],
      granted: { uses: 3, used: 0, values: ["/srv/notes.md"], sources: ["write"], varying: [{ argument: "content" }] },
    });
    const alike = another({ agent: request.agent }, "another text");
    expect(inWords(await server.decide(alike))).toEqual({ outcome: "ALLOW", codes: [], state: "APPROVED" });
    expect((await approver.getApproval(id)).approval?.granted?.used).toBe(1);
    const named = another({ agent: request.agent }, "now with https://evil.example");
    expect(outcomeOf(await server.decide(named))).toBe("REQUIRE_APPROVAL");
    await approver.resolveApproval({ approvalId: id, verdict: Verdict.REVOKE });
    expect(outcomeOf(await server.decide(alike))).toBe("REQUIRE_APPROVAL");
  });

  it("is over when its task is closed or its time is, and says so before and after that is written down", async () => {
    const closed = await openTask();
    const cut = await server.asking(another(closed));
    await server.client("initiator").closeTask(closed.task.id);
    const CANCELLED = { state: ApprovalState.CANCELLED, ended: { by: "", reason: "its task has ended" } };
    expect((await approver.getApproval(cut)).approval).toMatchObject(CANCELLED);
    const short = await server.asking(another(await openTask({ expiresAt: timestampFromMs(Date.now() + 1_500) })));
    await expect
      .poll(() => server.rows("SELECT record ->> '$.how' AS how FROM events WHERE kind = 'approval_ended'"), { timeout: 10_000 })
      .toEqual(expect.arrayContaining([{ how: "cancelled" }, { how: "expired" }]));
    expect((await approver.getApproval(cut)).approval).toMatchObject(CANCELLED);
    expect((await approver.getApproval(short)).approval).toMatchObject({ state: ApprovalState.EXPIRED, ended: { by: "", reason: "" } });
    const lines = server.log.map((line): Record<string, unknown> => JSON.parse(line)).filter(({ msg }) => msg === "approval ended");
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ approvalId: cut, taskId: closed.task.id, state: "cancelled", reason: "its task has ended" }),
        expect.objectContaining({ approvalId: short, state: "expired" }),
      ]),
    );
  });
});

describe("who may see and answer", () => {
  it.each<{ says: string; name: string; message: RegExp }>([
    { says: "whom no hold names", name: "user:bob", message: /^`user:bob` may answer none of the holds: `behest:basis` asks `group:approvers`$/ },
    {
      says: "the agent that acts",
      name: "writer",
      message: /^`writer` asks for this action, or hands it on, and so cannot approve it$/,
    },
  ])("an approver $says may not", async ({ name, message }) => {
    const id = await server.asking(another({ agent: { id: "writer" } }));
    const error = await failureOf(other(name).resolveApproval({ approvalId: id, verdict: Verdict.APPROVE }));
    expect({ code: error.code, message: error.message }).toEqual({ code: Code.PERMISSION_DENIED, message: expect.stringMatching(message) });
    expect((await approver.getApproval(id)).approval?.answers).toEqual([]);
  });

  it("who asks may not answer, with whatever roles", async () => {
    const asked = await other("both").decide(another());
    const error = await failureOf(other("both").resolveApproval({ approvalId: idOf(asked), verdict: Verdict.APPROVE }));
    expect({ code: error.code, message: error.message }).toEqual({
      code: Code.PERMISSION_DENIED,
      message: "`both` asks for this action, or hands it on, and so cannot approve it",
    });
  });

  it("another tenant has none of it, though its approver be called the same", async () => {
    const id = await server.asking(another());
    const elsewhere = other("elsewhere");
    expect(await elsewhere.listApprovals()).toMatchObject({ approvals: [], total: 0 });
    const unknown = {
      code: Code.NOT_FOUND,
      message: `no approval \`${id}\` is remembered for \`user:local\`; ListApprovals names those that are`,
    };
    for (const call of [elsewhere.getApproval(id), elsewhere.resolveApproval({ approvalId: id, verdict: Verdict.APPROVE })]) {
      const { code, message } = await failureOf(call);
      expect({ code, message }).toEqual(unknown);
    }
  });

  it("an enforcer sees what it asked for itself, and nothing that it is compared with but its own", async () => {
    const request = another();
    const mine = await server.asking(request);
    await yes(mine);
    await again(request, mine);
    const theirs = await server.decideAsOther(another({ agent: request.agent }, "theirs"));
    const otherEnforcer = createClient({ address: server.address, token: server.otherToken, timeoutMs: 20_000 });
    try {
      expect(await listed(otherEnforcer)).toEqual([idOf(theirs)]);
      expect((await failureOf(otherEnforcer.getApproval(mine))).code).toBe(Code.NOT_FOUND);
      expect(await otherEnforcer.getApproval(idOf(theirs))).toMatchObject({ comparedWith: "", differences: [] });
      expect(await approver.getApproval(idOf(theirs))).toMatchObject({ comparedWith: mine });
    } finally {
      otherEnforcer.close();
    }
  });

  it.each<Role>(["auditor", "operator", "approver"])("a token with the role %s sees all of the tenant", async (role) => {
    const id = await server.asking(another());
    expect(await listed(server.client(role))).toContain(id);
    expect((await server.client(role).getApproval(id)).approval?.id).toBe(id);
  });
});

describe("GetApproval", () => {
  it("shows each argument with where it is from, what deceives, what differs, and what was said of it", async () => {
    const { agent, task } = await openTask({ statement: "Write to https://good.example/a" });
    const of = (content: string) => another({ agent, task: { ...task, statement: "Anything" } }, content);
    const first = of("post to https://good.example/a");
    const asked = await server.decide(first);
    expect(outcomeOf(asked)).toBe("REQUIRE_APPROVAL");
    await yes(idOf(asked));
    const next = await server.decide(of("post to https://evil.example/\u202e"));
    const shown = await approver.getApproval(idOf(next));
    expect(shown).toMatchObject({
      approval: { statement: "Write to https://good.example/a", principal: "user:local" },
      chain: [{ principal: { type: PrincipalType.USER, id: "local" } }, { principal: { type: PrincipalType.AGENT, id: agent.id } }],
      toolListed: true,
      environment: "production",
      statedOtherwise: "Anything",
      comparedWith: idOf(asked),
      differences: [{ field: "action.arguments.content" }],
    });
    expect(shown.arguments.map(({ name, role, provenance }) => ({ name, role, provenance }))).toEqual([
      { name: "path", role: "target", provenance: "unseen" },
      { name: "content", role: "free_text", provenance: "unseen" },
    ]);
    expect(shown.arguments[1]?.identifiers).toEqual([
      expect.objectContaining({ value: "https://evil.example/", provenance: "unseen" }),
      expect.objectContaining({ value: "evil.example/", provenance: "unseen" }),
    ]);
    expect(shown.warnings.length).toBeGreaterThan(0);
    expect(shown.findings.map(({ rule }) => rule)).toEqual(next.findings.map(({ rule }) => rule));
    expect(shown.onApproval).toContain(`\`local-enforcer\` may let agent \`${agent.id}\` do exactly this, once, until `);
  });
});

describe("ListApprovals", () => {
  it("lists those that wait first, the riskiest before others, and as many as asked for", async () => {
    const agent = { id: "lister" };
    const [low, other] = [await server.asking(another({ agent }, "1")), await server.asking(another({ agent }, "2"))];
    const { taskId } = await server.decide(another({ agent }, "1"));
    await yes(low);
    expect(await listed(approver, { taskId })).toEqual([other, low]);
    expect(await approver.listApprovals({ taskId, limit: 1 })).toMatchObject({ approvals: [{ id: other }], total: 2 });
    expect(await listed(approver, { taskId, states: [ApprovalState.APPROVED] })).toEqual([low]);
    expect(await listed(approver, { taskId, agentId: "somebody-else" })).toEqual([]);
    expect(await listed(approver, { taskId: "none" })).toEqual([]);
  });
});

const asApprover = (): string => `Bearer ${server.token("approver")}`;
type Answer = Exclude<MessageInitShape<typeof wire.ResolveApprovalRequestSchema>, wire.ResolveApprovalRequest>;
const refusalOfResolve = async (answer: Answer): Promise<Refusal> => {
  const body = toBinary(wire.ResolveApprovalRequestSchema, create(wire.ResolveApprovalRequestSchema, answer));
  return refusalOf(await server.raw.call("ResolveApproval", body, asApprover()));
};
const NAMES = Array.from({ length: 65 }, (_, index) => `v${index}`);
const UNFIT = "holds a control, invisible or undecodable character, or begins or ends with space";

describe("ResolveApproval", () => {
  const GOOD = { verdict: Verdict.APPROVE } satisfies Answer;
  it.each<{ says: string; answer: Answer; refusal: Refusal }>([
    { says: "no id", answer: { approvalId: "" }, refusal: malformed("`approval_id` is missing or empty", "approval_id") },
    { says: "an id with a line break", answer: { approvalId: "a\nb" }, refusal: malformed(`\`approval_id\` ${UNFIT}`, "approval_id") },
    {
      says: "an id of 1,025 bytes",
      answer: { approvalId: "x".repeat(1_025) },
      refusal: tooBig("identifier_bytes", "`approval_id` is longer than 1024 bytes", "approval_id"),
    },
    {
      says: "no verdict",
      answer: { verdict: Verdict.UNSPECIFIED },
      refusal: malformed("`verdict` is `0`: write APPROVE, DENY or REVOKE", "verdict"),
    },
    {
      says: "a verdict that is none",
      answer: { verdict: 99 as wire.Verdict },
      refusal: malformed("`verdict` is `99`: write APPROVE, DENY or REVOKE", "verdict"),
    },
    {
      says: "a no without a comment",
      answer: { verdict: Verdict.DENY, comment: "  " },
      refusal: malformed("`comment` is missing: say why, for whoever asked", "comment"),
    },
    {
      says: "a comment of 1,025 bytes",
      answer: { comment: "ü".repeat(513) },
      refusal: tooBig("comment_bytes", "`comment` is longer than 1024 bytes", "comment"),
    },
    {
      says: "a comment with a terminal's escape",
      answer: { comment: "\u001b[2J" },
      refusal: malformed("`comment` holds a control or invisible character; write it in one line", "comment"),
    },
    {
      says: "a comment that runs backwards",
      answer: { comment: "yes\u202eon" },
      refusal: malformed("`comment` holds a control or invisible character; write it in one line", "comment"),
    },
    {
      says: "an endorsement with a no",
      answer: { verdict: Verdict.DENY, comment: "no", endorsement: {} },
      refusal: malformed("`endorsement` goes with APPROVE alone; `verdict` is DENY", "endorsement"),
    },
    {
      says: "an endorsement with a revocation",
      answer: { verdict: Verdict.REVOKE, endorsement: { uses: 2 } },
      refusal: malformed("`endorsement` goes with APPROVE alone; `verdict` is REVOKE", "endorsement"),
    },
    {
      says: "more uses than the policy lets be given",
      answer: { endorsement: { uses: 11 } },
      refusal: malformed("`endorsement.uses` is 11; `endorsement_uses_max` of policy.json lets it be 10 at most", "endorsement.uses"),
    },
    {
      says: "an end in the past",
      answer: { endorsement: { uses: 2, until: timestampFromMs(1_000) } },
      refusal: malformed("`endorsement.until` is `1970-01-01T00:00:01.000Z`, which is over", "endorsement.until"),
    },
    {
      says: "an end before 1970",
      answer: { endorsement: { until: { seconds: -1n, nanos: 0 } } },
      refusal: malformed("`endorsement.until` is no time from 1970 to 9999", "endorsement.until"),
    },
    {
      says: "a value that was not shown",
      answer: { endorsement: { values: ["/srv/other.md"] } },
      refusal: malformed("`endorsement.values` holds `/srv/other.md`, which no argument of the request is or names", "endorsement.values"),
    },
    {
      says: "an empty value",
      answer: { endorsement: { values: [""] } },
      refusal: malformed("`endorsement.values[0]` is missing or empty", "endorsement.values[0]"),
    },
    {
      says: "a value of 1,025 bytes",
      answer: { endorsement: { values: ["x".repeat(1_025)] } },
      refusal: tooBig("identifier_bytes", "`endorsement.values[0]` is longer than 1024 bytes", "endorsement.values[0]"),
    },
    {
      says: "65 values",
      answer: { endorsement: { values: NAMES } },
      refusal: tooBig("endorsed", "`endorsement.values` holds more than 64 of them", "endorsement.values"),
    },
    {
      says: "65 sources",
      answer: { endorsement: { sources: NAMES } },
      refusal: tooBig("endorsed", "`endorsement.sources` holds more than 64 of them", "endorsement.sources"),
    },
    {
      says: "a source that nobody knows",
      answer: { endorsement: { sources: ["darknet"] } },
      refusal: malformed("`endorsement.sources` holds `darknet`, which is no tool or server of the catalog", "endorsement.sources"),
    },
  ])("refuses $says, and takes no answer", async ({ answer, refusal }) => {
    const id = await server.asking(another());
    expect(await refusalOfResolve({ ...GOOD, approvalId: id, ...answer })).toEqual(refusal);
    expect((await approver.getApproval(id)).approval).toMatchObject({ state: ApprovalState.PENDING, answers: [] });
  });

  it("refuses an end after the task's own", async () => {
    const asked = await server.decide(another(await openTask({ expiresAt: timestampFromMs(Date.now() + 60_000) })));
    const until = timestampFromMs(Date.now() + 120_000);
    const refusal = await refusalOfResolve({ ...GOOD, approvalId: idOf(asked), endorsement: { uses: 2, until } });
    expect(refusal).toMatchObject({ code: "INVALID_ARGUMENT", field: "endorsement.until" });
    expect(refusal.message).toMatch(/; the task lasts until `/);
  });

  it("takes the longest that is allowed of everything", async () => {
    const value = `/${"x".repeat(1_023)}`;
    const until = timestampFromMs(Date.now() + 60_000);
    const request = another({
      action: { tool: "write", argumentsForm: { case: "arguments", value: { path: value, content: "c" } } },
    });
    const id = await server.asking(request);
    const endorsement = { uses: 10, until, values: Array.from({ length: 64 }, () => value), sources: ["write"] };
    expect(await refusalOfResolve({ approvalId: id, verdict: Verdict.APPROVE, comment: "\\".repeat(1_024), endorsement })).toEqual(ACCEPTED);
    const { granted } = (await approver.getApproval(id)).approval ?? {};
    expect({ uses: granted?.uses, until: granted?.until && timestampMs(granted.until) }).toEqual({ uses: 10, until: timestampMs(until) });
  });
});

describe("ListApprovals and GetApproval", () => {
  const list = (question: MessageInitShape<typeof wire.ListApprovalsRequestSchema>): Promise<Refusal> =>
    server.raw
      .call("ListApprovals", toBinary(wire.ListApprovalsRequestSchema, create(wire.ListApprovalsRequestSchema, question)), asApprover())
      .then(refusalOf);
  it.each<{ says: string; refused: () => Promise<Refusal>; refusal: Refusal }>([
    { says: "a limit of 501", refused: () => list({ limit: 501 }), refusal: malformed("`limit` is 501; at most 500 are listed", "limit") },
    {
      says: "a state that is none",
      refused: () => list({ states: [ApprovalState.PENDING, 99 as ApprovalState] }),
      refusal: malformed("`states[1]` is `99`: write PENDING, APPROVED, DENIED, EXPIRED, CANCELLED or CONSUMED", "states[1]"),
    },
    {
      says: "no state",
      refused: () => list({ states: [ApprovalState.UNSPECIFIED] }),
      refusal: malformed("`states[0]` is `0`: write PENDING, APPROVED, DENIED, EXPIRED, CANCELLED or CONSUMED", "states[0]"),
    },
    { says: "an agent that is no identifier", refused: () => list({ agentId: " a" }), refusal: malformed(`\`agent_id\` ${UNFIT}`, "agent_id") },
    {
      says: "a task of 1,025 bytes",
      refused: () => list({ taskId: "x".repeat(1_025) }),
      refusal: tooBig("identifier_bytes", "`task_id` is longer than 1024 bytes", "task_id"),
    },
    {
      says: "no id",
      refused: async () => refusalOf(await server.raw.call("GetApproval", new Uint8Array(), asApprover())),
      refusal: malformed("`approval_id` is missing or empty", "approval_id"),
    },
    {
      says: "what is no message",
      refused: async () => refusalOf(await server.raw.call("ListApprovals", Buffer.alloc(64, 0xff), asApprover())),
      refusal: malformed("the message is no behest.v1.ListApprovalsRequest"),
    },
  ])("refuse $says", async ({ refused, refusal }) => {
    expect(await refused()).toEqual(refusal);
  });
});

it("logs each answer in one line, without arguments", async () => {
  const request = another({}, "a text for nobody to read");
  const id = await server.asking(request);
  await approver.resolveApproval({ approvalId: id, verdict: Verdict.APPROVE, comment: "a comment for nobody to read" });
  const lines = server.log.map((line): Record<string, unknown> => JSON.parse(line)).filter(({ approvalId }) => approvalId === id);
  expect(lines.map(({ msg, state, verdict, caller }) => ({ msg, state, verdict, caller }))).toEqual([
    { msg: "decided", caller: "local-enforcer" },
    { msg: "approval answered", state: "approved", verdict: "approve", caller: "user:local" },
  ]);
  expect(server.log.some((line) => line.includes("for nobody to read"))).toBe(false);
});
