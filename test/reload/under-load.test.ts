import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical.ts";
import { createDecider } from "../../src/core/decide.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { PolicySource } from "../../src/core/ports.ts";
import { RECORD_VERSION } from "../../src/core/record.ts";
import { DATABASE_FILE } from "../../src/data-directory.ts";
import type * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { compilePolicy, type LoadedPolicy } from "../../src/policy/load.ts";
import { actionOf, outcomeOf, readRows, requestOf } from "../endpoints/raw-calls.ts";
import { FULL_REACH, filesOf } from "../policies.ts";
import { writeRules } from "../policy/bad-directories.ts";
import { runServer, temporaryDirectory } from "../running-server.ts";
import { INTENT, LIMITS, MASK_KEY } from "../storage/deciders.ts";
import { ask } from "../storage/requests.ts";
import { openSqlite } from "../storage/storages.ts";
import { contradictionsIn } from "./rederive.ts";

type Files = Readonly<Record<string, string>>;

/** Policies that decide the same requests otherwise, by their rules and by their catalogs. */
const [A, B, C] = [
  { event: "deny", classification: "internal" },
  { event: "require-approval", classification: "confidential" },
  { event: "risk", classification: "restricted" },
].map(({ event, classification }): Files => {
  const params = { reason: `it is ${event}`, controls: ["owasp:ASI02"], ...(event === "risk" && { points: 7 }) };
  const read = { effect: "read", reversibility: "reversible", output: { trust: "untrusted" }, classification };
  return filesOf({
    agents: { bot: { trust: "high", reach: { ...FULL_REACH, max_classification: "confidential" } } },
    tools: { "files/read": read, read },
    rules: [
      {
        name: `${event}-of-reads`,
        conditions: { all: [{ fact: "action.tool", operator: "in", value: ["files/read", "read"] }] },
        event: { type: event, params },
      },
      {
        name: "untrusted-content-was-seen",
        conditions: { all: [{ fact: "task.seen.trust", operator: "equal", value: "untrusted" }] },
        event: { type: "risk", params: { points: event.length, reason: "has seen untrusted content", controls: ["owasp:ASI01"] } },
      },
    ],
  });
}) as [Files, Files, Files];

const digestOf = (files: Files): string => compilePolicy(files).policy.digest;
const CYCLE = [A, B, C];
const DIGESTS = CYCLE.map(digestOf);
const RELOADS = 200;
const CLIENTS = 3;

const requests: readonly (() => wire.DecideRequest)[] = [
  () => requestOf({ agent: { id: "bot" }, action: actionOf({ tool: "files/read" }) }),
  () => requestOf({ agent: { id: "bot" }, action: actionOf({ tool: "files/read" }), requestId: v7() }),
  () => requestOf({ agent: { id: "bot" }, action: actionOf({ tool: "unlisted" }), task: { statement: "look around", id: "" } as wire.TaskReference }),
  () => requestOf({ agent: { id: "stranger" }, action: actionOf({ tool: "files/read" }) }),
];

interface Answered {
  readonly id: string;
  readonly outcome: string;
  readonly digest: string;
  /** Reloads that had been acknowledged when it was asked for, and that had begun when it was answered. */
  readonly acknowledged: number;
  readonly begun: number;
}

describe("200 reloads under load", () => {
  it("lose nothing and mix nothing: every recorded decision comes out the same under its own policy", async () => {
    const parent = temporaryDirectory();
    const rules = join(parent.path, "rules");
    writeRules(rules, A);
    const server = await runServer({ rules, data: join(parent.path, "data"), rules_poll_ms: 600_000, second_opinion_every: 50 });
    const operator = server.client("operator");
    const answered: Answered[] = [];
    let acknowledged = 0;
    let begun = 0;
    let ended = false;
    const decide = async (client: ReturnType<typeof server.client>): Promise<void> => {
      for (let n = 0; !ended; n++) {
        const before = acknowledged;
        const request = requests[n % requests.length]?.() ?? requestOf();
        const answer = await client.decide(request);
        answered.push({ id: answer.decisionId, outcome: outcomeOf(answer), digest: answer.policyDigest, acknowledged: before, begun });
      }
    };
    const clients = Array.from({ length: CLIENTS }, () => decide(server.client("enforcer")));
    const write = (files: Files): void => {
      for (const name of ["test.rules.json", "catalog/test.json"]) {
        const path = join(rules, name);
        writeFileSync(`${path}.new.md`, files[name] ?? "");
        renameSync(`${path}.new.md`, path);
      }
    };
    let refused = 0;
    for (let reload = 1; reload <= RELOADS; reload++) {
      if (reload % 10 === 0) {
        write({ ...A, "test.rules.json": (A["test.rules.json"] ?? "").slice(0, -reload) });
        await expect(operator.reloadPolicy()).rejects.toThrow("were refused");
        refused++;
      }
      begun = reload;
      write(CYCLE[reload % 3] ?? A);
      const digest = DIGESTS[reload % 3];
      // By itself every twentieth time, because that takes its time; else when it is asked.
      if (reload % 20 === 1)
        await expect.poll(async () => (await operator.getPolicy()).policy?.digest, { timeout: 10_000, interval: 10 }).toBe(digest);
      else expect((await operator.reloadPolicy()).digest).toBe(digest);
      acknowledged = reload;
    }
    ended = true;
    await Promise.all(clients);
    await server.close();

    expect(refused).toBe(20);
    expect(contradictionsIn(join(server.data, DATABASE_FILE))).toEqual([]);
    const rows = readRows(server.data, "SELECT decision_id, outcome, policy_digest FROM decisions");
    const recorded = new Map(rows.map((row) => [row["decision_id"], row]));
    expect(
      answered.filter(({ id, outcome, digest }) => recorded.get(id)?.["outcome"] !== outcome || recorded.get(id)?.["policy_digest"] !== digest),
    ).toEqual([]);
    expect(recorded.size).toBe(answered.length);
    // Whoever asks after an acknowledgement meets that policy or a later one.
    const mayName = ({ acknowledged: from, begun: to }: Answered): readonly (string | undefined)[] =>
      Array.from({ length: to - from + 1 }, (_, n) => DIGESTS[(from + n) % 3]);
    expect(answered.filter((answer) => !mayName(answer).includes(answer.digest))).toEqual([]);
    expect(new Set(readRows(server.data, "SELECT policy_digest FROM policies").map((row) => row["policy_digest"]))).toEqual(new Set(DIGESTS));
    expect(answered.length).toBeGreaterThan(500);
    for (const digest of DIGESTS) expect(answered.filter((answer) => answer.digest === digest).length).toBeGreaterThan(20);
    expect(new Set(answered.map(({ outcome }) => outcome)).size).toBeGreaterThan(1);
    parent.remove();
  });
});

describe("the same look at the ledger catches", () => {
  const [a, b] = [compilePolicy(A), compilePolicy(B)];

  /** Decides under policies that a broken service would have put in force, after these were loaded, and answers what contradicts. */
  async function contradictionsUnder(
    source: PolicySource,
    loaded: readonly LoadedPolicy[],
    loadedLate: readonly LoadedPolicy[] = [],
  ): Promise<readonly string[]> {
    const parent = temporaryDirectory();
    const path = join(parent.path, "behest.db");
    const storage = await openSqlite({ path });
    const load = async ({ policy, files }: LoadedPolicy): Promise<void> => {
      const event = {
        kind: "policy_loaded",
        v: RECORD_VERSION,
        id: v7(),
        at: storage.clock.now(),
        policy: policy.digest,
        windows: policy.settings.windows,
      } as const;
      await storage.ledger.recordPolicy({ event, files });
    };
    for (const policy of loaded) await load(policy);
    const decider = createDecider({
      ...storage,
      policies: source,
      newId: (at) => v7({ msecs: at }),
      canonical,
      keyedDigest: createKeyedDigest(MASK_KEY),
      intent: INTENT,
      limits: LIMITS,
      onEvaluationError: () => undefined,
    });
    for (let n = 0; n < 10; n++) await decider.decide(ask());
    for (const policy of loadedLate) await load(policy);
    await storage.close();
    const found = contradictionsIn(path);
    parent.remove();
    return found.map((contradiction) => contradiction.replace(/^decision \S+ /, ""));
  }

  it("nothing where all is well", async () => {
    expect(await contradictionsUnder({ current: () => b.policy }, [a, b])).toEqual([]);
  });

  it("a service that names one policy and decides by another", async () => {
    const policy: Policy = { ...b.policy, digest: a.policy.digest };
    expect(await contradictionsUnder({ current: () => policy }, [a, b])).toEqual(Array(10).fill("comes out otherwise under the policy it names"));
  });

  it("a service that changes the policy in the middle of a decision", async () => {
    // The digest is read last, when the record is made.
    let decisions = 0;
    const current = (): Policy => {
      const swaps = ++decisions === 5;
      return swaps ? { ...a.policy, digest: b.policy.digest } : a.policy;
    };
    expect(await contradictionsUnder({ current }, [a, b])).toEqual(["comes out otherwise under the policy it names"]);
  });

  it("a service that decides by a policy before the ledger holds it", async () => {
    expect(await contradictionsUnder({ current: () => b.policy }, [a], [b])).toEqual(Array(10).fill("names a policy that was not loaded before it"));
    expect(await contradictionsUnder({ current: () => b.policy }, [a])).toEqual(Array(10).fill("names a policy that is not stored"));
  });
});
