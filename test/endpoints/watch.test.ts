import { setTimeout } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BehestClient, CallFailed, createClient } from "../../src/client/client.ts";
import {
  Verdict,
  type WatchApprovalsRequest,
  WatchApprovalsRequestSchema,
  type WatchApprovalsResponse,
} from "../../src/gen/behest/v1/approval_pb.ts";
import { ApprovalState } from "../../src/gen/behest/v1/decision_pb.ts";
import { type AskingServer, idOf, runAskingServer, writing } from "./asking-server.ts";
import { malformed, refusalOf, rewriteTokens } from "./raw-calls.ts";

let server: AskingServer;
beforeAll(async () => {
  server = await runAskingServer();
});
afterAll(() => server.close());

interface Told {
  readonly id: string;
  readonly state: string | undefined;
  readonly existing: boolean;
}

const toldOf = ({ approval, existing }: WatchApprovalsResponse): Told => ({
  id: approval?.id ?? "none",
  state: Object.entries(ApprovalState).find(([, state]) => state === approval?.state)?.[0],
  existing,
});

/** Collects what a watch tells until it ends. */
function collect(client: BehestClient, question: Partial<Pick<WatchApprovalsRequest, "agentId" | "taskId">> = {}) {
  const told: Told[] = [];
  const stopping = new AbortController();
  const read = async (): Promise<Code> => {
    try {
      for await (const message of client.watchApprovals(question, stopping.signal)) told.push(toldOf(message));
      return Code.OK;
    } catch (error) {
      if (error instanceof CallFailed) return error.code;
      throw error;
    }
  };
  return { told, ended: read(), stop: () => stopping.abort() };
}

const until = (told: readonly Told[], count: number): Promise<void> =>
  expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);

/** Doors and the owner read the tokens each for themselves, within a second. */
const everybodyKnows = (): Promise<void> => setTimeout(1_000);

describe("a watch", () => {
  it("tells those that are open, those that wait first, then each step of each", async () => {
    const agent = { id: "watched" };
    const [approved, waiting] = [await server.asking(writing({ agent }, "1")), await server.asking(writing({ agent }, "2"))];
    await server.yes(approved);
    const denied = await server.asking(writing({ agent }, "3"));
    await server.no(denied);
    const { told, ended, stop } = collect(server.approver, { agentId: agent.id });
    await until(told, 2);
    await server.decide(writing({ agent, approvalId: approved }, "1"));
    const opened = await server.asking(writing({ agent }, "4"));
    await server.yes(opened);
    await server.approver.resolveApproval({ approvalId: waiting, verdict: Verdict.REVOKE });
    await until(told, 6);
    stop();
    expect(await ended).toBe(Code.OK);
    expect(told).toEqual([
      { id: waiting, state: "PENDING", existing: true },
      { id: approved, state: "APPROVED", existing: true },
      { id: approved, state: "CONSUMED", existing: false },
      { id: opened, state: "PENDING", existing: false },
      { id: opened, state: "APPROVED", existing: false },
      { id: waiting, state: "CANCELLED", existing: false },
    ]);
  });

  it("tells of its agent, its task and its tenant alone, and an enforcer what it asked for itself", async () => {
    const [one, other] = [{ id: "one" }, { id: "other" }];
    const elsewhere = await server.join({ caller: "user:local", roles: ["approver"], tenant: "elsewhere" });
    const first = await server.decide(writing({ agent: one }));
    const watches = {
      agent: collect(server.approver, { agentId: one.id }),
      task: collect(server.approver, { taskId: first.taskId }),
      otherAgent: collect(server.approver, { agentId: other.id }),
      enforcer: collect(server.client("enforcer"), { agentId: one.id }),
      elsewhere: collect(elsewhere.client),
      all: collect(server.client("auditor")),
    };
    await until(watches.all.told, 1);
    const theirs = idOf(await server.decideAsOther(writing({ agent: one })));
    const last = await server.asking(writing({ agent: other }));
    await expect.poll(() => watches.all.told.map(({ id }) => id), { timeout: 10_000 }).toContain(last);
    await until(watches.otherAgent.told, 1);
    for (const { stop } of Object.values(watches)) stop();
    const ids = ({ told }: { readonly told: readonly Told[] }): readonly string[] => told.map(({ id }) => id);
    const [mine] = [idOf(first)];
    expect({
      agent: ids(watches.agent),
      task: ids(watches.task),
      otherAgent: ids(watches.otherAgent),
      enforcer: ids(watches.enforcer),
      elsewhere: ids(watches.elsewhere),
    }).toEqual({ agent: [mine, theirs], task: [mine], otherAgent: [last], enforcer: [mine], elsewhere: [] });
  });

  it("that is not read holds nobody up, and then tells how each stands, not each step", async () => {
    const statement = "s".repeat(8_000);
    const ids: string[] = [];
    const reading = server.approver.watchApprovals()[Symbol.asyncIterator]();
    const told: Told[] = [];
    const next = async (): Promise<void> => {
      const { value, done } = await reading.next();
      if (done === true) throw new Error("the watch has ended");
      told.push(toldOf(value));
    };
    await server.asking(writing({ agent: { id: "talker" } }));
    await next();
    // Far more than lies in the buffers between.
    for (let n = 0; n < 60; n++) ids.push(await server.asking(writing({ agent: { id: `talker-${n}` }, task: { statement } })));
    for (const id of ids) await server.yes(id);
    const state = (id: string): string | undefined => told.findLast((one) => one.id === id)?.state;
    while (!ids.every((id) => state(id) === "APPROVED")) await next();
    await reading.return?.();
    const steps = told.filter(({ id }) => ids.includes(id)).length;
    expect(steps).toBeLessThan(2 * ids.length);
  });

  it("ends with the token that began it", async () => {
    const { client, tokenId } = await server.join({ caller: "user:leaver", roles: ["approver"] });
    const { told, ended } = collect(client, { agentId: "left" });
    await server.asking(writing({ agent: { id: "left" } }, "1"));
    await until(told, 1);
    rewriteTokens(server.data, (tokens) => tokens.filter(({ id }) => id !== tokenId));
    await expect.poll(() => client.listApprovals().catch(({ code }: CallFailed) => code), { timeout: 5_000 }).toBe(Code.UNAUTHENTICATED);
    await everybodyKnows();
    await server.asking(writing({ agent: { id: "left" } }, "2"));
    expect(await ended).toBe(Code.UNAUTHENTICATED);
    expect(told).toHaveLength(1);
  });

  it("ends with the role that began it", async () => {
    const { client, tokenId } = await server.join({ caller: "user:mover", roles: ["approver"] });
    const { told, ended } = collect(client, { agentId: "moved" });
    await server.asking(writing({ agent: { id: "moved" } }, "1"));
    await until(told, 1);
    rewriteTokens(server.data, (tokens) => tokens.map((entry) => (entry.id === tokenId ? { ...entry, roles: ["initiator"] as const } : entry)));
    await expect.poll(() => client.listApprovals().catch(({ code }: CallFailed) => code), { timeout: 5_000 }).toBe(Code.PERMISSION_DENIED);
    await everybodyKnows();
    await server.asking(writing({ agent: { id: "moved" } }, "2"));
    expect(await ended).toBe(Code.PERMISSION_DENIED);
    expect(told).toHaveLength(1);
  });

  it("is not for initiators", async () => {
    expect(await collect(server.client("initiator")).ended).toBe(Code.PERMISSION_DENIED);
  });

  it("refuses what is no identifier", async () => {
    const body = toBinary(WatchApprovalsRequestSchema, create(WatchApprovalsRequestSchema, { agentId: "a\nb" }));
    const refusal = malformed("`agent_id` holds a control, invisible or undecodable character, or begins or ends with space", "agent_id");
    expect(refusalOf(await server.raw.call("WatchApprovals", body, `Bearer ${server.token("approver")}`))).toEqual(refusal);
  });
});

describe("watches", () => {
  it("are so many at most, and one that is cancelled makes room", async () => {
    const crowded = await runAskingServer({ watches_max: 1 });
    try {
      await crowded.asking(writing());
      const first = collect(crowded.approver);
      await until(first.told, 1);
      const refusal = refusalOf(await crowded.raw.call("WatchApprovals", new Uint8Array(), `Bearer ${crowded.token("auditor")}`));
      expect(refusal).toEqual({
        code: "RESOURCE_EXHAUSTED",
        message: "1 watches are open; close some, or raise `watches_max`",
        reason: "OVERLOADED",
        limit: "watches",
        retryAfterS: 1,
      });
      first.stop();
      await first.ended;
      const tries: ReturnType<typeof collect>[] = [];
      const watchAgain = async (): Promise<number> => {
        const again = collect(crowded.approver);
        tries.push(again);
        await Promise.race([again.ended, until(again.told, 1)]);
        return again.told.length;
      };
      await expect.poll(watchAgain, { timeout: 10_000 }).toBe(1);
      for (const { stop } of tries) stop();
    } finally {
      await crowded.close();
    }
  });

  it("end well when the server stops", async () => {
    const stopping = await runAskingServer();
    await stopping.asking(writing());
    // Closed by nobody but the server.
    const client = createClient({ address: stopping.address, token: stopping.token("auditor"), timeoutMs: 20_000 });
    const { told, ended } = collect(client);
    await until(told, 1);
    const closing = stopping.close();
    expect(await ended).toBe(Code.OK);
    client.close();
    await closing;
  });
});
