import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { APPROVAL_STATES } from "../../src/core/approvals/approval.ts";
import { createApprovalKeeper } from "../../src/core/approvals/keeper.ts";
import type { Json, JsonObject } from "../../src/core/words.ts";
import { DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { deciderOver } from "../storage/deciders.ts";
import { ask } from "../storage/requests.ts";
import { openMemory } from "../storage/storages.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/approvals.md"), "utf8");
const sectionOf = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
/** The cells of each row but the header. */
const rowsOf = (section: string): readonly (readonly string[])[] =>
  section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));

describe("docs/approvals.md", () => {
  it("tells of every state that there is, and of no other", () => {
    const life = sectionOf("The life of an approval");
    expect(rowsOf(life).map(([state]) => state)).toEqual(APPROVAL_STATES_AS_TOLD.map((state) => `\`${state}\``));
    expect([...APPROVAL_STATES_AS_TOLD].sort()).toEqual([...APPROVAL_STATES].sort());
    for (const state of APPROVAL_STATES) expect(life.match(/```text\n(.*?)```/s)?.[1]).toContain(state);
  });

  it("names only fields of the request as what it is not bound to", () => {
    const [, list = ""] = sectionOf("What it is bound to").match(/but for five that say nothing of the action: (.*?), and credentials/s) ?? [];
    const named = [...list.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
    expect(named).toEqual(["request_id", "approval_id", "wait_ms", "permit"]);
    const fields = new Set(DecideRequestSchema.fields.map(({ name }) => name));
    expect(named.filter((name) => !fields.has(name ?? ""))).toEqual([]);
  });

  const guarantees = rowsOf(sectionOf("The guarantees"));

  it.each(guarantees)("has a test for: %s", (_, where = "") => {
    const [, file = "", title = ""] = where.match(/^`(test\/[a-z0-9/.-]+\.test\.ts)`: (.+)$/) ?? [];
    expect({ where, there: existsSync(join(root, file)) }).toEqual({ where, there: true });
    expect(titlesIn(readFileSync(join(root, file), "utf8"))).toContain(title);
  });

  it("has a guarantee in more than one row, and none twice", () => {
    expect(guarantees.length).toBeGreaterThan(10);
    expect(new Set(guarantees.map(([promise]) => promise)).size).toBe(guarantees.length);
  });
});

const APPROVAL_STATES_AS_TOLD = ["pending", "approved", "consumed", "denied", "expired", "cancelled"];

/** What tests are called, without what differs from row to row of a table of them; and what such rows say. */
const titlesIn = (text: string): readonly string[] =>
  [...text.matchAll(/(?:\(|says: |\[)\s*"((?:[^"\\]|\\.)*)"/g)].map(([, title = ""]) => title.replaceAll('\\"', '"').replace(/: [$%]\w+.*$/, ""));

const POLICY = policyOf({
  settings: { reach: { default: FULL_REACH } },
  tools: {
    send_money: {
      effect: "pay",
      reversibility: "irreversible",
      output: { trust: "trusted" },
      arguments: { recipient: "destination", amount: "amount", currency: "currency", subject: "free_text" },
    },
  },
});

describe("requests that are nearly the same", () => {
  const wider = sectionOf("A wider yes");
  const shown: JsonObject = JSON.parse(wider.match(/```json\n(.*?)```/s)?.[1] ?? "");
  const rows = rowsOf(wider).map(([change = "", covered]) => ({ change: change.replaceAll("`", ""), covered }));

  it.each(rows)("are covered by a wider yes, or not, as the page says: $change", async ({ change, covered }) => {
    const storage = await openMemory();
    const decide = async (args: Readonly<Record<string, Json>>) =>
      (await deciderOver(storage, { policy: POLICY }).decide(ask({ action: { tool: "send_money", arguments: args } }))).record;
    const asked = (await decide(shown)).approval?.id ?? "none";
    const keeper = createApprovalKeeper({ ...storage, policies: { current: () => POLICY }, newId: (at) => v7({ msecs: at }) });
    const approver = { tenant: "default", id: "user:local", roles: ["approver" as const] };
    await keeper.resolve(approver, { id: asked, verdict: "approve", endorsement: { uses: 3 } });
    const { outcome } = (await decide({ ...shown, ...(JSON.parse(change) as JsonObject) })).judgement;
    expect({ outcome }).toEqual({ outcome: covered === "yes" ? "ALLOW" : "REQUIRE_APPROVAL" });
  });

  it("are told of both ways", () => {
    expect(new Set(rows.map(({ covered }) => covered))).toEqual(new Set(["yes", "no"]));
  });
});
