import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { type AskingServer, runAskingServer, writing } from "../endpoints/asking-server.ts";
import { actionOf, requestOf } from "../endpoints/raw-calls.ts";
import { readPrometheusText, type Samples } from "./prometheus-text.ts";

let server: AskingServer;
beforeAll(async () => {
  server = await runAskingServer({ http: "127.0.0.1:0" });
});
afterAll(() => server.close());

async function scrape(): Promise<string> {
  const answer = await fetch(`http://${server.http}/metrics`, { headers: { authorization: `Bearer ${server.token("auditor")}` } });
  expect({ status: answer.status, type: answer.headers.get("content-type") }).toEqual({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
  });
  return answer.text();
}

const samples = async (): Promise<Samples> => readPrometheusText(await scrape()).samples;

/** What has risen or fallen, and by how much, while something was done. */
async function changes(of: RegExp, work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const before = await samples();
  await work();
  const after = await samples();
  const changed = [...after].map(([series, value]) => [series, value - (before.get(series) ?? 0)] as const);
  return Object.fromEntries(changed.filter(([series, difference]) => of.test(series) && difference !== 0));
}

const reading = (agent: string, extra = {}) => requestOf({ agent: { id: agent }, action: actionOf({ tool: "read" }), ...extra });
const counter = (outcome: string, basis: string, cache: string): string =>
  `behest_decisions_total{outcome="${outcome}",basis="${basis}",cache="${cache}"}`;

describe("metrics", () => {
  it("are of the text format of Prometheus, and of its names", async () => {
    const { families, samples: all } = readPrometheusText(await scrape());
    const ours = [...families.keys()].filter((name) => name.startsWith("behest_"));
    expect(ours.length).toBeGreaterThan(20);
    for (const name of ours) {
      const { type, help } = families.get(name) ?? {};
      expect({ name, total: name.endsWith("_total"), help }).toEqual({ name, total: type === "counter", help: expect.stringMatching(/^.{10,}\.$/) });
    }
    expect([...all.keys()]).toContain("process_resident_memory_bytes");
  });

  it("count decisions by outcome, basis and cache", async () => {
    const changed = await changes(/^behest_decisions/, async () => {
      await server.decide(reading("counted"));
      await server.decide(reading("counted"));
      await server.decide(writing({ agent: { id: "counted" } }));
    });
    expect(changed).toEqual({
      [counter("allow", "available", "miss")]: 1,
      [counter("allow", "available", "hit")]: 1,
      // No rule of this policy reads what differs between them.
      [counter("require_approval", "available", "hit")]: 1,
    });
  });

  it("count an answer that repeats another as that alone", async () => {
    const request = reading("repeated", { requestId: "one attempt" });
    await server.decide(request);
    expect(await changes(/^behest_decisions/, () => server.decide(request))).toEqual({ behest_decisions_replayed_total: 1 });
  });

  it("count what got an error instead of a decision, by its code", async () => {
    const request = reading("reused", { requestId: "reused" });
    await server.decide(request);
    const changed = await changes(/^behest_decision.*(total|count)/, () =>
      expect(server.client("enforcer").decide(reading("another", { requestId: "reused" }))).rejects.toThrow(),
    );
    expect(changed).toEqual({ 'behest_decisions_failed_total{code="REQUEST_ID_REUSED"}': 1 });
    expect((await samples()).get('behest_decisions_failed_total{code="LEDGER_UNAVAILABLE"}')).toBe(0);
  });

  it("count each decision of a batch", async () => {
    const items = ["one", "two", "three"].map((agent) => reading(agent));
    const changed = await changes(/^behest_decisions/, () => server.client("enforcer").decideBatch(items));
    expect(Object.values(changed).reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it("tell how long decisions take, and leave out how long people do", async () => {
    const durations = /^behest_decision_duration_seconds_count/;
    expect(await changes(durations, () => server.decide(reading("measured")))).toEqual({ behest_decision_duration_seconds_count: 1 });
    expect(await changes(durations, () => server.client("enforcer").decide(writing({ agent: { id: "patient" }, waitMs: 100 })))).toEqual({});
  });

  it("tell of each group that went to disk", async () => {
    const changed = await changes(/^behest_ledger_(group|commit).*(sum|count)$/, () => server.decide(reading("grouped")));
    // The task that it opened is an event too.
    expect(changed).toEqual({
      behest_ledger_group_events_count: 1,
      behest_ledger_group_events_sum: 2,
      behest_ledger_commit_seconds_count: 1,
      behest_ledger_commit_seconds_sum: expect.any(Number),
    });
    expect(changed["behest_ledger_commit_seconds_sum"]).toBeGreaterThan(0);
  });

  it("tell how many approvals nobody has answered", async () => {
    const pending = /^behest_approvals_pending/;
    let approval = "";
    expect(
      await changes(pending, async () => {
        approval = await server.asking(writing({ agent: { id: "asking" } }));
      }),
    ).toEqual({ behest_approvals_pending: 1 });
    expect(await changes(pending, () => server.yes(approval))).toEqual({ behest_approvals_pending: -1 });
  });

  it("tell how many calls wait for people", async () => {
    const waiting = server.client("enforcer").decide(writing({ agent: { id: "waiting" }, waitMs: 30_000 }));
    const approval = await server.pendingOf("waiting");
    expect((await samples()).get("behest_waits")).toBe(1);
    await server.no(approval);
    await waiting;
    expect((await samples()).get("behest_waits")).toBe(0);
  });

  it("tell what is remembered beside how much may be", async () => {
    const changed = await changes(/^behest_state_entries/, () => server.decide(reading("remembered", { requestId: "remembered" })));
    expect(changed).toMatchObject({ 'behest_state_entries{of="agents"}': 1, 'behest_state_entries{of="request_ids"}': 1 });
    const all = await samples();
    for (const of of ["self_asserted_tasks", "registered_tasks", "agents", "request_ids", "approvals", "suspensions", "cache_rows"]) {
      expect(all.get(`behest_state_entries{of="${of}"}`)).toBeLessThanOrEqual(all.get(`behest_state_entries_max{of="${of}"}`) ?? 0);
    }
  });

  it("tell of the ledger's files, the policy, and this thread", async () => {
    await server.decide(reading("any"));
    const all = await samples();
    for (const name of [
      "ledger_wal_bytes",
      "ledger_database_bytes",
      "ledger_disk_free_bytes",
      "policy_age_seconds",
      "event_loop_busy_seconds_total",
    ]) {
      expect({ name, value: all.get(`behest_${name}`) }).toEqual({ name, value: expect.any(Number) });
      expect(all.get(`behest_${name}`)).toBeGreaterThan(0);
    }
    expect(all.get("behest_ledger_ready")).toBe(1);
    expect(all.get("behest_policy_refused")).toBe(0);
    await expect.poll(async () => (await samples()).get("behest_event_loop_lag_seconds_count"), { timeout: 5_000 }).toBeGreaterThan(5);
  });

  it("name nobody and nothing that was decided on", async () => {
    const request = writing({ agent: { id: "somebody-of-many" }, requestId: "attempt-of-many", task: { statement: "statement-of-many" } });
    await server.decide(request);
    const told = ["somebody-of-many", "attempt-of-many", "statement-of-many", "default", '"write"', "local-enforcer"];
    const text = await scrape();
    expect(told.filter((word) => text.includes(word))).toEqual([]);
    // The log does name it, so that finding nothing above means something.
    expect(server.log.join("\n")).toContain("attempt-of-many");
  });
});

const OPTIONS = {
  version: "1.2.3",
  shedReasons: ["queue_age", "in_flight", "calls"],
  entriesMax: { self_asserted_tasks: 1, registered_tasks: 1, agents: 1, request_ids: 1, approvals: 1, suspensions: 1, cache_rows: 1 },
};

describe("metrics of a ledger that cannot be written", () => {
  it("say so, and say nothing of what nobody knows", async () => {
    const metrics = createMetrics(OPTIONS);
    const now = { queue: { turns: 2, oldestMs: 1_500 }, waiting: 0, files: { databaseBytes: 1, walBytes: 2, freeBytes: 3 } };
    const policy = { ageMs: 60_000, isRefused: true };
    const entries = { ...OPTIONS.entriesMax, agents: 0 };
    const open = readPrometheusText(await metrics.text({ ...now, policy, state: { entries, approvalsPending: 4 } })).samples;
    const failed = readPrometheusText(await metrics.text({ ...now, policy, state: undefined })).samples;
    metrics.close();
    expect([open.get("behest_ledger_ready"), open.get("behest_approvals_pending"), open.get('behest_state_entries{of="agents"}')]).toEqual([1, 4, 0]);
    expect([failed.get("behest_ledger_ready"), failed.has("behest_approvals_pending"), failed.has('behest_state_entries{of="agents"}')]).toEqual([
      0,
      false,
      false,
    ]);
    expect([failed.get("behest_ledger_queue_age_seconds"), failed.get("behest_policy_age_seconds"), failed.get("behest_policy_refused")]).toEqual([
      1.5, 60, 1,
    ]);
    expect(failed.get('behest_build_info{version="1.2.3"}')).toBe(1);
  });

  it("count what was turned away, by its reason", async () => {
    const metrics = createMetrics(OPTIONS);
    for (const reason of ["queue_age", "queue_age", "in_flight"]) metrics.shed(reason);
    const now = { queue: { turns: 0, oldestMs: 0 }, waiting: 0, files: { databaseBytes: 1, walBytes: 2, freeBytes: 3 } };
    const { samples: told } = readPrometheusText(await metrics.text({ ...now, policy: { ageMs: 0, isRefused: false }, state: undefined }));
    metrics.close();
    expect(OPTIONS.shedReasons.map((reason) => told.get(`behest_shed_total{reason="${reason}"}`))).toEqual([2, 1, 0]);
  });
});

describe("the reader of the text format", () => {
  const whole = "# HELP a_seconds Some.\n# TYPE a_seconds histogram\n";
  it.each([
    { says: "a line that does not end", text: "# TYPE a gauge\na 1" },
    { says: "a sample without a family", text: "a 1\n" },
    { says: "a value that is no number", text: "# TYPE a gauge\na one\n" },
    { says: "a label without quotes", text: "# TYPE a gauge\na{b=c} 1\n" },
    { says: "a series that is told twice", text: "# TYPE a gauge\na 1\na 2\n" },
    { says: "buckets that fall", text: `${whole}a_seconds_bucket{le="1"} 2\na_seconds_bucket{le="+Inf"} 1\na_seconds_count 1\n` },
    { says: "a last bucket that is not the count", text: `${whole}a_seconds_bucket{le="+Inf"} 1\na_seconds_count 2\n` },
  ])("refuses $says", ({ text }) => {
    expect(() => readPrometheusText(text)).toThrow();
  });
});
