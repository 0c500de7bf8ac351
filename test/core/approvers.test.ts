import { describe, expect, it } from "vitest";
import { eligibleFor } from "../../src/core/approvals/approvers.ts";

const GROUPS = { approvers: ["user:ann", "user:bob", "user:ann"], nobody: [] };
const PARTIES = { caller: "gateway", agents: ["planner", "worker"], principal: "user:alice", issuer: "user:pat" };

describe("whom a hold asks", () => {
  it.each<{ says: string; approvers: readonly string[]; eligible: readonly string[] }>([
    { says: "the members of a group, each once", approvers: ["group:approvers", "user:bob"], eligible: ["user:ann", "user:bob"] },
    { says: "nobody of an empty group", approvers: ["group:nobody"], eligible: [] },
    { says: "nobody of a group that is not there", approvers: ["group:others"], eligible: [] },
    { says: "nobody of one that JavaScript knows", approvers: ["group:constructor", "group:__proto__"], eligible: [] },
    { says: "the person behind the task, and whoever opened it", approvers: ["principal", "issuer"], eligible: ["user:alice", "user:pat"] },
    { says: "not the person behind the task by another name", approvers: ["user:alice", "user:bob"], eligible: ["user:bob"] },
    { says: "the person by any name where the hold asks the principal", approvers: ["user:alice", "principal"], eligible: ["user:alice"] },
    { says: "not who asks for the action", approvers: ["gateway", "user:bob"], eligible: ["user:bob"] },
    { says: "no agent of the chain, under whatever kind of name", approvers: ["user:planner", "agent:worker", "service:worker"], eligible: [] },
  ])("is $says", ({ approvers, eligible }) => {
    expect(eligibleFor({ name: "h", approvers, quorum: 1 }, PARTIES, { approvers: SETTINGS, groups: GROUPS })).toEqual(eligible);
  });

  it("is nobody for a principal that there is not", () => {
    const { principal: _, issuer: __, ...parties } = PARTIES;
    expect(eligibleFor({ name: "h", approvers: ["principal", "issuer"], quorum: 1 }, parties, { approvers: SETTINGS, groups: GROUPS })).toEqual([]);
  });
});

const SETTINGS = { default: ["group:approvers"], quorum: 1, requireVerified: false };
