import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type BehestClient, type CallFailed, createClient } from "../../src/client/client.ts";
import * as wire from "../../src/gen/behest/v1/control_pb.ts";
import {
  ACCEPTED,
  addToken,
  type HostileServer,
  malformed,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  runHostileServer,
  tooBig,
} from "./raw-calls.ts";

const { SuspensionKind } = wire;

let server: HostileServer;
let operator: BehestClient;
let elsewhere: BehestClient;
let elsewhereEnforcer: BehestClient;
beforeAll(async () => {
  server = await runHostileServer({ suspensions_max: 40 });
  operator = server.client("operator");
  const clientOf = async (id: string, roles: readonly ("operator" | "auditor" | "enforcer")[]): Promise<BehestClient> => {
    const token = addToken(server.data, { id, caller: id, roles, tenant: "elsewhere" });
    const client = createClient({ address: server.address, token, timeoutMs: 20_000 });
    // The server looks twice a second for tokens that were added.
    await vi.waitFor(() => client.suspend({}).catch((error: CallFailed) => expect(error.code).not.toBe(Code.UNAUTHENTICATED)), { timeout: 5_000 });
    return client;
  };
  elsewhere = await clientOf("elsewhere", ["operator", "auditor"]);
  elsewhereEnforcer = await clientOf("elsewhere-enforcer", ["enforcer"]);
});
afterEach(async () => {
  for (const client of [operator, elsewhere]) {
    const tenant = client === operator ? "default" : "elsewhere";
    const { suspensions } = await client.listSuspensions();
    for (const suspension of suspensions) if (suspension.tenant === tenant) await client.resume(suspension.suspensionId);
  }
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});
afterAll(async () => {
  for (const client of [elsewhere, elsewhereEnforcer]) client.close();
  await server.close();
});

type Asked = Exclude<MessageInitShape<typeof wire.SuspendRequestSchema>, wire.SuspendRequest>;
const GOOD = { kind: SuspensionKind.AGENT, value: "nobody", reason: "why" } satisfies Asked;
const asOperator = (): string => `Bearer ${server.token("operator")}`;
const refusalOfSuspend = async (asked: Asked): Promise<Refusal> =>
  refusalOf(await server.raw.call("Suspend", toBinary(wire.SuspendRequestSchema, create(wire.SuspendRequestSchema, asked)), asOperator()));

describe("Suspend", () => {
  it.each<{ says: string; asked: Asked }>([
    { says: "everything", asked: { kind: SuspensionKind.ALL } },
    { says: "the tenant", asked: { kind: SuspensionKind.TENANT, value: "default" } },
    { says: "the agent", asked: { kind: SuspensionKind.AGENT, value: "reader" } },
    { says: "the person", asked: { kind: SuspensionKind.PRINCIPAL, value: "user:alice" } },
    { says: "the tool", asked: { kind: SuspensionKind.TOOL, value: "filesystem/read_text_file" } },
    { says: "the server's tools", asked: { kind: SuspensionKind.TOOL, value: "filesystem/*" } },
    { says: "the effect", asked: { kind: SuspensionKind.EFFECT, value: "read" } },
  ])("stops $says when it has been answered, and Resume restores what was", async ({ asked }) => {
    const request = requestOf({
      delegation: [{ principal: { type: 1, id: "alice" } }, { principal: { type: 3, id: "reader" } }],
    });
    expect(outcomeOf(await server.decide(request))).toBe("ALLOW");
    const { suspension, durable } = await operator.suspend({ ...asked, reason: "INC-4711" });
    expect(durable).toBe(true);
    expect(suspension).toMatchObject({
      kind: asked.kind,
      value: asked.value ?? "",
      tenant: "default",
      reason: "INC-4711",
      suspendedBy: "local-operator",
    });
    const denied = await server.decide(request);
    expect({ outcome: outcomeOf(denied), codes: denied.reasonCodes }).toEqual({ outcome: "DENY", codes: ["SUSPENDED"] });
    const word = Object.entries(SuspensionKind)
      .find(([, kind]) => kind === asked.kind)?.[0]
      .toLowerCase();
    const what = asked.value === undefined ? "everything" : `${word} \`${asked.value}\``;
    expect(denied.findings[0]).toMatchObject({
      rule: "behest:suspended",
      reason: `suspension \`${suspension?.suspensionId}\` stops ${what}: INC-4711`,
    });
    const ended = await operator.resume(suspension?.suspensionId ?? "", "over");
    expect(ended).toMatchObject({ durable: true, suspension: { endedBy: "local-operator", endedBecause: "over" } });
    expect(outcomeOf(await server.decide(request))).toBe("ALLOW");
  });

  it("stops a task, by the id that its decisions were answered with", async () => {
    const { taskId } = await server.decide(requestOf({ session: "of-a-task" }));
    const { suspension } = await operator.suspend({ kind: SuspensionKind.TASK, value: taskId, reason: "r" });
    expect((await server.decide(requestOf({ session: "of-a-task" }))).reasonCodes).toEqual(["SUSPENDED"]);
    expect(outcomeOf(await server.decide(requestOf({ session: "of-another" })))).toBe("ALLOW");
    await operator.resume(suspension?.suspensionId ?? "");
  });

  it("ends by itself at its time", async () => {
    await operator.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: "r", until: timestampFromMs(Date.now() + 400) });
    expect(outcomeOf(await server.decide(requestOf()))).toBe("DENY");
    await expect.poll(async () => outcomeOf(await server.decide(requestOf())), { timeout: 5_000 }).toBe("ALLOW");
    expect((await operator.listSuspensions()).holdingTotal).toBe(0);
    const { suspensions } = await operator.listSuspensions({ includeEnded: true });
    expect(suspensions[0]).toMatchObject({ value: "reader", endedBy: "", endedAt: suspensions[0]?.until });
  });

  it("shows in what Explain answers, and Explain suspends nothing", async () => {
    await operator.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: "r" });
    const { decision } = await server.client("auditor").explain(requestOf());
    expect(decision?.reasonCodes).toEqual(["SUSPENDED"]);
  });

  it.each<{ says: string; asked: Asked; refusal: Refusal }>([
    {
      says: "no kind",
      asked: { ...GOOD, kind: SuspensionKind.UNSPECIFIED },
      refusal: malformed("`kind` is `0`: write ALL, TENANT, AGENT, PRINCIPAL, TOOL, EFFECT or TASK", "kind"),
    },
    {
      says: "a kind that is none",
      asked: { ...GOOD, kind: 99 as wire.SuspensionKind },
      refusal: malformed("`kind` is `99`: write ALL, TENANT, AGENT, PRINCIPAL, TOOL, EFFECT or TASK", "kind"),
    },
    { says: "no value", asked: { ...GOOD, value: "" }, refusal: malformed("`value` is missing: name the agent to suspend", "value") },
    {
      says: "a value of everything",
      asked: { ...GOOD, kind: SuspensionKind.ALL },
      refusal: malformed("`value` is `nobody`: a suspension of everything names nothing; leave it out, or choose another kind", "value"),
    },
    {
      says: "an invisible character in the value",
      asked: { ...GOOD, value: "a\u200bb" },
      refusal: malformed("`value` holds a control, invisible or undecodable character, or begins or ends with space", "value"),
    },
    {
      says: "a value of 1,025 bytes",
      asked: { ...GOOD, value: "x".repeat(1_025) },
      refusal: tooBig("identifier_bytes", "`value` is longer than 1024 bytes", "value"),
    },
    {
      says: "an effect that is none",
      asked: { ...GOOD, kind: SuspensionKind.EFFECT, value: "READ" },
      refusal: malformed(
        "`value` is `READ`, which is no effect; write one of read, browse, create, update, delete, send, share, pay, credential, execute, unknown",
        "value",
      ),
    },
    {
      says: "a principal that is none",
      asked: { ...GOOD, kind: SuspensionKind.PRINCIPAL, value: "alice" },
      refusal: malformed("`value` is `alice`, which is no principal; write `user:ID`, `service:ID` or `agent:ID`", "value"),
    },
    {
      says: "no reason",
      asked: { ...GOOD, reason: "  " },
      refusal: malformed("`reason` is missing: whoever is stopped, and whoever may end it, needs to know why", "reason"),
    },
    {
      says: "a reason of 1,025 bytes",
      asked: { ...GOOD, reason: "ü".repeat(513) },
      refusal: tooBig("reason_bytes", "`reason` is longer than 1024 bytes", "reason"),
    },
    {
      says: "a reason of two lines",
      asked: { ...GOOD, reason: "a\nb" },
      refusal: malformed("`reason` holds a control or invisible character; write it in one line", "reason"),
    },
    {
      says: "a reason with a terminal's escape",
      asked: { ...GOOD, reason: "\u001b[2J" },
      refusal: malformed("`reason` holds a control or invisible character; write it in one line", "reason"),
    },
    {
      says: "an end in the past",
      asked: { ...GOOD, until: timestampFromMs(1_000) },
      refusal: malformed("`until` is `1970-01-01T00:00:01.000Z`, which is over; leave it out to suspend until further notice", "until"),
    },
    {
      says: "an end before 1970",
      asked: { ...GOOD, until: { seconds: -1n, nanos: 0 } },
      refusal: malformed("`until` is no time from 1970 to 9999", "until"),
    },
    {
      says: "an end beyond all time",
      asked: { ...GOOD, until: { seconds: 253_402_300_800n, nanos: 0 } },
      refusal: malformed("`until` is no time from 1970 to 9999", "until"),
    },
    {
      says: "nanoseconds that are none",
      asked: { ...GOOD, until: { seconds: 9_999_999_999n, nanos: -1 } },
      refusal: malformed("`until` is no time from 1970 to 9999", "until"),
    },
  ])("refuses $says", async ({ asked, refusal }) => {
    expect(await refusalOfSuspend(asked)).toEqual(refusal);
    expect((await operator.listSuspensions()).holdingTotal).toBe(0);
  });

  it("takes the longest that is allowed of everything", async () => {
    expect(
      await refusalOfSuspend({ ...GOOD, value: '"'.repeat(1_024), reason: "\\".repeat(1_024), until: { seconds: 253_402_300_799n, nanos: 0 } }),
    ).toEqual(ACCEPTED);
  });

  it("refuses one more than `suspensions_max`, and takes everything all the same", async () => {
    for (let n = 0; n < 40; n++) expect(await refusalOfSuspend({ ...GOOD, value: `agent-${n}` })).toEqual(ACCEPTED);
    expect(await refusalOfSuspend(GOOD)).toEqual({
      code: "RESOURCE_EXHAUSTED",
      message: "40 suspensions hold already; resume some, suspend a tenant or everything, or raise `suspensions_max`",
      reason: "STATE_FULL",
      limit: "suspensions",
    });
    expect(await refusalOfSuspend({ kind: SuspensionKind.ALL, reason: "r" })).toEqual(ACCEPTED);
    expect((await server.decide(requestOf())).reasonCodes).toEqual(["SUSPENDED"]);
  });
});

describe("Resume", () => {
  it.each<{ says: string; id: string; refusal: Partial<Refusal> }>([
    { says: "no id", id: "", refusal: malformed("`suspension_id` is missing or empty", "suspension_id") },
    {
      says: "an id of nothing",
      id: "01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21",
      refusal: {
        code: "NOT_FOUND",
        message: "no suspension `01999d5c-2f10-7b7e-a6c3-1b0a4a5e9f21` of this tenant holds; ListSuspensions names those that do",
        reason: "SUSPENSION_UNKNOWN",
        field: "suspension_id",
      },
    },
  ])("refuses $says", async ({ id, refusal }) => {
    const body = toBinary(wire.ResumeRequestSchema, create(wire.ResumeRequestSchema, { suspensionId: id }));
    expect(refusalOf(await server.raw.call("Resume", body, asOperator()))).toEqual(refusal);
  });

  it("refuses what was resumed before", async () => {
    const { suspension } = await operator.suspend(GOOD);
    await operator.resume(suspension?.suspensionId ?? "");
    await expect(operator.resume(suspension?.suspensionId ?? "")).rejects.toMatchObject({ code: 5 });
  });

  it("ends one of two suspensions of the same thing, and the other holds", async () => {
    const [first] = await Promise.all([1, 2].map(() => operator.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: "r" })));
    await operator.resume(first?.suspension?.suspensionId ?? "");
    expect(outcomeOf(await server.decide(requestOf()))).toBe("DENY");
  });
});

describe("another tenant", () => {
  it.each([
    { says: "everything", asked: { kind: SuspensionKind.ALL, value: "" }, what: "everything" },
    { says: "a tenant", asked: { kind: SuspensionKind.TENANT, value: "default" }, what: "tenant `default`" },
  ])("may not suspend $says that is not its own", async ({ asked, what }) => {
    await expect(elsewhere.suspend({ ...asked, reason: "r" })).rejects.toMatchObject({
      code: 7,
      message: `only operators of tenant \`default\` may suspend ${what}; \`elsewhere\` may suspend tenant \`elsewhere\` and what is in it`,
    });
  });

  it("stops its own, and nobody else's", async () => {
    await elsewhere.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: "r" });
    expect(outcomeOf(await elsewhereEnforcer.decide(requestOf()))).toBe("DENY");
    expect(outcomeOf(await server.decide(requestOf()))).toBe("ALLOW");
    await elsewhere.suspend({ kind: SuspensionKind.TENANT, value: "elsewhere", reason: "r" });
    expect(outcomeOf(await elsewhereEnforcer.decide(requestOf({ agent: { id: "other" } })))).toBe("DENY");
  });

  it("neither sees nor ends what is not its concern, and cannot end what the server's operators stopped", async () => {
    const own = await operator.suspend({ ...GOOD, value: "private" });
    const theirs = await operator.suspend({ kind: SuspensionKind.TENANT, value: "elsewhere", reason: "unpaid" });
    expect((await elsewhere.listSuspensions()).suspensions.map(({ reason }) => reason)).toEqual(["unpaid"]);
    for (const { suspension } of [own, theirs]) {
      await expect(elsewhere.resume(suspension?.suspensionId ?? "")).rejects.toMatchObject({ code: 5 });
    }
    expect((await elsewhereEnforcer.decide(requestOf())).reasonCodes).toEqual(["SUSPENDED"]);
  });
});

describe("ListSuspensions", () => {
  it("tells the last made first, to auditors too, and those that ended only when asked", async () => {
    const ids: string[] = [];
    for (const value of ["a", "b", "c"]) ids.push((await operator.suspend({ ...GOOD, value })).suspension?.suspensionId ?? "");
    await operator.resume(ids[1] ?? "", "over");
    const auditor = server.client("auditor");
    const holding = await auditor.listSuspensions();
    expect(holding).toMatchObject({ holdingTotal: 2 });
    expect(holding.suspensions.map(({ suspensionId }) => suspensionId)).toEqual([ids[2], ids[0]]);
    const all = await auditor.listSuspensions({ includeEnded: true });
    expect(all.suspensions.slice(0, 3).map(({ suspensionId }) => suspensionId)).toEqual([ids[2], ids[0], ids[1]]);
    expect(all.suspensions[2]).toMatchObject({ endedBecause: "over", endedBy: "local-operator" });
  });
});

describe("a suspension of a busy server", () => {
  it("is answered within seconds, and no decision that is asked for after that is allowed, nor is one that was", async () => {
    const clients = Array.from({ length: 3 }, () => server.client("enforcer"));
    /** The round in which it is certainly suspended; 0 otherwise. */
    let stoppedIn = 0;
    let ended = false;
    const counts = { allowed: 0, denied: 0, allowedWhileStopped: 0 };
    const ask = async (client: BehestClient): Promise<void> => {
      while (!ended) {
        const asked = stoppedIn;
        const outcome = outcomeOf(await client.decide(requestOf()));
        if (outcome !== "ALLOW") counts.denied++;
        else if (asked !== 0 && asked === stoppedIn) counts.allowedWhileStopped++;
        else counts.allowed++;
      }
    };
    const asking = clients.flatMap((client) => Array.from({ length: 32 }, () => ask(client)));
    const waits: number[] = [];
    for (let round = 1; round <= 40; round++) {
      const began = performance.now();
      const { suspension } = await operator.suspend({ kind: SuspensionKind.AGENT, value: "reader", reason: `round ${round}` });
      stoppedIn = round;
      waits.push(performance.now() - began);
      await new Promise((later) => setTimeout(later, 10));
      stoppedIn = 0;
      await operator.resume(suspension?.suspensionId ?? "");
      await new Promise((later) => setTimeout(later, 5));
    }
    ended = true;
    await Promise.all(asking);
    expect(counts.allowedWhileStopped).toBe(0);
    expect(counts.allowed).toBeGreaterThan(100);
    expect(counts.denied).toBeGreaterThan(100);
    // It waits for the decisions before it, which wait for two busy processors here.
    expect(Math.max(...waits)).toBeLessThan(5_000);
  }, 60_000);

  it("is not refused where decisions are, because too many of them wait", async () => {
    const crowded = await runHostileServer({ turns_waiting_max: 1 });
    try {
      const calls = Promise.allSettled(Array.from({ length: 300 }, () => crowded.decide(requestOf())));
      const suspending = crowded.client("operator").suspend({ kind: SuspensionKind.ALL, reason: "r" });
      expect(await suspending).toMatchObject({ durable: true });
      expect((await calls).filter(({ status }) => status === "rejected").length).toBeGreaterThan(100);
      expect((await crowded.decide(requestOf())).reasonCodes).toEqual(["SUSPENDED"]);
    } finally {
      await crowded.close();
    }
  });
});
