import { type DescField, type DescMessage, fromJson, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical.ts";
import { bindingOf } from "../../src/core/approvals/binding.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { createKeyedDigest } from "../../src/core/masking.ts";
import type { Tool } from "../../src/core/policy.ts";
import type { DecisionRequest } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant } from "../../src/core/words.ts";
import { fromWire } from "../../src/endpoints/grpc/convert.ts";
import { DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { REQUEST_LIMITS } from "../request-limits.ts";

/**
 * All that an approval is not bound to. Whatever field comes to a request is bound, or it is named here with its reason, or this test fails.
 */
const NOT_BOUND: Readonly<Record<string, string>> = {
  request_id: "names the attempt, and an approval is used by another attempt",
  approval_id: "names the approval itself",
  wait_ms: "says how long to wait, not for what",
  "agent.credential": "proves who asks, and never reaches the core",
  "delegation.credential": "the same of a hop",
  "action.arguments_digest": "is the digest of the arguments, which are bound, or the request is refused; cut ones cannot be approved",
};

/** Not asked for in a request that is decided at all. */
const REFUSED_WHOLE = ["permit"];

/** Values that not any text would do for. */
const SAMPLES: Readonly<Record<string, readonly [JsonValue, JsonValue]>> = {
  "action.arguments_json": ['{"a":1}', '{"a":2}'],
  "action.arguments_digest": [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`],
  "action.tool_definition_digest": [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`],
};

/** The other of two fields of which a request has one. */
const FORMS = { arguments: "arguments_json", arguments_json: "arguments" } as const;
type Form = keyof typeof FORMS;

interface Change {
  readonly at: string;
  readonly to: "another" | "absent";
}

const isJson = (message: DescMessage): boolean => message.typeName === "google.protobuf.Struct";
const placeOf = (field: DescField, above: string): string => (above === "" ? field.name : `${above}.${field.name}`);
const fieldsOf = (message: DescMessage, above: string): readonly (readonly [DescField, string])[] =>
  message.fields.map((field) => [field, placeOf(field, above)] as const).filter(([, at]) => !REFUSED_WHOLE.includes(at));

const messageIn = (field: DescField): DescMessage | undefined =>
  field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message") ? field.message : undefined;

/** Every field that holds no message, dotted, however deep; a Struct is one value. */
function leavesOf(message: DescMessage, above = ""): readonly string[] {
  return fieldsOf(message, above).flatMap(([field, at]) => {
    const inner = messageIn(field);
    return inner && !isJson(inner) ? leavesOf(inner, at) : [at];
  });
}

/** A message with every field set, but for what is changed. */
function messageOf(message: DescMessage, { form, change, above = "" }: { form: Form; change?: Change; above?: string }): JsonObject {
  const set = fieldsOf(message, above).filter(([field, at]) => field.name !== FORMS[form] && !(change?.at === at && change.to === "absent"));
  return Object.fromEntries(
    set.map(([field, at]) => {
      const inner = messageIn(field);
      const value = inner && !isJson(inner) ? messageOf(inner, { form, ...(change && { change }), above: at }) : valueAt(field, at, change);
      return [field.jsonName, field.fieldKind === "list" ? [value] : value];
    }),
  );
}

function valueAt(field: DescField, at: string, change: Change | undefined): JsonValue {
  const which = change?.at === at ? 1 : 0;
  const sample = SAMPLES[at]?.[which];
  if (sample !== undefined) return sample;
  if (messageIn(field)) return { [at]: which };
  if (field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum")) {
    return field.enum.values.filter(({ number }) => number !== 0)[which]?.name ?? null;
  }
  if (field.fieldKind === "map" || field.fieldKind === "message") throw new Error(`this test cannot make a \`${at}\` yet`);
  switch (field.scalar) {
    case ScalarType.STRING:
      return `${at}-${which}`;
    case ScalarType.UINT32:
      return 1_000 + which;
    case ScalarType.BOOL:
      return which === 1;
    default:
      throw new Error(`this test cannot make a \`${at}\` yet`);
  }
}

const requestOf = (form: Form, change?: Change): DecisionRequest =>
  fromWire(fromJson(DecideRequestSchema, messageOf(DecideRequestSchema, { form, ...(change && { change }) })), REQUEST_LIMITS).request;

const subjectOf = (request: DecisionRequest, change: Partial<Subject> = {}): Subject => ({
  at: instant(0),
  tenant: "default",
  caller: "gateway",
  request,
  masked: 0,
  task: { standing: "open", id: "task", statement: "do it", restated: false, seen: NOTHING_SEEN },
  ...change,
});

const keyedDigest = createKeyedDigest(Buffer.alloc(32, "key"));
type Digest = (request: DecisionRequest) => string;
const digestOf: Digest = (request) => bindingOf({ canonical, keyedDigest, request, subject: subjectOf(request), tool: undefined }).digest;

/** Fields with which two requests may differ, and are bound alike all the same. */
function notBoundBy(digest: Digest, to: Change["to"]): readonly string[] {
  const forms: readonly Form[] = ["arguments", "arguments_json"];
  const alike = forms.flatMap((form) => {
    const whole = digest(requestOf(form));
    return leavesOf(DecideRequestSchema).filter((at) => {
      const isOtherForm = at === `action.${FORMS[form]}`;
      // What is false is not there already.
      const isFalse = to === "absent" && at === "action.arguments_truncated";
      if (isOtherForm || isFalse) return false;
      const changed = requestUnlessRefused(form, { at, to });
      return changed !== undefined && digest(changed) === whole;
    });
  });
  return [...new Set(alike)].sort();
}

/** What has to be there cannot be left out. */
function requestUnlessRefused(form: Form, change: Change): DecisionRequest | undefined {
  try {
    return requestOf(form, change);
  } catch (error) {
    if (change.to === "absent" && error instanceof ServiceError && error.code === "REQUEST_MALFORMED") return undefined;
    throw error;
  }
}

describe("an approval is bound to every field of a request but those that are named", () => {
  it.each<Change["to"]>(["another", "absent"])("where one has %s value", (to) => {
    expect(notBoundBy(digestOf, to)).toEqual(Object.keys(NOT_BOUND).sort());
  });

  it("finds the fields that there are, however deep", () => {
    expect(leavesOf(DecideRequestSchema)).toEqual(
      expect.arrayContaining(["session", "action.resource.attributes", "delegation.principal.type", "supported_obligations", "action.arguments"]),
    );
  });

  const whole = requestOf("arguments");
  const bound = Object.keys(whole).filter((key) => !["requestId", "approvalId", "waitMs", "credentialed"].includes(key));
  it.each(bound)("and it is noticed if `%s` were not", (dropped) => {
    const forgetful: Digest = (request) => digestOf(Object.assign({ ...request }, { [dropped]: whole[dropped as keyof DecisionRequest] }));
    expect(notBoundBy(forgetful, "another").length).toBeGreaterThan(Object.keys(NOT_BOUND).length);
  });

  it.each<{ one: JsonObject; other: JsonObject; says: string }>([
    { says: "nothing from null", one: {}, other: { cc: null } },
    { says: "null from empty text", one: { cc: null }, other: { cc: "" } },
    { says: "a number from its text", one: { amount: 1 }, other: { amount: "1" } },
    { says: "one order of a list from another", one: { to: ["a", "b"] }, other: { to: ["b", "a"] } },
    { says: "a list of one from what is in it", one: { to: ["a"] }, other: { to: "a" } },
    { says: "letters that look alike", one: { to: "ål" }, other: { to: "a\u030al" } },
  ])("and tells $says", ({ one, other }) => {
    const of = (args: JsonObject): string => digestOf(Object.assign({ ...whole }, { action: { ...whole.action, arguments: args } }));
    expect(of(one)).not.toBe(of(other));
  });
});

describe("an approval is bound to what Behest made of the request", () => {
  const request = requestOf("arguments");
  const tool: Tool = {
    name: "action.tool-0",
    effect: "update",
    reversibility: "reversible",
    roles: new Map([["to", "destination"]]),
    categories: [],
    output: { trust: "trusted", categories: [] },
    definitionDigest: `sha256:${"3".repeat(64)}`,
  };
  const { task } = subjectOf(request);
  const registered: NonNullable<Subject["task"]["registered"]> = {
    root: "task",
    depth: 0,
    principal: { type: "user", id: "alice" },
    issuer: "initiator",
    scopeKind: "issued",
    hops: 2,
    until: instant(1),
  };
  const digest = (change: Partial<Subject>, changedTool: Tool = tool): string =>
    bindingOf({ canonical, keyedDigest, request, subject: subjectOf(request, change), tool: changedTool }).digest;

  it.each<{ what: string; one?: Partial<Subject>; other?: Partial<Subject>; otherTool?: Tool }>([
    { what: "tenant", other: { tenant: "elsewhere" } },
    { what: "caller", other: { caller: "another" } },
    { what: "task", other: { task: { ...task, id: "another" } } },
    { what: "statement", other: { task: { ...task, statement: "do something else" } } },
    { what: "statement, or that there is none", other: { task: { standing: "open", id: "task", restated: false, seen: NOTHING_SEEN } } },
    { what: "chain", other: { request: { ...request, delegation: [{ type: "user", id: "mallory" }] } } },
    {
      what: "principal",
      one: { task: { ...task, registered } },
      other: { task: { ...task, registered: { ...registered, principal: { type: "user", id: "bob" } } } },
    },
    { what: "principal, or that nobody vouches for one", one: { task: { ...task, registered } }, other: {} },
    { what: "definition of the tool that was reviewed", other: {}, otherTool: { ...tool, definitionDigest: `sha256:${"4".repeat(64)}` } },
    { what: "roles of the arguments", other: {}, otherTool: { ...tool, roles: new Map([["to", "free_text"]]) } },
  ])("its $what", ({ one = {}, other = {}, otherTool }) => {
    expect(digest(other, otherTool)).not.toBe(digest(one));
  });

  it("and not to when it is asked, or what the task has seen", () => {
    const later = { at: instant(1), task: { ...task, seen: { ...NOTHING_SEEN, trust: "untrusted" as const } } };
    expect(digest(later)).toBe(digest({}));
  });
});

describe("the digest of a request that holds a secret", () => {
  const withPin = (pin: string): DecisionRequest => ({ agent: { id: "a" }, action: { tool: "t", arguments: { pin } } });
  const bound = (pin: string, key: Buffer) =>
    bindingOf({
      canonical,
      keyedDigest: createKeyedDigest(key),
      request: withPin(pin),
      subject: subjectOf(withPin("masked"), { masked: 1 }),
      tool: undefined,
    });

  it("cannot be computed from what the ledger holds without the key", () => {
    const digests = [Buffer.alloc(32, "one"), Buffer.alloc(32, "two")].map((key) => bound("1234", key));
    for (const digest of [...digests.map(({ digest: whole }) => whole), ...digests.map(({ pattern }) => pattern().digest)]) {
      expect(digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    }
    expect(digests[0]?.digest).not.toBe(digests[1]?.digest);
  });

  it("is another for another secret", () => {
    const key = Buffer.alloc(32, "one");
    expect(bound("1234", key).digest).toBe(bound("1234", key).digest);
    expect(bound("1234", key).digest).not.toBe(bound("1235", key).digest);
  });
});
