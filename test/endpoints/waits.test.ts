import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientUnaryCall, status as Code, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BehestClient } from "../../src/client/client.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { type AskingServer, idOf, inWords, runAskingServer, writing } from "./asking-server.ts";
import { outcomeOf, requestOf } from "./raw-calls.ts";

const LONG_MS = 50_000;

let server: AskingServer;
let enforcer: BehestClient;
beforeAll(async () => {
  server = await runAskingServer();
  enforcer = server.client("enforcer");
});
afterAll(() => server.close());

/** What was decided for an agent, in its order, and which decision it goes on from. */
const decisionsOf = (agent: string, { rows }: Pick<AskingServer, "rows"> = server) =>
  rows(`SELECT decision_id AS id, outcome, record ->> '$.continues' AS continues FROM decisions WHERE agent = '${agent}' ORDER BY seq`);

const ALLOWED = { outcome: "ALLOW", codes: [], state: "CONSUMED" };
const ASKED = { outcome: "REQUIRE_APPROVAL", codes: ["BASIS_ASKS"], state: "PENDING" };

describe("a decision that waits for people", () => {
  it("is made once more when they say yes, names the first, and uses the approval", async () => {
    const agent = { id: "answered" };
    const waiting = enforcer.decide(writing({ agent, waitMs: LONG_MS }));
    const approval = await server.pendingOf(agent.id);
    const [first] = decisionsOf(agent.id);
    await server.yes(approval);
    const answer = await waiting;
    expect({ ...inWords(answer), approval: idOf(answer), replayed: answer.replayed }).toEqual({ ...ALLOWED, approval, replayed: false });
    expect(decisionsOf(agent.id)).toEqual([
      { id: first?.["id"], outcome: "REQUIRE_APPROVAL", continues: null },
      { id: answer.decisionId, outcome: "ALLOW", continues: first?.["id"] },
    ]);
    expect(outcomeOf(await server.decide(writing({ agent, approvalId: approval })))).toBe("REQUIRE_APPROVAL");
  });

  it("is denied once more when they say no", async () => {
    const agent = { id: "refused" };
    const waiting = enforcer.decide(writing({ agent, waitMs: LONG_MS }));
    await server.no(await server.pendingOf(agent.id));
    const answer = await waiting;
    expect({ outcome: outcomeOf(answer), codes: answer.reasonCodes }).toEqual({ outcome: "DENY", codes: ["APPROVAL_DENIED"] });
    expect(decisionsOf(agent.id).map(({ outcome }) => outcome)).toEqual(["REQUIRE_APPROVAL", "DENY"]);
  });

  it("is the first when nobody answers in time, and can be answered later", async () => {
    const agent = { id: "unanswered" };
    const answer = await enforcer.decide(writing({ agent, waitMs: 300 }));
    expect(inWords(answer)).toEqual(ASKED);
    expect(decisionsOf(agent.id)).toEqual([{ id: answer.decisionId, outcome: "REQUIRE_APPROVAL", continues: null }]);
    await server.yes(idOf(answer));
    expect(inWords(await server.decide(writing({ agent, approvalId: idOf(answer) })))).toEqual(ALLOWED);
  });

  it("is the first, with how its approval stands, when that is revoked", async () => {
    const agent = { id: "revoked" };
    const waiting = enforcer.decide(writing({ agent, waitMs: LONG_MS }));
    const approvalId = await server.pendingOf(agent.id);
    await server.approver.resolveApproval({ approvalId, verdict: 3 });
    expect(inWords(await waiting)).toEqual({ ...ASKED, state: "CANCELLED" });
    expect(decisionsOf(agent.id)).toHaveLength(1);
  });

  it("does not wait where nobody has to be asked, or an approval is named that covers it", async () => {
    const agent = { id: "covered" };
    expect(outcomeOf(await enforcer.decide(requestOf({ agent, action: { tool: "read" }, waitMs: LONG_MS })))).toBe("ALLOW");
    const approvalId = await server.asking(writing({ agent }));
    await server.yes(approvalId);
    expect(inWords(await enforcer.decide(writing({ agent, approvalId, waitMs: LONG_MS })))).toEqual(ALLOWED);
  });

  it("is one, however often its request id is sent meanwhile", async () => {
    const agent = { id: "twice" };
    const request = writing({ agent, requestId: "the-same", waitMs: LONG_MS });
    const waiting = [enforcer.decide(request), enforcer.decide(request)];
    await server.yes(await server.pendingOf(agent.id));
    const answers = await Promise.all(waiting);
    expect(answers.map(inWords)).toEqual([ALLOWED, ALLOWED]);
    expect(answers[1]?.decisionId).toBe(answers[0]?.decisionId);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(decisionsOf(agent.id).map(({ outcome }) => outcome)).toEqual(["REQUIRE_APPROVAL", "ALLOW"]);
    expect(await enforcer.decide(request)).toEqual({ ...answers[0], replayed: true });
  });

  it("allows one of two that are alike and have no request id: one yes is one use", async () => {
    const agent = { id: "rivals" };
    const waiting = [1, 2].map(() => enforcer.decide(writing({ agent, waitMs: LONG_MS })));
    const approval = await server.pendingOf(agent.id);
    await expect.poll(() => decisionsOf(agent.id)).toHaveLength(2);
    await server.yes(approval);
    expect((await Promise.all(waiting)).map(outcomeOf).sort()).toEqual(["ALLOW", "REQUIRE_APPROVAL"]);
    expect(decisionsOf(agent.id).filter(({ outcome }) => outcome === "ALLOW")).toHaveLength(1);
  });

  it("waits item by item in a batch", async () => {
    const [waits, asks] = [{ id: "batch-waits" }, { id: "batch-asks" }];
    const batch = enforcer.decideBatch([
      writing({ agent: waits, waitMs: LONG_MS }),
      writing({ agent: asks }),
      requestOf({ agent: asks, action: { tool: "read" }, waitMs: LONG_MS }),
    ]);
    await server.pendingOf(asks.id);
    await server.yes(await server.pendingOf(waits.id));
    const { items } = await batch;
    const outcomes = items.map(({ result }) => (result.case === "decision" ? outcomeOf(result.value) : result.case));
    expect(outcomes).toEqual(["ALLOW", "REQUIRE_APPROVAL", "ALLOW"]);
  });
});

/** A decision that its caller can give up. */
function deciding(request: wire.DecideRequest, { address, token, deadlineMs }: { address: string; token: string; deadlineMs: number }) {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  let call: ClientUnaryCall | undefined;
  const code = new Promise<Code>((resolve) => {
    call = client.makeUnaryRequest(
      "/behest.v1.DecisionService/Decide",
      (message: wire.DecideRequest) => Buffer.from(toBinary(wire.DecideRequestSchema, message)),
      (body: Buffer) => fromBinary(wire.DecideResponseSchema, body),
      create(wire.DecideRequestSchema, request),
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error) => resolve(error?.code ?? Code.OK),
    );
  }).finally(() => client.close());
  return { code, cancel: () => call?.cancel() };
}

describe("a wait", () => {
  it.each([
    { says: "is cancelled", deadlineMs: LONG_MS, cancels: true, ends: Code.CANCELLED },
    { says: "reaches its call's deadline", deadlineMs: 1_000, cancels: false, ends: Code.DEADLINE_EXCEEDED },
  ])("that $says makes room for another, and nothing more is decided in it", async ({ deadlineMs, cancels, ends }) => {
    const crowded = await runAskingServer({ waits_max: 1 });
    try {
      const given = deciding(writing({ agent: { id: "gone" }, waitMs: LONG_MS }), {
        address: crowded.address,
        token: crowded.token("enforcer"),
        deadlineMs,
      });
      const approval = await crowded.pendingOf("gone");
      if (cancels) given.cancel();
      expect(await given.code).toBe(ends);
      const asking = crowded.client("enforcer");
      let tries = 0;
      /** Answered at once for as long as there is no room. */
      const waitAgain = async (): Promise<string> => {
        const agent = { id: `next-${tries++}` };
        const waiting = asking.decide(writing({ agent, waitMs: LONG_MS }));
        await crowded.yes(await crowded.pendingOf(agent.id));
        return outcomeOf(await waiting);
      };
      await expect.poll(waitAgain, { timeout: 10_000 }).toBe("ALLOW");
      await crowded.yes(approval);
      // Whatever went on from that yes would have been written before this is.
      await crowded.asking(writing({ agent: { id: "later" } }));
      expect(decisionsOf("gone", crowded).map(({ outcome }) => outcome)).toEqual(["REQUIRE_APPROVAL"]);
    } finally {
      await crowded.close();
    }
  });

  it("beyond `waits_max` is none: the call is answered at once", async () => {
    const crowded = await runAskingServer({ waits_max: 1 });
    try {
      const asking = crowded.client("enforcer");
      const first = asking.decide(writing({ agent: { id: "first" }, waitMs: LONG_MS }));
      const approval = await crowded.pendingOf("first");
      expect(inWords(await asking.decide(writing({ agent: { id: "second" }, waitMs: LONG_MS })))).toEqual(ASKED);
      await crowded.yes(approval);
      expect(inWords(await first)).toEqual(ALLOWED);
    } finally {
      await crowded.close();
    }
  });

  it("ends when the server stops, with the question that was recorded", async () => {
    const stopping = await runAskingServer();
    const asking = stopping.client("enforcer");
    const waiting = asking.decide(writing({ agent: { id: "cut" }, waitMs: 55_000 }));
    await stopping.pendingOf("cut");
    const closing = stopping.close();
    expect(inWords(await waiting)).toEqual(ASKED);
    await closing;
  });

  it("ends when the approval expires", async () => {
    const lifetimes = { decision: "60s", self_asserted_idle: "1h", approval: "1s" };
    const hasty = await runAskingServer({}, { settings: { lifetimes } });
    try {
      const answer = await hasty.client("enforcer").decide(writing({ agent: { id: "late" }, waitMs: LONG_MS }));
      expect(inWords(answer)).toEqual({ ...ASKED, state: "EXPIRED" });
    } finally {
      await hasty.close();
    }
  });

  it("goes on while another yes is missing", async () => {
    const settings = { approvers: { default: ["group:approvers"], quorum: 2 }, groups: { approvers: ["user:local", "user:bob"] } };
    const careful = await runAskingServer({}, { settings });
    try {
      const bob = await careful.join({ caller: "user:bob", roles: ["approver"] });
      const waiting = careful.client("enforcer").decide(writing({ agent: { id: "two" }, waitMs: LONG_MS }));
      const approvalId = await careful.pendingOf("two");
      await careful.yes(approvalId);
      expect((await careful.approver.getApproval(approvalId)).approval?.holds[0]?.agreed).toEqual(["user:local"]);
      await bob.client.resolveApproval({ approvalId, verdict: 1 });
      expect(inWords(await waiting)).toEqual(ALLOWED);
      expect(decisionsOf("two", careful).map(({ outcome }) => outcome)).toEqual(["REQUIRE_APPROVAL", "ALLOW"]);
    } finally {
      await careful.close();
    }
  });

  it("for a flood ends with a yes to it, and the action itself is then asked", async () => {
    const flooded = await runAskingServer({}, { settings: { asked_per_hour: { agent: 1, task: 1_000 } } });
    try {
      const agent = { id: "eager" };
      const action = await flooded.asking(writing({ agent }, "one"));
      await flooded.yes(action);
      const waiting = flooded.client("enforcer").decide(writing({ agent, waitMs: LONG_MS }, "two"));
      const flood = await flooded.pendingOf(agent.id);
      await flooded.yes(flood);
      const answer = await waiting;
      expect(inWords(answer)).toEqual(ASKED);
      expect((await flooded.approver.getApproval(idOf(answer))).approval?.kind).toBe(1);
      expect(decisionsOf(agent.id, flooded).map(({ continues }) => continues !== null)).toEqual([false, false, true]);
    } finally {
      await flooded.close();
    }
  });
});
