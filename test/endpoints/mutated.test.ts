import { hash } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Role } from "../../src/core/request.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { DelegateTaskRequestSchema, OpenTaskRequestSchema, ScopeKind, type ScopeSchema } from "../../src/gen/behest/v1/task_pb.ts";
import { ACCEPTED, actionOf, decisionOf, type HostileServer, outcomeOf, refusalOf, requestOf, runHostileServer, withJson } from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

const runs = { numRuns: Number(process.env["RUNS"] ?? 500), ...(process.env["SEED"] !== undefined && { seed: Number(process.env["SEED"]) }) };

/** A request with something in every field that is served. */
const full = toBinary(
  wire.DecideRequestSchema,
  requestOf({
    agent: { id: "reader", attributes: { a: [1, "two", { three: null }] } },
    task: { statement: "Read the handbook" },
    session: "s",
    delegation: [
      { principal: { type: wire.PrincipalType.USER, id: "alice" } },
      { principal: { type: wire.PrincipalType.AGENT, id: "reader" }, taskId: "t" },
    ],
    action: actionOf({
      operation: "whole",
      effect: wire.Effect.READ,
      argumentsForm: { case: "arguments", value: { path: "/srv/handbook.md", head: 3, deep: [[{ b: true }]] } },
      toolDefinitionDigest: `sha256:${"0".repeat(64)}`,
      resource: { type: "file", id: "/srv/handbook.md", attributes: { classification: "internal" } },
    }),
    data: { classification: "internal", categories: ["personal"] },
    context: { environment: "test", attributes: { ticket: "OPS-7" } },
    supportedObligations: [wire.ObligationType.LOG, wire.ObligationType.NOTIFY],
  }),
);

const SOON = BigInt(Math.floor(Date.now() / 1_000) + 86_400);
const scope: MessageInitShape<typeof ScopeSchema> = {
  tools: ["filesystem/*"],
  effects: [wire.Effect.READ, wire.Effect.PAY],
  resources: ["file:/srv/**"],
  maxClassification: "internal",
  maxCalls: [{ effect: wire.Effect.PAY, calls: 3n }],
  maxAmounts: [{ currency: "EUR", amountMinor: 50_000n }],
  delegates: ["helper"],
  maxDepth: 2n,
};
const openTask = toBinary(
  OpenTaskRequestSchema,
  create(OpenTaskRequestSchema, {
    statement: "Read the handbook",
    statementExpiresAt: { seconds: SOON, nanos: 1 },
    principal: { type: wire.PrincipalType.USER, id: "alice", attributes: { a: [1] } },
    agentId: "reader",
    scopeKind: ScopeKind.ISSUED,
    scope,
    expiresAt: { seconds: SOON, nanos: 1 },
  }),
);
const delegateTask = toBinary(
  DelegateTaskRequestSchema,
  create(DelegateTaskRequestSchema, { taskId: "t", agentId: "helper", statement: "Read", scope, expiresAt: { seconds: SOON }, narrow: true }),
);
const reportOutcome = toBinary(
  wire.ReportOutcomeRequestSchema,
  create(wire.ReportOutcomeRequestSchema, {
    decisionId: "d",
    status: wire.ReportStatus.FAILED,
    tookEffect: false,
    resultForm: { case: "result", value: { rows: [{ a: 1 }] } },
    truncated: true,
    argumentsDigest: `sha256:${"0".repeat(64)}`,
    labels: { classification: "internal", categories: ["personal"], trust: wire.Trust.UNTRUSTED },
  }),
);

/** What can befall a sequence on its way: a part is lost, doubled, or replaced by noise. */
const mishapOf = ({ length }: Uint8Array) =>
  fc.record({
    from: fc.nat(length),
    length: fc.nat(12),
    becomes: fc.oneof(fc.constant("nothing" as const), fc.constant("twice" as const), fc.uint8Array({ minLength: 1, maxLength: 8 })),
  });

function befall(
  bytes: Uint8Array,
  { from, length, becomes }: { from: number; length: number; becomes: "nothing" | "twice" | Uint8Array },
): Uint8Array {
  const [before, part, after] = [bytes.subarray(0, from), bytes.subarray(from, from + length), bytes.subarray(from + length)];
  if (becomes === "nothing") return Buffer.concat([before, after]);
  return becomes === "twice" ? Buffer.concat([before, part, part, after]) : Buffer.concat([before, becomes, after]);
}

it.each<{ method: string; role: Role; full: Uint8Array; codes: readonly string[]; reasons: readonly (string | undefined)[] }>([
  { method: "Decide", role: "enforcer", full, codes: ["OK"], reasons: [undefined] },
  { method: "OpenTask", role: "initiator", full: openTask, codes: ["OK"], reasons: [undefined] },
  { method: "DelegateTask", role: "initiator", full: delegateTask, codes: ["NOT_FOUND"], reasons: ["TASK_UNKNOWN"] },
  { method: "ReportOutcome", role: "enforcer", full: reportOutcome, codes: ["NOT_FOUND"], reasons: ["DECISION_UNKNOWN"] },
])("answers a $method that was damaged on its way, or refuses it, and nothing else happens", async ({ method, role, full, codes, reasons }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(mishapOf(full), { minLength: 1, maxLength: 4 }), async (mishaps) => {
      const { code, reason } = refusalOf(await server.raw.call(method, mishaps.reduce(befall, full), `Bearer ${server.token(role)}`));
      expect([...codes, "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"]).toContain(code);
      expect([...reasons, "REQUEST_MALFORMED", "REQUEST_TOO_BIG"]).toContain(reason);
    }),
    runs,
  );
  expect(server.log.filter((line) => line.includes("internal error"))).toEqual([]);
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});

const json = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 }).map((value) => JSON.stringify(value));
const damaged = fc
  .tuple(json, fc.nat(), fc.constantFrom("", "0", "1e9", '"', "\\", ",", ":", "{", "}", "[", "]", "\\u0061", "é"))
  .map(([text, at, noise]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + noise + text.slice(place);
  });

it("takes JSON text only where it reads what everybody reads", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(json, damaged), async (text) => {
      const reply = await server.send("Decide", toBinary(wire.DecideRequestSchema, withJson(text)));
      if ("body" in reply) expect(decisionOf(reply).argumentsDigest).toBe(`sha256:${hash("sha256", canonicalize(JSON.parse(text)) ?? "")}`);
      else expect(reply).toMatchObject({ field: "action.arguments_json" });
    }),
    runs,
  );
  expect(await server.refusal(withJson("{}"))).toEqual(ACCEPTED);
});
