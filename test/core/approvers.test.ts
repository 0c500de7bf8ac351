import { describe, expect, it } from "vitest";
import type { Parties } from "../../src/core/approvals/approval.ts";
import { eligibleFor } from "../../src/core/approvals/approvers.ts";
import { partiesOf } from "../../src/core/approvals/parties.ts";
import type { Hop } from "../../src/core/request.ts";
import type { Situation } from "../../src/core/situation.ts";
import type { Principal } from "../../src/core/tasks/registered.ts";

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

describe("whoever stands behind an action", () => {
  const registered = (principal: Principal, issuer = "portal"): object => ({ registered: { principal, issuer } });
  const partiesFor = (task: object, delegation?: readonly Hop[]): Parties =>
    partiesOf({
      subject: { caller: "gateway", task, request: { agent: { id: "bot" }, ...(delegation && { delegation }) } },
    } as unknown as Situation);

  it.each<{ says: string; parties: Parties; approvers: readonly string[]; eligible: readonly string[] }>([
    {
      says: "in a registered task is its person, asked as `principal` and not as anybody else",
      parties: partiesFor(registered({ type: "user", id: "ann" })),
      approvers: ["user:ann", "user:bob"],
      eligible: ["user:bob"],
    },
    {
      says: "in a registered task is its service, which answers nothing",
      parties: partiesFor(registered({ type: "service", id: "batch" })),
      approvers: ["principal", "service:batch", "user:bob"],
      eligible: ["user:bob"],
    },
    {
      says: "by the caller's word is kept out, and let into nothing",
      parties: partiesFor({}, [
        { type: "user", id: "ann" },
        { type: "agent", id: "bot" },
      ]),
      approvers: ["principal", "group:approvers"],
      eligible: ["user:bob"],
    },
    {
      says: "is nobody where an agent acts alone",
      parties: partiesFor({}),
      approvers: ["principal", "group:approvers"],
      eligible: ["user:ann", "user:bob"],
    },
    {
      says: "as issuer is a person or nobody",
      parties: partiesFor(registered({ type: "user", id: "ann" }, "user:pat")),
      approvers: ["issuer"],
      eligible: ["user:pat"],
    },
    {
      says: "as issuer is nobody where a program opened the task",
      parties: partiesFor(registered({ type: "user", id: "ann" }, "portal")),
      approvers: ["issuer", "portal"],
      eligible: ["portal"],
    },
  ])("$says", ({ parties, approvers, eligible }) => {
    expect(eligibleFor({ name: "h", approvers, quorum: 1 }, parties, { approvers: SETTINGS, groups: GROUPS })).toEqual(eligible);
  });

  it("is nobody where more is asked for than a token file", () => {
    const settings = { approvers: { ...SETTINGS, requireVerified: true }, groups: GROUPS };
    expect(eligibleFor({ name: "h", approvers: ["group:approvers"], quorum: 1 }, PARTIES, settings)).toEqual([]);
  });
});

const SETTINGS = { default: ["group:approvers"], quorum: 1, requireVerified: false };
