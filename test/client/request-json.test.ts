import { expect, it } from "vitest";
import { RequestUnreadable, readMessageJson } from "../../src/client/request-json.ts";
import { Effect, PrincipalType } from "../../src/gen/behest/v1/decision_pb.ts";
import { OpenTaskRequestSchema, ScopeKind } from "../../src/gen/behest/v1/task_pb.ts";

const read = (json: unknown) => readMessageJson(OpenTaskRequestSchema, json);

it("reads the request of any call, with short words, times and large integers", () => {
  expect(
    read({
      principal: { type: "user", id: "alice", attributes: { type: "agent", effect: "read" } },
      scope_kind: "proposed",
      scope: {
        effects: ["read", "EFFECT_PAY"],
        max_calls: [{ effect: "pay", calls: 3 }],
        maxAmounts: [{ currency: "EUR", amountMinor: "9007199254740993" }],
      },
      expires_at: "2027-01-01T01:00:00.5+01:00",
    }),
  ).toMatchObject({
    principal: { type: PrincipalType.USER, attributes: { type: "agent", effect: "read" } },
    scopeKind: ScopeKind.PROPOSED,
    scope: {
      effects: [Effect.READ, Effect.PAY],
      maxCalls: [{ effect: Effect.PAY, calls: 3n }],
      maxAmounts: [{ currency: "EUR", amountMinor: 9_007_199_254_740_993n }],
    },
    expiresAt: { seconds: 1_798_761_600n, nanos: 500_000_000 },
  });
});

it.each<{ says: string; json: object; complaint: string }>([
  { says: "a key of another message", json: { task_id: "t" }, complaint: "unknown key `task_id`" },
  { says: "a key of another message inside", json: { scope: { calls: 1 } }, complaint: "unknown key `calls` in `scope`" },
  { says: "a word that is none", json: { scope: { effects: ["reed"] } }, complaint: "`reed` in `scope.effects[0]` is none of `read`" },
  { says: "a fraction", json: { scope: { max_depth: 1.5 } }, complaint: "`scope.max_depth`: expected an integer, found a number" },
  { says: "a number that has lost its precision", json: { scope: { max_depth: 2 ** 53 } }, complaint: "expected an integer" },
  { says: "digits of more than 64 bits", json: { scope: { max_depth: "9".repeat(19) } }, complaint: "expected an integer, found a string" },
  { says: "a date alone", json: { expires_at: "2027-01-01" }, complaint: "expected a time such as `2027-01-01T00:00:00Z`, found a string" },
  { says: "a time of no place", json: { expires_at: "2027-01-01T00:00:00" }, complaint: "expected a time" },
  { says: "an hour that there is not", json: { expires_at: "2027-01-01T25:00:00Z" }, complaint: "expected a time" },
  { says: "a year that there is not", json: { expires_at: "0000-01-01T00:00:00Z" }, complaint: "expected a time" },
  { says: "milliseconds", json: { expires_at: 1_800_000_000_000 }, complaint: "expected a time such as `2027-01-01T00:00:00Z`, found a number" },
])("refuses $says in its own words", ({ json, complaint }) => {
  expect(() => read(json)).toThrow(RequestUnreadable);
  expect(() => read(json)).toThrow(complaint);
});
