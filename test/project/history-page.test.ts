import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { query } from "../../src/cli/database.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import { DATABASE_FILE } from "../../src/data-directory.ts";
import { controlOver, OPERATOR } from "../core/controls.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { temporaryDirectory } from "../running-server.ts";
import { answer, asking, use } from "../storage/askings.ts";
import { deciderOver, keeperOver, reportsOver } from "../storage/deciders.ts";
import { INITIATOR } from "../storage/histories.ts";
import { ask, CALLER } from "../storage/requests.ts";
import { createTestClock, type OpenedStorage, openSqlite } from "../storage/storages.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/history.md"), "utf8");
const QUARTER_MS = 15 * 60_000;

const POLICY = policyOf({
  tools: {
    read: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    "look-up": { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    pay: { effect: "pay", reversibility: "irreversible", arguments: { amount: "amount", currency: "currency" }, output: { trust: "trusted" } },
  },
  agents: { bot: { trust: "high", owner: "team:a", reach: FULL_REACH }, worker: { trust: "high", owner: "team:a", reach: FULL_REACH } },
  rules: [
    {
      name: "look-ups-are-asked-about",
      conditions: { all: [{ fact: "action.tool", operator: "equal", value: "look-up" }] },
      event: { type: "require-approval", params: { reason: "people look at it", controls: [], approvers: ["user:ann"] } },
    },
    {
      name: "more-than-a-hundred-is-denied",
      conditions: { all: [{ fact: "action.arguments.amount", operator: "greaterThan", value: 100 }] },
      event: { type: "deny", params: { reason: "it is too much", controls: [] } },
    },
  ],
});

let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  directory = temporaryDirectory();
  // Some of the page's queries look back from now.
  const clock = createTestClock(Date.now() - QUARTER_MS);
  const storage = await openSqlite({ path: join(directory.path, DATABASE_FILE), clock });
  await makeHistory(storage);
  await storage.close();
});
afterAll(() => directory.remove());

/** Something of everything that the page asks for. */
async function makeHistory(storage: OpenedStorage): Promise<void> {
  const decider = deciderOver(storage, { policy: POLICY });
  const keeper = keeperOver(storage, { policy: POLICY });
  const reports = reportsOver(storage, POLICY);
  const decide = async (tool: string, more: Partial<DecisionRequest> = {}) =>
    (await decider.decide(ask({ action: { tool, arguments: {} }, ...more }))).record.id;
  const pay = (id: string, agent: string, amount: number) =>
    decide("pay", { task: { id }, agent: { id: agent }, action: { tool: "pay", arguments: { amount, currency: "EUR" } } });
  const report = (decision: string, more: object = {}) =>
    reports.report(CALLER, { decision, status: "executed", result: "", truncated: false, ...more });

  for (let time = 0; time < 2; time++) await decide("read");
  const { task: root } = await keeper.open(INITIATOR, {
    statement: "pay the invoices",
    principal: { type: "user", id: "alice" },
    agent: "bot",
    scopeKind: "issued",
    scope: { maxCalls: { pay: 5 }, maxAmounts: { EUR: 10_000 } },
  });
  const handOn = async (scope: object) => {
    // Ids of one millisecond are in no order.
    storage.clock.advance(1);
    return (await keeper.delegate(INITIATOR, { taskId: root.id, agent: "worker", scope, narrow: false })).status.task.id;
  };
  const worker = await handOn({ maxCalls: { pay: 2 }, maxAmounts: { EUR: 2_000 } });
  const idle = await handOn({});
  await report(await pay(worker, "worker", 10), { argumentsDigest: `sha256:${"0".repeat(64)}` });
  await report(await pay(root.id, "bot", 1_000));
  await pay(root.id, "bot", 5);
  await keeper.close(INITIATOR, { id: idle, reason: "nothing to do" });
  await askPeople(storage);
  await controlOver(storage).suspend(OPERATOR, { kind: "agent", value: "bot", reason: "r" });
  storage.clock.advance(1);
  await decide("read");
}

/** One is used, one denied, one waits. */
async function askPeople(storage: OpenedStorage): Promise<void> {
  const lookUp = (account: string) => ({
    agent: { id: "helper" },
    task: { statement: "pay the rent" },
    action: { tool: "look-up", arguments: { account, amount: 10 } },
  });
  const allowed = await asking(storage, lookUp("bob"), POLICY);
  const denied = await asking(storage, lookUp("mallory"), POLICY);
  storage.clock.advance(2_000);
  await answer(storage, allowed, { policy: POLICY });
  const { id } = await use(storage, allowed, POLICY);
  await reportsOver(storage, POLICY).report(CALLER, { decision: id, status: "executed", result: "", truncated: false });
  storage.clock.advance(2_000);
  await answer(storage, denied, { policy: POLICY, verdict: "deny" });
  await asking(storage, lookUp("carol"), POLICY);
}

const rowsOf = (sql: string) => query({ data: directory.path }, sql, {});
const queries = [...page.matchAll(/^([^\n]*):\n\n```sql\n(.*?)^```$/gms)].map(([, says = "", sql = ""]) => ({
  says: says.split("\n").at(-1) ?? "",
  sql,
}));

/** Finds the one query of the page that is introduced so. */
const asked = (says: string) => rowsOf(queries.find((one) => one.says.startsWith(says))?.sql ?? "");

describe("docs/history.md", () => {
  it("has queries, each with a line that says what it finds", () => {
    expect(queries.length).toBeGreaterThan(12);
    expect(queries).toHaveLength(page.split("```sql").length - 1);
  });

  it.each(queries)("has a query that finds something: $says", ({ sql }) => {
    expect(rowsOf(sql).length).toBeGreaterThan(0);
  });

  it("finds what was allowed and never reported", () => {
    expect(asked("Allowed but never reported").map(({ agent, tool }) => [agent, tool])).toEqual([["bot", "pay"]]);
  });

  it("finds what ran without leave, and what ran with other arguments", () => {
    expect(asked("Reported but never allowed")).toMatchObject([{ agent: "bot", tool: "pay", outcome: "DENY", status: "executed" }]);
    expect(asked("Run with other arguments")).toMatchObject([{ agent: "worker", tool: "pay", status: "executed" }]);
  });

  it("draws a tree, with its budgets and with what is open of it", () => {
    expect(asked("The tree of a task").map(({ agent, state, decisions }) => [agent, state, decisions])).toEqual([
      ["bot", "open", 2],
      ["  worker", "open", 1],
      ["  worker", "closed", 0],
    ]);
    expect(asked("The budgets of that tree").map(({ agent, what, used, cap, left }) => [agent, what, used, cap, left])).toEqual([
      ["bot", "EUR", 1_500, 10_000, 8_500],
      ["bot", "pay", 2, 5, 3],
      ["worker", "EUR", 1_000, 2_000, 1_000],
      ["worker", "pay", 1, 2, 1],
      // What it did not state it has from above, and there some is used.
      ["worker", "EUR", 0, 10_000, 8_500],
      ["worker", "pay", 0, 5, 3],
    ]);
    expect(asked("Registered tasks that are open").map(({ agent }) => agent)).toEqual(["bot", "worker"]);
  });

  it("tells who handed what to whom, and through whom agents acted", () => {
    expect(asked("Who handed what on to whom").map(({ whom, asked: worker, scope_kind: kind }) => [whom, worker, kind])).toEqual([
      ["bot", "worker", "issued"],
      ["bot", "worker", "issued"],
    ]);
    expect(asked("For whom agents acted")).toEqual([
      { whom: "user:alice", asked: "agent:bot", registered: 1, decisions: 3 },
      { whom: "agent:bot", asked: "agent:worker", registered: 1, decisions: 1 },
    ]);
  });

  it("tells what people are asked, what they answered, and what was done on their word", () => {
    expect(asked("What people are asked at present")).toMatchObject([
      { agent: "helper", tool: "look-up", holds: "look-ups-are-asked-about", asked: 1 },
    ]);
    expect(asked("Who approves how much")).toEqual([{ approver: "user:ann", answers: 2, percent_approved: 50, median_seconds: 3 }]);
    expect(asked("What was done on somebody's word")).toMatchObject([{ agent: "helper", tool: "look-up", approved_by: "user:ann" }]);
    expect(asked("What was denied, by whom")).toMatchObject([{ agent: "helper", ended_by: "user:ann", reason: "I looked at it" }]);
    expect(asked("What people were asked for").map(({ state, approvals, used }) => [state, approvals, used])).toEqual(
      expect.arrayContaining([
        ["consumed", 1, 1],
        ["denied", 1, 0],
        ["pending", 1, 0],
      ]),
    );
    expect(asked("What happened to one approval").map(({ kind }) => kind)).toEqual(["approval_opened"]);
  });

  it("tells what a tree has seen", () => {
    expect(asked("What each tree")).toMatchObject([{ agent: "bot", trust: "trusted", systems: '["none"]' }]);
  });

  it("names every table and view that is a public interface, with the columns of those that people ask", () => {
    const tables = rowsOf(
      `SELECT m.name AS name, group_concat(c.name) AS columns FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c
       WHERE m.type IN ('table', 'view') AND m.name NOT GLOB '_*' AND m.name NOT GLOB 'sqlite_*' GROUP BY m.name`,
    );
    expect(tables.map(({ name }) => name)).toEqual([
      "approval_answers",
      "approvals",
      "approvers",
      "decision_cache",
      "decisions",
      "delegations",
      "events",
      "findings",
      "policies",
      "reports",
      "suspensions",
      "tasks",
      "tree_heads",
    ]);
    for (const { name } of tables) expect(page).toContain(`\`${name}\``);
    const columns = tables
      .filter(({ name }) => ["decisions", "tasks", "reports", "approvals"].includes(String(name)))
      .flatMap(({ columns: names }) => String(names).split(","))
      // Beside each time stands its text, as the page says.
      .filter((column) => !column.endsWith("_iso"));
    for (const column of columns) expect(page, column).toContain(`\`${column}\``);
  });
});
