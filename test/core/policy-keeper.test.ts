import { beforeEach, describe, expect, it } from "vitest";
import { ServiceError } from "../../src/core/errors.ts";
import { keepPolicy, type PolicyChange, type PolicyKeeper } from "../../src/core/policy-keeper.ts";
import type { LoadedPolicy, PolicyComplaint, PolicyDirectory, ReadPolicy } from "../../src/core/ports.ts";
import { createMemoryLedger } from "../../src/storage/memory/ledger.ts";
import { load } from "../policies.ts";
import { denyRule } from "../policy/bad-directories.ts";
import { createTestClock } from "../storage/storages.ts";

const A = load({ rules: [denyRule("a")] });
const B = load({ rules: [denyRule("b")] });
const C = load({ rules: [denyRule("c")] });
const wrong = (message: string): { readonly complaints: readonly PolicyComplaint[] } => ({
  complaints: [{ id: "not-json", severity: "error", file: "rules/x.rules.json", at: { line: 1, column: 2, source: "{" }, message }],
});

/** A directory in memory, which counts how often it is read and can be held up. */
function createDirectory(first: LoadedPolicy) {
  let outcome: ReadPolicy["outcome"] = first;
  let version = 0;
  let held: Promise<void> | undefined;
  const reads: string[] = [];
  const directory: PolicyDirectory = {
    path: "/rules",
    fingerprint: async () => String(version),
    async settle() {
      reads.push("settled");
      return String(version);
    },
    async read() {
      reads.push("read");
      const read = { fingerprint: String(version), outcome };
      await held;
      return read;
    },
  };
  return {
    directory,
    reads,
    put(next: ReadPolicy["outcome"]) {
      outcome = next;
      version++;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
  };
}

let source: ReturnType<typeof createDirectory>;
let keeper: PolicyKeeper;
let ledger: ReturnType<typeof createMemoryLedger>;
let clock: ReturnType<typeof createTestClock>;
let changes: PolicyChange[];
/** What the next recording fails with, instead of being written or after it was. */
let failure: { readonly error: Error; readonly written: boolean } | undefined;
beforeEach(async () => {
  source = createDirectory(A);
  ledger = createMemoryLedger();
  clock = createTestClock();
  changes = [];
  failure = undefined;
  let ids = 0;
  const failing = {
    async recordPolicy(...stored: Parameters<typeof ledger.recordPolicy>) {
      const fails = failure;
      failure = undefined;
      if (!fails || fails.written) await ledger.recordPolicy(...stored);
      if (fails) throw fails.error;
    },
  };
  const ports = { directory: source.directory, ledger: failing, clock, newId: () => `e${++ids}` };
  keeper = await keepPolicy(ports, { fingerprint: "0", outcome: A });
  keeper.onChange((_, change) => changes.push(change));
});

const FULL = new ServiceError("DISK_FULL", "the policy does not fit");
const DOWN = new ServiceError("LEDGER_UNAVAILABLE", "no disk");
/** The policies that the ledger says were loaded, in order. */
const loaded = (): readonly string[] => ledger.written.map((text) => JSON.parse(text).policy);
const kinds = (): readonly string[] => changes.map(({ kind }) => kind);

describe("a policy keeper", () => {
  it("records the first policy before it is in force", () => {
    expect(loaded()).toEqual([A.policy.digest]);
    expect(keeper.current()).toBe(A.policy);
    expect(keeper.status).toEqual({ directory: "/rules", inForce: A, loadedAt: Date.UTC(2026, 0, 5, 9) });
  });

  it("puts another policy in force when it is asked, once it is recorded", async () => {
    source.put(B);
    expect(await keeper.reload()).toEqual({ digest: B.policy.digest, changed: true, warnings: [] });
    expect(keeper.current()).toBe(B.policy);
    expect(loaded()).toEqual([A.policy.digest, B.policy.digest]);
    expect(kinds()).toEqual(["loaded"]);
  });

  it("does nothing about the policy that is in force already", async () => {
    source.put({ ...A });
    expect(await keeper.reload()).toEqual({ digest: A.policy.digest, changed: false, warnings: [] });
    expect(loaded()).toEqual([A.policy.digest]);
    expect(kinds()).toEqual([]);
  });

  it("keeps the last good policy when another is refused, and says why, each time it is asked", async () => {
    source.put(wrong("not JSON: value expected"));
    for (let time = 0; time < 2; time++) {
      await expect(keeper.reload()).rejects.toMatchObject({
        code: "POLICY_INVALID",
        message: `the rules in \`/rules\` have an error and were refused; \`${A.policy.digest}\` stays in force`,
        detail: { violations: [{ field: "rules/x.rules.json:1:2", description: "not JSON: value expected", reason: "NOT_JSON" }] },
      });
    }
    expect(keeper.current()).toBe(A.policy);
    expect(keeper.status.refusal).toEqual({ at: Date.UTC(2026, 0, 5, 9), complaints: wrong("not JSON: value expected").complaints });
  });

  it("tells of each refusal once, and when it is over", async () => {
    for (const outcome of [wrong("one"), wrong("one"), wrong("two"), A, wrong("two"), B]) {
      source.put(outcome);
      await keeper.check();
    }
    expect(kinds()).toEqual(["refused", "refused", "mended", "refused", "loaded"]);
    expect(keeper.status.refusal).toBeUndefined();
  });

  it("reads only when something has changed", async () => {
    for (let time = 0; time < 5; time++) await keeper.check();
    expect(source.reads).toEqual([]);
    source.put(B);
    for (let time = 0; time < 5; time++) await keeper.check();
    expect(source.reads).toEqual(["settled", "read"]);
    expect(keeper.current()).toBe(B.policy);
  });

  it("does not read what was refused again and again", async () => {
    source.put(wrong("one"));
    for (let time = 0; time < 5; time++) await keeper.check();
    expect(source.reads).toEqual(["settled", "read"]);
  });

  it("reads once for all who ask while it reads, and after they have asked", async () => {
    source.put(B);
    const release = source.hold();
    const first = keeper.reload();
    source.put(C);
    const others = [keeper.reload(), keeper.reload(), keeper.check(), keeper.reload()];
    release();
    expect((await first).digest).toBe(B.policy.digest);
    await Promise.all(others);
    expect(keeper.current()).toBe(C.policy);
    expect(source.reads).toEqual(["read", "read"]);
    expect(loaded()).toEqual([A, B, C].map(({ policy }) => policy.digest));
  });
});

describe("a policy that cannot be recorded", () => {
  it("is not in force, and whoever asked for it is told", async () => {
    source.put(B);
    failure = { error: DOWN, written: false };
    await expect(keeper.reload()).rejects.toBe(DOWN);
    expect(keeper.current()).toBe(A.policy);
    expect(loaded()).toEqual([A.policy.digest]);
  });

  it("is tried again with later checks, and told of once", async () => {
    source.put(B);
    for (let time = 0; time < 3; time++) {
      failure = { error: DOWN, written: false };
      await keeper.check();
      expect(keeper.current()).toBe(A.policy);
      clock.advance(60_000);
    }
    await keeper.check();
    expect(keeper.current()).toBe(B.policy);
    expect(kinds()).toEqual(["failed", "loaded"]);
  });

  it.each([DOWN, FULL])("is tried again more and more seldom, and at least once a minute ($code)", async (error) => {
    source.put(B);
    const attemptsAtS: number[] = [];
    for (let second = 0; second <= 250; second++) {
      failure = { error, written: false };
      await keeper.check();
      if (failure === undefined) attemptsAtS.push(second);
      clock.advance(1_000);
    }
    expect(attemptsAtS).toEqual([0, 2, 6, 14, 30, 62, 122, 182, 242]);
    expect(source.reads.filter((read) => read === "read")).toHaveLength(attemptsAtS.length);
    expect(changes).toHaveLength(1);
  });

  it("is tried again at once when somebody asks, or the directory holds something else", async () => {
    source.put(B);
    failure = { error: FULL, written: false };
    await keeper.check();
    expect((await keeper.reload()).changed).toBe(true);
    source.put(C);
    failure = { error: DOWN, written: false };
    await keeper.check();
    source.put(A);
    await keeper.check();
    expect(keeper.current()).toBe(A.policy);
  });

  it("is refused, like one that is wrong, when it does not fit on the disk", async () => {
    source.put(B);
    failure = { error: FULL, written: false };
    await expect(keeper.reload()).rejects.toMatchObject({
      code: "POLICY_INVALID",
      message: `the rules in \`/rules\` have an error and were refused; \`${A.policy.digest}\` stays in force`,
      detail: { violations: [{ field: "/rules", description: "the policy does not fit", reason: "DOES_NOT_FIT" }] },
    });
    expect(keeper.current()).toBe(A.policy);
    expect(keeper.status.refusal?.complaints).toEqual([
      { id: "does-not-fit", severity: "error", file: "/rules", message: "the policy does not fit" },
    ]);
    source.put(A);
    await keeper.check();
    expect(keeper.status.refusal).toBeUndefined();
    expect(kinds()).toEqual(["refused", "mended"]);
    expect(loaded()).toEqual([A.policy.digest]);
  });

  it("may have been written all the same: then the ledger is told again which one decides", async () => {
    source.put(B);
    failure = { error: DOWN, written: true };
    await keeper.check();
    source.put(A);
    await keeper.check();
    expect(keeper.current()).toBe(A.policy);
    expect(loaded()).toEqual([A, B, A].map(({ policy }) => policy.digest));
  });
});
