import { describe, expect, it } from "vitest";
import type { Caller } from "../../src/core/request.ts";
import type { OpenRequest } from "../../src/core/tasks/keeper.ts";
import { instant } from "../../src/core/words.ts";
import { deciderOver, keeperOver } from "../storage/deciders.ts";
import { ask } from "../storage/requests.ts";
import { openMemory } from "../storage/storages.ts";

const HOUR = 3_600_000;
const INITIATOR: Caller = { tenant: "default", id: "portal", roles: ["initiator"] };
const REQUEST: OpenRequest = {
  statement: "look after the inbox",
  principal: { type: "user", id: "alice" },
  agent: "bot",
  scopeKind: "issued",
  scope: {},
};

describe("an opened task", () => {
  it("keeps no secret that its principal's attributes hold", async () => {
    const storage = await openMemory();
    const { task } = await keeperOver(storage).open(INITIATOR, {
      ...REQUEST,
      principal: { type: "user", id: "alice", attributes: { department: "finance", api_key: "hunter2hunter2" } },
    });
    const { record } = await deciderOver(storage).decide(ask({ task: { id: task.id } }));
    expect(task.principal.attributes).toMatchObject({ department: "finance", api_key: { kind: "string", length: 14 } });
    expect(JSON.stringify([task, record])).not.toContain("hunter2hunter2");
  });

  it("lives a day where nobody says how long, and an ALLOW no longer than it", async () => {
    const storage = await openMemory();
    const { task } = await keeperOver(storage).open(INITIATOR, REQUEST);
    expect(task.expiresAt - task.openedAt).toBe(24 * HOUR);
    storage.clock.advance(24 * HOUR - 1_000);
    const { record } = await deciderOver(storage).decide(ask({ task: { id: task.id } }));
    expect(record.judgement).toMatchObject({ outcome: "ALLOW", basis: "AUTHORIZED", validUntil: task.expiresAt - 1 });
  });

  it("goes on when the time of its words is over, which then say nothing", async () => {
    const storage = await openMemory();
    const at = storage.clock.now();
    const { task } = await keeperOver(storage).open(INITIATOR, { ...REQUEST, statementExpiresAt: instant(at + HOUR) });
    const decider = deciderOver(storage);
    const before = await decider.decide(ask({ task: { id: task.id } }));
    storage.clock.advance(HOUR);
    const after = await decider.decide(ask({ task: { id: task.id } }));
    expect([before.record.subject.task.statement, after.record.subject.task.statement]).toEqual([REQUEST.statement, undefined]);
    expect(after.record).toMatchObject({ judgement: { outcome: "ALLOW" }, subject: { task: { registered: { statementExpired: true } } } });
  });

  it("says the same words to whoever repeats it, and remarks on others without deciding by them", async () => {
    const storage = await openMemory();
    const { task } = await keeperOver(storage).open(INITIATOR, REQUEST);
    const { record } = await deciderOver(storage).decide(ask({ task: { id: task.id, statement: "send everything to me" } }));
    expect(record.subject.task).toMatchObject({ statement: REQUEST.statement, restated: true });
    expect(record.judgement).toMatchObject({ outcome: "ALLOW", findings: [{ rule: "behest:statement-differs", points: 0 }] });
  });

  it.each<{ says: string; caller: Caller; change: Partial<OpenRequest>; code: string; message: string }>([
    {
      says: "an agent that the token does not cover",
      caller: { ...INITIATOR, agents: ["support-*"] },
      change: {},
      code: "CALLER_FORBIDDEN",
      message: "the token of `portal` does not cover agent `bot`; it covers `support-*`",
    },
    {
      says: "delegates that the token does not cover",
      caller: { ...INITIATOR, agents: ["bot", "worker-*"] },
      change: { scope: { delegates: ["*"] } },
      code: "CALLER_FORBIDDEN",
      message: "`scope.delegates` holds `*`; the token of `portal` covers `bot`, `worker-*`",
    },
    {
      says: "a tool that the catalog does not list",
      caller: INITIATOR,
      change: { scope: { tools: ["reed"] } },
      code: "REQUEST_MALFORMED",
      message:
        "`scope.tools[0]` is `reed`, which the catalog does not list; did you mean `read`? A pattern such as `server/*` may cover tools that it does not list",
    },
    {
      says: "a classification that there is not",
      caller: INITIATOR,
      change: { scope: { maxClassification: "secret" } },
      code: "REQUEST_MALFORMED",
      message: "`scope.max_classification` is `secret`, which policy.json does not list; write one of public, internal, confidential, restricted",
    },
    {
      says: "a currency that nobody knows",
      caller: INITIATOR,
      change: { scope: { maxAmounts: { euro: 5 } } },
      code: "REQUEST_MALFORMED",
      message: "`scope.max_amounts` names the currency `euro`; write its code of ISO 4217, three capital letters such as `EUR`",
    },
    {
      says: "a pattern of many stars",
      caller: INITIATOR,
      change: { scope: { resources: ["file:/srv/**", "a*".repeat(9)] } },
      code: "REQUEST_MALFORMED",
      message: "`scope.resources[1]` holds 9 stars, at most 8 are taken; write it with fewer",
    },
    {
      says: "a list that is too long to be kept in every decision",
      caller: INITIATOR,
      change: { scope: { delegates: Array.from({ length: 17 }, (_, at) => `${at % 10}`.repeat(1_000)) } },
      code: "REQUEST_TOO_BIG",
      message: "`scope.delegates` holds 17000 characters, at most 16384 are taken; a pattern with a `*` covers many names",
    },
    {
      says: "a negative budget",
      caller: INITIATOR,
      change: { scope: { maxCalls: { pay: -1 } } },
      code: "REQUEST_MALFORMED",
      message: "`scope.max_calls` allows `-1` of `pay`; write an integer from 0 to 2^53 - 1",
    },
    {
      says: "an expiry that is over",
      caller: INITIATOR,
      change: { expiresAt: instant(Date.UTC(2026, 0, 5, 9)) },
      code: "REQUEST_MALFORMED",
      message: "`expires_at` is `2026-01-05T09:00:00.000Z`, which is over; write an instant that lies ahead, or leave it out",
    },
    {
      says: "a life without end",
      caller: INITIATOR,
      change: { expiresAt: instant(Date.UTC(2027, 0, 5, 9)) },
      code: "REQUEST_MALFORMED",
      message: "`expires_at` is `2027-01-05T09:00:00.000Z`; `task_lifetime_max_hours` lets a task live until `2026-04-05T09:00:00.000Z` at most",
    },
  ])("is refused for $says", async ({ caller, change, code, message }) => {
    const storage = await openMemory();
    await expect(keeperOver(storage).open(caller, { ...REQUEST, ...change })).rejects.toMatchObject({ code, message });
    expect([...storage.ledger.tasks().all()]).toEqual([]);
  });

  it("gives a token's own agents as delegates where it names none", async () => {
    const storage = await openMemory();
    const { task } = await keeperOver(storage).open({ ...INITIATOR, agents: ["bot", "worker-*"] }, REQUEST);
    expect(task.scope.delegates).toEqual(["bot", "worker-*"]);
  });
});
