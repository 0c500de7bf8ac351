import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import type { Caller } from "../../src/core/request.ts";
import { policyOf } from "../policies.ts";
import { deciderOver } from "./deciders.ts";
import { ask } from "./requests.ts";
import { type OpenedStorage, openMemory } from "./storages.ts";

const POLICY = policyOf({
  tools: { write: { effect: "update", reversibility: "reversible", output: { trust: "trusted" } } },
  rules: ["agent", "task"].map((who) => ({
    name: `asked-often-for-the-${who}`,
    conditions: { all: [{ fact: `${who}.approvals_asked`, operator: "greaterThanInclusive", value: 2 }] },
    event: { type: "risk", params: { points: 5, reason: "people are asked often", controls: ["owasp:ASI09"] } },
  })),
});
const APPROVER: Caller = { tenant: "default", id: "user:local", roles: ["approver"] };

const keeperOf = ({ ledger, clock }: OpenedStorage) =>
  createApprovalKeeper({ ledger, clock, policies: { current: () => POLICY }, newId: (at) => v7({ msecs: at }) });

async function decide(storage: OpenedStorage, path: string, approvalId?: string) {
  storage.clock.advance(1_000);
  const request = { action: { tool: "write", arguments: { path } }, ...(approvalId !== undefined && { approvalId }) };
  const { record } = await deciderOver(storage, { policy: POLICY }).decide(ask(request));
  return { outcome: record.judgement.outcome, score: record.judgement.score, approval: record.approval?.id ?? "none" };
}

describe("what people are asked in a busy hour", () => {
  it("is riskier the oftener they were asked before", async () => {
    const storage = await openMemory();
    const scores = [];
    for (const path of ["a", "b", "c"]) scores.push((await decide(storage, path)).score);
    expect(scores).toEqual([0, 0, 10]);
  });

  it("is not asked anew because they were asked something else since", async () => {
    const storage = await openMemory();
    const first = await decide(storage, "a");
    for (const path of ["b", "c", "d"]) await decide(storage, path);
    expect(await decide(storage, "a")).toEqual(first);
  });

  it("is allowed by their yes all the same", async () => {
    const storage = await openMemory();
    const { approval } = await decide(storage, "a");
    for (const path of ["b", "c", "d"]) await decide(storage, path);
    await keeperOf(storage).resolve(APPROVER, { id: approval, verdict: "approve" });
    expect(await decide(storage, "a", approval)).toEqual({ outcome: "ALLOW", score: 0, approval });
    expect((await decide(storage, "a", approval)).score).toBe(10);
  });

  it("is allowed by a wider yes all the same", async () => {
    const storage = await openMemory();
    const { approval } = await decide(storage, "a");
    for (const path of ["b", "c", "d"]) await decide(storage, path);
    await keeperOf(storage).resolve(APPROVER, { id: approval, verdict: "approve", endorsement: { uses: 2 } });
    expect([await decide(storage, "a"), await decide(storage, "a")].map(({ outcome }) => outcome)).toEqual(["ALLOW", "ALLOW"]);
  });
});
