import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import type { TaskState } from "../../src/core/tasks/registered.ts";
import { temporaryDirectory } from "../running-server.ts";
import { reportsOver } from "./deciders.ts";
import { delegate, open, outcomeOf, POLICY, pay } from "./families.ts";
import { CALLER } from "./requests.ts";
import { type OpenedStorage, openSqlite } from "./storages.ts";
import { withSlowReads } from "./under-load.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

describe("budgets", () => {
  it("are given to one of two decisions that race for the last unit", async () => {
    const storage = await openSqlite({ path });
    const root = await open(storage, { scope: { maxCalls: { pay: 1 } } });
    const children = [await delegate(storage, root), await delegate(storage, root)];
    const outcomes = await Promise.all(children.map((id) => outcomeOf(storage, id, "worker")));
    expect(outcomes.sort()).toEqual(["ALLOW", "DENY"]);
    await storage.close();
  });

  const CAPS = { calls: 20, amount: 15_000 };

  /** What 50 deciders at once take and give back, and every time that more was out than may be. */
  async function race(storage: OpenedStorage, ledger: Ledger) {
    const deciding = { ...storage, ledger };
    const root = await open(storage, { scope: { maxCalls: { pay: CAPS.calls }, maxAmounts: { EUR: CAPS.amount } } });
    const children = await Promise.all(Array.from({ length: 5 }, () => delegate(storage, root)));
    const reports = reportsOver(storage, POLICY);
    const block = (decision: string) => reports.report(CALLER, { decision, status: "blocked", result: "", truncated: false });
    const counts = { allowed: 0, denied: 0, back: 0 };
    const out = { calls: 0, amount: 0 };
    const beyond: unknown[] = [];
    const look = (): void => {
      if (out.calls > CAPS.calls || out.amount > CAPS.amount) beyond.push({ ...out });
      for (const { spent } of storage.ledger.tasks().all()) {
        const [calls, amount] = [spent.calls.pay ?? 0, spent.amounts["EUR"] ?? 0];
        if (calls < 0 || calls > CAPS.calls || amount < 0 || amount > CAPS.amount) beyond.push(spent);
      }
    };
    const decideOnce = async (n: number, round: number): Promise<void> => {
      const amount = 1 + ((n + round) % 9);
      const record = await pay(deciding, children[n % 5] ?? "", "worker", amount);
      if (record.judgement.outcome === "DENY") counts.denied++;
      if (record.judgement.outcome !== "ALLOW") return;
      counts.allowed++;
      out.calls++;
      out.amount += amount * 100;
      look();
      if ((n + round) % 3 === 0) return;
      counts.back++;
      // From here on it may have been given back.
      out.calls--;
      out.amount -= amount * 100;
      // Twice: what is given back is given back once.
      await Promise.all([block(record.id), block(record.id)]);
      look();
    };
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        for (let round = 0; round < 8; round++) await decideOnce(n, round);
      }),
    );
    return { root, beyond, ...counts };
  }

  it("never go below nothing or above their cap under 50 deciders at once, while reports give back", async () => {
    const storage = await openSqlite({ path });
    const { root, beyond, allowed, denied, back } = await race(storage, storage.ledger);
    expect(beyond).toEqual([]);
    const spent = storage.ledger.tasks().get(root)?.spent;
    expect(spent?.calls.pay).toBe(allowed - back);
    expect({ many: allowed > 30, someDenied: denied > 0, someBack: back > 10 }).toEqual({ many: true, someDenied: true, someBack: true });
    await storage.close();
    const again = await openSqlite({ path });
    expect(again.ledger.tasks().get(root)?.spent).toEqual(spent);
    await again.close();
  });

  it("and the same look catches a ledger that decides on what is on disk alone", async () => {
    const storage = await openSqlite({ path });
    let written = new Map<string, TaskState>();
    const frozen = (state: TaskState): TaskState => {
      const parent = state.parent && frozen(state.parent);
      const chain = [...(parent?.chain ?? [])];
      const copy = { ...state, parent, chain };
      chain.push(copy);
      return copy;
    };
    const onDisk = (): void => {
      written = new Map([...storage.ledger.tasks().all()].map((state) => [state.task.id, frozen(state)]));
    };
    const stale: Ledger = withSlowReads(storage.ledger, {
      async transact(keys, turn) {
        const answer = await storage.ledger.transact(keys, (view) => {
          const registered = written.get(view.registered?.task.id ?? "") ?? view.registered;
          return turn({ ...view, ...(registered && { registered }) });
        });
        onDisk();
        return answer;
      },
    });
    expect((await race(storage, stale)).beyond.length).toBeGreaterThan(0);
    await storage.close();
  });
});
