import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Policy } from "../../src/core/policy.ts";
import type { DecisionCache } from "../../src/core/ports.ts";
import { RECORD_VERSION } from "../../src/core/record.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import { policyOf } from "../policies.ts";
import { temporaryDirectory } from "../running-server.ts";
import { deciderOver } from "./deciders.ts";
import { ask, CALLER } from "./requests.ts";
import { createTestClock, lookOutside, type OpenedStorage, openMemory, openSqlite, type TestClock } from "./storages.ts";

const points = (name: string, all: readonly object[], value: number): object => ({
  name,
  conditions: { all },
  event: { type: "risk", params: { points: value, reason: "r", controls: [] } },
});

/** Rules over many kinds of facts; `shift` makes another policy of the same shape. */
const policyWith = (shift: number): Policy =>
  policyOf({
    tools: { read: { effect: "read", reversibility: "reversible", output: { trust: "untrusted" } } },
    rules: [
      points("a-number-is-big", [{ fact: "action.arguments.n", operator: "greaterThan", value: 1 }], 1 + shift),
      points("a-text-is-x", [{ fact: "action.arguments.s", operator: "equal", value: "x" }], 2 + shift),
      points("a-list-holds-x", [{ fact: "action.arguments.list", operator: "contains", value: "x" }], 4 + shift),
      points("a-category-is-personal", [{ fact: "data.categories", operator: "contains", value: "personal" }], 8 + shift),
      points("untrusted-was-seen", [{ fact: "task.seen.trust", operator: "equal", value: "untrusted" }], 16 + shift),
      points("an-entry-is-there", [{ fact: "context.attributes.k", operator: "present", value: true }], 3 + shift),
    ],
  });

const POLICIES = [policyWith(0), policyWith(5)] as const;

const request: fc.Arbitrary<DecisionRequest> = fc
  .record({
    arguments: fc.record(
      { n: fc.constantFrom(1, 2, "2", null), s: fc.constantFrom("x", "y", "", 1), list: fc.constantFrom([], ["x"], ["x", "y"], ["xy"], "x") },
      { requiredKeys: [] },
    ),
    categories: fc.constantFrom(undefined, ["personal"], ["other"], ["person", "al"]),
    attributes: fc.constantFrom(undefined, { k: null }, { k: "" }, { other: 1 }),
    tool: fc.constantFrom("read", "unlisted"),
  })
  .map(({ arguments: args, categories, attributes, tool }) => ({
    agent: { id: "bot" },
    action: { tool, arguments: args },
    ...(categories && { data: { categories } }),
    ...(attributes && { context: { attributes } }),
  }));

/** Few different requests, so that they come again. */
const pool = fc.array(request, { minLength: 2, maxLength: 4 });
const pick = fc.record({
  which: fc.nat(),
  policy: fc.constantFrom(0, 1),
  tenant: fc.constantFrom("default", "elsewhere"),
  restart: fc.integer({ min: 0, max: 9 }),
});

interface Step {
  readonly request: DecisionRequest | undefined;
  readonly policy: number;
  readonly tenant: string;
  readonly restart: number;
}

const noCache: DecisionCache = { get: () => undefined, peek: () => undefined, put: () => undefined };

/** Runs a history through a cache and without one, and answers how often the cache served. Throws where the two differ. */
async function compare(steps: readonly Step[], path: string, wrap: (cache: DecisionCache) => DecisionCache): Promise<number> {
  const clock = createTestClock();
  const plain = { ...(await openMemory()), clock, cache: noCache };
  let storage = await openSqlite({ path, clock });
  let hits = 0;
  let current = -1;
  try {
    for (const { request: asked, policy, tenant, restart } of steps) {
      if (restart === 0) {
        await storage.close();
        storage = await openSqlite({ path, clock });
        current = -1;
      }
      if (policy !== current) await loaded(storage, POLICIES[policy === 0 ? 0 : 1], clock);
      current = policy;
      const chosen = { policy: POLICIES[policy === 0 ? 0 : 1] };
      const caller = { ...CALLER, tenant };
      const cached = await deciderOver({ ...storage, cache: wrap(storage.cache) }, chosen).decide(ask(asked, caller));
      const fresh = await deciderOver(plain, chosen).decide(ask(asked, caller));
      expect(cached.record.judgement).toEqual(fresh.record.judgement);
      if (cached.record.cache.hit) hits++;
    }
    return hits;
  } finally {
    await storage.close();
  }
}

const loaded = (storage: OpenedStorage, policy: Policy, clock: TestClock): Promise<void> =>
  storage.ledger.recordPolicy({
    event: {
      kind: "policy_loaded",
      v: RECORD_VERSION,
      id: `p-${Math.random()}`,
      at: clock.now(),
      policy: policy.digest,
      windows: policy.settings.windows,
    },
    files: {},
  });

const options = { numRuns: Number(process.env["RUNS"] ?? 12), ...(process.env["SEED"] !== undefined && { seed: Number(process.env["SEED"]) }) };
const history: fc.Arbitrary<readonly Step[]> = fc
  .tuple(pool, fc.array(pick, { minLength: 20, maxLength: 60 }))
  .map(([requests, picks]) => picks.map(({ which, ...rest }) => ({ ...rest, request: requests[which % requests.length] })));

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

describe("the decision cache", () => {
  it("never changes an answer, across restarts, reloads and tenants", async () => {
    let hits = 0;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        hits += await compare(steps, `${path}-${run++}`, (cache) => cache);
      }),
      options,
    );
    expect(hits).toBeGreaterThan(run * 3);
  });

  it.each<{ says: string; twin: (cache: DecisionCache) => DecisionCache }>([
    { says: "with a key that leaves most of the facts out", twin: (cache) => keyed(cache, (key) => key.slice(0, 1)) },
  ])("$says is caught", async ({ twin }) => {
    let run = 0;
    await expect(
      fc.assert(
        fc.asyncProperty(history, async (steps) => {
          await compare(steps, `${path}-${run++}`, twin);
        }),
        { ...options, seed: Number(process.env["SEED"] ?? 7), endOnFailure: true },
      ),
    ).rejects.toThrow("Property failed");
  });

  it("names the decision whose answer it repeats, and writes a key when it is met the second time", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage, { policy: POLICIES[0] });
    const rows = (): unknown => outside((db) => db.prepare("SELECT count(*) FROM decision_cache").pluck().get());
    const [first] = [await decider.decide(ask()), await decider.decide(ask({ action: { tool: "other", arguments: { n: 5 } } }))];
    expect(rows()).toBe(0);
    const second = await decider.decide(ask({ agent: { id: "another" } }));
    expect(second.record.cache).toEqual({ hit: true, repeats: first.record.id });
    expect(rows()).toBe(1);
    await storage.close();
  });

  it("outlives the process, and a row edited by hand is not believed", async () => {
    const decide = async () => {
      const storage = await openSqlite({ path });
      const { record } = await deciderOver(storage, { policy: POLICIES[0] }).decide(ask());
      await storage.close();
      return record.cache.hit;
    };
    expect([await decide(), await decide()]).toEqual([false, false]);
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage, { policy: POLICIES[0] });
    await decider.decide(ask());
    await decider.decide(ask());
    await storage.close();
    expect(await decide()).toBe(true);
    outside((db) => db.exec("UPDATE decision_cache SET score = score + 1"));
    expect(await decide()).toBe(false);
  });

  it("drops the rows of every other policy when one is loaded", async () => {
    const storage = await openSqlite({ path });
    const decider = deciderOver(storage, { policy: POLICIES[0] });
    for (let n = 0; n < 3; n++) await decider.decide(ask());
    await loaded(storage, POLICIES[1], storage.clock);
    await storage.close();
    expect(outside((db) => db.prepare("SELECT count(*) FROM decision_cache").pluck().get())).toBe(0);
  });
});

function keyed(cache: DecisionCache, change: (key: string) => string): DecisionCache {
  return { get: (key) => cache.get(change(key)), peek: (key) => cache.peek(change(key)), put: (key, cached) => cache.put(change(key), cached) };
}

const outside = <T>(use: (db: Sqlite.Database) => T): T => lookOutside(path, use);
