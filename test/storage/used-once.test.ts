import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ports.ts";
import type { LedgerEvent } from "../../src/core/record.ts";
import { temporaryDirectory } from "../running-server.ts";
import { type Asking, answer, asking, longTask, use, wire } from "./askings.ts";
import { approvalsOver } from "./deciders.ts";
import { HOUR, POLICY } from "./families.ts";
import { loadPolicy } from "./histories.ts";
import { copyAsCrashed, lookOutside, type OpenedStorage, openSqlite } from "./storages.ts";
import { withSlowReads } from "./under-load.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "behest.db");
});
afterEach(() => directory.remove());

/** A question to people about one action of a task. */
async function askedIn(storage: OpenedStorage, amount = 10): Promise<Asking> {
  await loadPolicy(storage, POLICY);
  return asking(storage, wire({ task: { id: await longTask(storage) } }, amount));
}

interface Left {
  readonly state: string;
  readonly used_by: string | null;
  readonly allowed: readonly string[];
  readonly uses: number;
}

const leftIn = (database: string, { id }: Asking): Left =>
  lookOutside(database, (db) => {
    const one = <T>(sql: string): T[] => db.prepare<[string], T>(sql).all(id);
    const [row] = one<Pick<Left, "state" | "used_by">>("SELECT state, used_by FROM approvals WHERE approval_id = ?");
    const allowed = one<{ decision_id: string }>("SELECT decision_id FROM decisions WHERE outcome = 'ALLOW' AND approval_id = ?");
    const uses = one("SELECT 1 FROM events WHERE kind = 'approval_used' AND approval_id = ?").length;
    return { state: row?.state ?? "none", used_by: row?.used_by ?? null, allowed: allowed.map((one) => one.decision_id), uses };
  });

/** Whatever a crash left: it is used up and there is the one ALLOW, or it is neither; and from there on it can be used once in all. */
async function expectOneUse(database: string, asked: Asking, acknowledged: string | undefined): Promise<Left> {
  const left = leftIn(database, asked);
  if (acknowledged !== undefined) expect(left.allowed).toEqual([acknowledged]);
  expect(left.allowed).toHaveLength(left.state === "consumed" ? 1 : 0);
  expect(left).toMatchObject({ uses: left.allowed.length, used_by: left.allowed[0] ?? null });
  const again = await openSqlite({ path: database });
  const outcomes: string[] = [];
  for (let time = 0; time < 3; time++) outcomes.push((await use(again, asked)).judgement.outcome);
  await again.close();
  expect(outcomes.filter((outcome) => outcome === "ALLOW")).toHaveLength(1 - left.allowed.length);
  expect(leftIn(database, asked)).toMatchObject({ state: "consumed", uses: 1 });
  return left;
}

interface Killing {
  readonly when: "approved" | "allowed";
  /** Milliseconds until then, once that was said. */
  readonly afterMs: number;
}

/** Kills a process that uses an approval. Answers the decision that it had allowed by then, if any. */
function killed(asked: Asking, { when, afterMs }: Killing): Promise<string | undefined> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "consumer-to-kill.ts"), path, asked.id, JSON.stringify(asked.request)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  let allowed: string | undefined;
  lines.on("line", (line) => {
    const [word, decision] = line.split(" ");
    if (word === "allowed") allowed = decision;
    if (word !== when) return;
    if (afterMs === 0) child.kill("SIGKILL");
    else setTimeout(() => child.kill("SIGKILL"), afterMs);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    lines.once("close", () => resolve(allowed));
  });
}

describe("a process that is killed", () => {
  const times = Number(process.env["KILLS"] ?? 2);
  it.each<Killing>(
    Array.from({ length: times }, (_, time): Killing[] => [
      { when: "approved", afterMs: 0 },
      { when: "approved", afterMs: 1 + ((5 * time) % 16) },
      { when: "allowed", afterMs: 0 },
    ]).flat(),
  )(
    "leaves an approval that is used exactly once: $afterMs ms after it was $when",
    async ({ when, afterMs }) => {
      const storage = await openSqlite({ path });
      const asked = await askedIn(storage);
      await storage.close();
      const allowed = await killed(asked, { when, afterMs });
      await expectOneUse(path, asked, allowed);
    },
    60_000,
  );

  it.each<{ says: string; first: (event: LedgerEvent) => boolean }>([
    { says: "that an approval was used apart from the decision", first: ({ kind }) => kind === "approval_used" },
    { says: "the decision apart from the use of its approval", first: ({ kind }) => kind === "decision" },
  ])("is caught by the same look if it writes $says", async ({ first }) => {
    const storage = await openSqlite({ path });
    const asked = await askedIn(storage);
    await answer(storage, asked);
    const copy = join(directory.path, "copy.db");
    const ledger = inTwo(storage.ledger, first, () => copyAsCrashed(path, copy));
    await use({ ...storage, ledger }, asked);
    await storage.close();
    await expect(expectOneUse(copy, asked, undefined)).rejects.toThrow();
  });

  it("is caught by the same look if it answers before that is on disk", async () => {
    const storage = await openSqlite({ path });
    const asked = await askedIn(storage);
    await answer(storage, asked);
    const ledger = withSlowReads(storage.ledger, {
      transact: async (keys, turn) => {
        let answered: ReturnType<typeof turn> | undefined;
        void storage.ledger.transact(keys, (view) => {
          answered = turn(view);
          return answered;
        });
        if (!answered) throw new Error("the turn did not run");
        return answered.answer;
      },
    });
    const { id } = await use({ ...storage, ledger }, asked);
    const copy = copyAsCrashed(path, join(directory.path, "copy.db"));
    await storage.close();
    await expect(expectOneUse(copy, asked, id)).rejects.toThrow();
  });
});

/** Writes some of a turn's events in a transaction of their own. */
const inTwo = (ledger: Ledger, isFirst: (event: LedgerEvent) => boolean, between: () => void): Ledger =>
  withSlowReads(ledger, {
    async transact(keys, turn) {
      let later: readonly LedgerEvent[] = [];
      const answered = await ledger.transact(keys, (view) => {
        const { events, answer: answers } = turn(view);
        later = events.filter((event) => !isFirst(event));
        return { events: events.filter(isFirst), answer: answers };
      });
      between();
      await ledger.transact(keys, () => ({ events: later, answer: undefined }));
      return answered;
    },
  });

const CONSUMERS = 50;

/** How many of those that use an approval at once may act. */
async function winners(storage: OpenedStorage, asked: Asking, ledger: Ledger = storage.ledger): Promise<number> {
  const records = await Promise.all(Array.from({ length: CONSUMERS }, () => use({ ...storage, ledger }, asked)));
  const won = records.filter(({ judgement }) => judgement.outcome === "ALLOW");
  for (const { judgement, approval } of records) {
    if (judgement.outcome === "ALLOW") expect(approval).toMatchObject({ id: asked.id, state: "consumed" });
    else expect(judgement).toMatchObject({ outcome: "REQUIRE_APPROVAL", reasonCodes: expect.arrayContaining(["APPROVAL_NOT_APPLICABLE"]) });
  }
  return won.length;
}

describe(`${CONSUMERS} that use one approval at once`, () => {
  it("are one winner, and the others ask anew together", async () => {
    const storage = await openSqlite({ path });
    await loadPolicy(storage, POLICY);
    const task = await longTask(storage);
    const races = Number(process.env["RACES"] ?? 20);
    for (let race = 0; race < races; race++) {
      // Each race asks twice, and people are asked so often in an hour.
      storage.clock.advance(HOUR);
      await approvalsOver(storage, POLICY).sweep();
      const asked = await asking(storage, wire({ task: { id: task } }, race));
      await answer(storage, asked);
      expect(await winners(storage, asked), `race ${race}`).toBe(1);
    }
    await storage.close();
    const count = (sql: string) => lookOutside(path, (db) => db.prepare(sql).pluck().get());
    expect(count("SELECT count(*) FROM decisions WHERE outcome = 'ALLOW'")).toBe(races);
    expect(count("SELECT count(*) FROM approvals WHERE state = 'consumed' AND used = 1")).toBe(races);
    expect(count("SELECT count(*) FROM approvals")).toBe(2 * races);
  }, 600_000);

  it("are caught winning together where a turn does not see what the one before it did", async () => {
    const storage = await openSqlite({ path });
    const asked = await askedIn(storage);
    await answer(storage, asked);
    const ledger = withSlowReads(storage.ledger, {
      transact: async (keys, turn) => {
        const seen = storage.ledger.peek(keys, turn);
        await new Promise((resolve) => setImmediate(resolve));
        return storage.ledger.transact(keys, () => seen);
      },
    });
    expect(await winners(storage, asked, ledger)).toBeGreaterThan(1);
    await storage.close();
  });
});
