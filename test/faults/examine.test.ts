import { closeSync, cpSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import type { Database } from "better-sqlite3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Acknowledged, ask, changeOf, variedRequests } from "../../faults/asking.ts";
import { examine } from "../../faults/examine.ts";
import { Verdict } from "../../src/gen/behest/v1/approval_pb.ts";
import { DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { runServer, temporaryDirectory } from "../running-server.ts";
import { lookOutside } from "../storage/storages.ts";

const directory = temporaryDirectory();
const whole = join(directory.path, "whole");
const acknowledged: Acknowledged[] = [];
/** A change of a file that was asked about, answered, and allowed once. */
let approvalId = "";

beforeAll(async () => {
  const server = await runServer({ data: whole });
  const client = server.client("enforcer");
  const requestOf = variedRequests("test");
  const tell = async (request: Parameters<typeof ask>[1]): Promise<Acknowledged> => {
    const said = await ask(client, request);
    if (!said.acknowledged) throw said.error ?? new Error("no answer");
    acknowledged.push(said.acknowledged);
    return said.acknowledged;
  };
  for (let number = 0; number < 10; number++) await tell(requestOf(number));
  const asked = create(DecideRequestSchema, { agent: { id: "writer" }, action: changeOf(1) });
  approvalId = (await tell({ ...asked, requestId: "asks" })).approvalId ?? "";
  await server.client("approver").resolveApproval({ approvalId, verdict: Verdict.APPROVE, comment: "I looked at it" });
  expect(await tell({ ...asked, requestId: "uses", approvalId })).toMatchObject({ outcome: "ALLOW", approvalId });
  await server.close();
});
afterAll(() => directory.remove());

/** A copy of the whole directory, spoiled. */
function spoiled(spoil: (db: Database) => void): string {
  const copy = join(directory.path, `copy-${Math.random()}`);
  cpSync(whole, copy, { recursive: true });
  lookOutside(join(copy, "behest.db"), spoil);
  return copy;
}

it("finds nothing in what a server leaves, and counts it", () => {
  const found = examine(whole, acknowledged);
  expect(found).toMatchObject({ decisions: 12, broken: [] });
  expect(found.events).toBeGreaterThan(12);
  expect(found.groups).toBeGreaterThan(12);
});

it.each<{ says: string; sql: string; broken: string }>([
  {
    says: "a row that is missing",
    sql: "DELETE FROM decisions WHERE decision_id = :first",
    broken: "an acknowledged decision has no record: ALLOW ",
  },
  { says: "a gap in the sequence", sql: "DELETE FROM decisions WHERE decision_id = :first", broken: "the sequence has a gap: " },
  {
    says: "another outcome than was answered",
    sql: "UPDATE decisions SET outcome = 'DENY' WHERE decision_id = :first",
    broken: "an acknowledged decision is recorded otherwise: ALLOW ",
  },
  {
    says: "a record that was edited",
    sql: "UPDATE decisions SET record = record || ' ' WHERE decision_id = :first",
    broken: "a record does not hash to its leaf: seq ",
  },
  {
    says: "a leaf that was edited",
    sql: "UPDATE decisions SET leaf = zeroblob(32) WHERE decision_id = :first",
    broken: "the root of a group is another one: tree size ",
  },
  {
    says: "a root that was edited",
    sql: "UPDATE tree_heads SET root = zeroblob(32) WHERE tree_size = (SELECT max(tree_size) FROM tree_heads)",
    broken: "the root of a group is another one: tree size ",
  },
  {
    says: "the root of a log that is longer",
    sql: "INSERT INTO tree_heads SELECT 1000, at, root FROM tree_heads LIMIT 1",
    broken: "the root of a group is another one: tree size 1000 of a log of ",
  },
  {
    says: "a last group without its root",
    sql: "DELETE FROM tree_heads WHERE tree_size = (SELECT max(tree_size) FROM tree_heads)",
    broken: "the log has ",
  },
  {
    says: "an edge that is not this log's",
    sql: "UPDATE _tree_edge SET tree_size = 1, edge = zeroblob(32)",
    broken: "the edge of the tree is that of another log",
  },
  {
    says: "an approval that allowed twice",
    sql: "UPDATE decisions SET approval_id = :approval WHERE decision_id = :first",
    broken: "an approval was used more often than people said: ",
  },
  {
    says: "an approval that allowed and was not used up",
    sql: "DELETE FROM events WHERE kind = 'approval_used' AND :approval <> ''",
    broken: "the uses of an approval are not its ALLOWs: ",
  },
  {
    says: "an approval that is used up in its row alone",
    sql: "UPDATE approvals SET used = 2 WHERE approval_id = :approval",
    broken: "the uses of an approval are not its ALLOWs: ",
  },
  {
    says: "one request id with two decisions",
    sql: "UPDATE decisions SET record = json_set(record, '$.attempt.id', 'test-1') WHERE decision_id = :first",
    broken: "a request id was decided twice: `test-1`, 2 times",
  },
])("finds $says", ({ sql, broken }) => {
  const values = { first: acknowledged[0]?.decisionId ?? "", approval: approvalId };
  const used = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`:${name}`)));
  const copy = spoiled((db) => db.prepare(sql).run(used));
  expect(examine(copy, acknowledged).broken).toContainEqual(expect.stringContaining(broken));
});

it("takes a request id for another attempt when its time is over", () => {
  const copy = spoiled((db) => {
    db.exec("UPDATE decisions SET record = json_set(record, '$.attempt.id', 'test-1')");
    db.exec("UPDATE decisions SET at = at + 1000 * seq");
  });
  const ambiguous = (idempotencyMs: number) => examine(copy, [], { idempotencyMs }).broken.filter((sentence) => sentence.includes("decided twice"));
  expect(ambiguous(1_000)).toEqual([]);
  expect(ambiguous(3_600_000)).toEqual(["a request id was decided twice: `test-1`, 12 times"]);
});

it("finds an answer whose whole group was lost, and nothing else to complain of", () => {
  const lost: Acknowledged = { decisionId: "lost", requestId: "r", outcome: "ALLOW", taskId: "t" };
  expect(examine(whole, [...acknowledged, lost]).broken).toEqual(["an acknowledged decision has no record: ALLOW lost"]);
});

it.each([
  { says: "an index", name: "decisions_by_agent" },
  { says: "a table", name: "tree_heads" },
])("finds a file of which a page of $says is damaged", ({ name }) => {
  let at = 0;
  const copy = spoiled((db) => {
    const page = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck().get(name));
    at = (page - 1) * Number(db.pragma("page_size", { simple: true }));
  });
  const file = openSync(join(copy, "behest.db"), "r+");
  writeSync(file, Buffer.alloc(64, 0xff), 0, 64, at);
  closeSync(file);
  expect(examine(copy).broken).toContainEqual(expect.stringMatching(/^the file (is corrupt|cannot be read): /));
});
