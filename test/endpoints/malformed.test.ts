import { toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import {
  ACCEPTED,
  actionOf,
  type HostileServer,
  malformed,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  runHostileServer,
  tooBig,
} from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

afterEach(async () => {
  // Whatever was sent, another caller is served as if nothing had been.
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});

const NO_REQUEST = malformed("the message is no behest.v1.DecideRequest");

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const field = (number: number, bytes: Uint8Array): Uint8Array => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
const text = (number: number, value: string): Uint8Array => field(number, Buffer.from(value));
const varint = (number: number, value: number): Uint8Array => new BinaryWriter().tag(number, WireType.Varint).uint32(value).finish();

const good = toBinary(wire.DecideRequestSchema, requestOf());
const agent = field(2, text(1, "reader"));
const action = field(6, toBinary(wire.ActionSchema, actionOf()));
/** An action of the good request's tool, with these fields behind it. */
const actionWith = (...fields: readonly Uint8Array[]): Uint8Array => field(6, join(text(1, "filesystem/read_text_file"), ...fields));

/** Lists in lists, as a Struct has them: far more than anybody nests by hand. */
function deepStruct(levels: number): Uint8Array {
  let value = new Uint8Array();
  for (let level = 0; level < levels; level++) value = new Uint8Array(field(6, field(1, value)));
  return field(1, join(text(1, "a"), field(2, value)));
}

const INVALID_UTF8 = Buffer.from([0x61, 0xff]);
const LONE_SURROGATE = Buffer.from([0xed, 0xa0, 0x80]);
const OVERLONG_SLASH = Buffer.from([0xc0, 0xaf]);

describe("bytes that are no request", () => {
  it.each<{ says: string; bytes: Uint8Array; refusal: Refusal }>([
    { says: "nothing at all", bytes: new Uint8Array(), refusal: malformed("`agent` is missing", "agent") },
    { says: "text", bytes: Buffer.from("may I read this, please"), refusal: NO_REQUEST },
    { says: "zeros", bytes: Buffer.alloc(64), refusal: NO_REQUEST },
    { says: "ones", bytes: Buffer.alloc(64, 0xff), refusal: NO_REQUEST },
    { says: "a request that lacks its last byte", bytes: good.subarray(0, -1), refusal: NO_REQUEST },
    { says: "a length beyond the end", bytes: Buffer.from([0x12, 0x7f, 0x0a]), refusal: NO_REQUEST },
    { says: "a length beyond 32 bits", bytes: Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), refusal: NO_REQUEST },
    { says: "field number 0", bytes: join(good, Buffer.from([0x02, 0x00])), refusal: NO_REQUEST },
    { says: "an unfinished group", bytes: join(good, Buffer.alloc(100_000, 0xa3)), refusal: NO_REQUEST },
    { says: "an identifier that is no UTF-8", bytes: join(field(2, field(1, INVALID_UTF8)), action), refusal: NO_REQUEST },
    { says: "an identifier with the bytes of a lone surrogate", bytes: join(field(2, field(1, LONE_SURROGATE)), action), refusal: NO_REQUEST },
    { says: "an identifier with an overlong slash", bytes: join(field(2, field(1, OVERLONG_SLASH)), action), refusal: NO_REQUEST },
    { says: "a statement that is no UTF-8", bytes: join(good, field(3, field(2, INVALID_UTF8))), refusal: NO_REQUEST },
    { says: "JSON text that is no UTF-8", bytes: join(agent, actionWith(field(5, Buffer.from('{"path":"\xff"}', "latin1")))), refusal: NO_REQUEST },
    { says: "an agent that is a number", bytes: join(varint(2, 3), action), refusal: NO_REQUEST },
    { says: "an agent id that is a number", bytes: join(field(2, varint(1, 6)), action), refusal: NO_REQUEST },
    { says: "an effect that is text", bytes: join(agent, actionWith(text(3, "\u0001"))), refusal: NO_REQUEST },
    { says: "an effect that is text read as a better one", bytes: join(agent, actionWith(text(3, ""), varint(9_999, 1))), refusal: NO_REQUEST },
    {
      says: "text under the wire type of a number",
      bytes: join(Buffer.from([0x12, 0x08, 0x08, 0x06]), Buffer.from("reader"), action),
      refusal: NO_REQUEST,
    },
    {
      says: "an id that runs past the end of its agent",
      bytes: join(Buffer.from([0x12, 0x02, 0x0a, 0x06]), Buffer.from("reader"), action),
      refusal: NO_REQUEST,
    },
    {
      says: "a Struct that nests 3,000 messages deep",
      bytes: join(agent, actionWith(field(4, deepStruct(3_000)))),
      refusal: tooBig("nesting", "the message nests too deeply"),
    },
  ])("refuses $says", async ({ bytes, refusal }) => {
    expect(refusalOf(await server.send("Decide", bytes))).toEqual(refusal);
  });

  it("refuses a good request cut anywhere", async () => {
    const replies = await Promise.all(Array.from({ length: good.length }, (_, length) => server.send("Decide", good.subarray(0, length))));
    expect(replies.map((reply) => refusalOf(reply).code)).toEqual(replies.map(() => "INVALID_ARGUMENT"));
  });

  it("refuses them in a batch and in an explanation alike", async () => {
    const garbage = Buffer.alloc(64, 0xff);
    expect(refusalOf(await server.send("DecideBatch", garbage))).toEqual(malformed("the message is no behest.v1.DecideBatchRequest"));
    expect(refusalOf(await server.send("Explain", garbage))).toEqual(malformed("the message is no behest.v1.ExplainRequest"));
    expect(refusalOf(await server.send("Explain", new Uint8Array()))).toEqual(malformed("`request` is missing", "request"));
  });

  it("reads past fields of a later version", async () => {
    expect(refusalOf(await server.send("Decide", join(good, text(1_000, "from the future"))))).toEqual(ACCEPTED);
  });
});

describe("numbers that name nothing", () => {
  const principal = (type: number): Uint8Array => field(5, field(1, join(varint(1, type), text(2, "alice"))));
  const negative = new BinaryWriter().tag(3, WireType.Varint).int32(-1).finish();
  it.each<{ bytes: Uint8Array; at: string; why: string }>([
    { at: "action.effect", bytes: join(agent, actionWith(varint(3, 99))), why: "is `99`, which is no effect" },
    { at: "action.effect", bytes: join(agent, actionWith(negative)), why: "is `-1`, which is no effect" },
    { at: "delegation[0].principal.type", bytes: join(good, principal(0)), why: "is `0`: write USER, SERVICE or AGENT" },
    { at: "delegation[0].principal.type", bytes: join(good, principal(4)), why: "is `4`: write USER, SERVICE or AGENT" },
    { at: "supported_obligations[0]", bytes: join(good, varint(12, 0)), why: "is `0`, which is no obligation" },
    { at: "supported_obligations[1]", bytes: join(good, field(12, Buffer.from([1, 99]))), why: "is `99`, which is no obligation" },
  ])("are refused: $at $why", async ({ at, bytes, why }) => {
    expect(refusalOf(await server.send("Decide", bytes))).toEqual(malformed(`\`${at}\` ${why}`, at));
  });
});

describe("requests that lack something or ask for what there is not", () => {
  const ttl = { seconds: 60n };
  it.each<{ says: string; request: wire.DecideRequest; refusal: Refusal }>([
    { says: "no agent", request: requestOf({ agent: undefined }), refusal: malformed("`agent` is missing", "agent") },
    { says: "no action", request: requestOf({ action: undefined }), refusal: malformed("`action` is missing", "action") },
    { says: "an agent without id", request: requestOf({ agent: {} }), refusal: malformed("`agent.id` is missing or empty", "agent.id") },
    { says: "no tool", request: requestOf({ action: { tool: "" } }), refusal: malformed("`action.tool` is missing or empty", "action.tool") },
    {
      says: "a hop without principal",
      request: requestOf({ delegation: [{}] }),
      refusal: malformed("`delegation[0].principal` is missing", "delegation[0].principal"),
    },
    {
      says: "a principal without type",
      request: requestOf({ delegation: [{ principal: { id: "alice" } }] }),
      refusal: malformed("`delegation[0].principal.type` is `0`: write USER, SERVICE or AGENT", "delegation[0].principal.type"),
    },
    {
      says: "a resource without type",
      request: requestOf({ action: actionOf({ resource: { id: "x" } }) }),
      refusal: malformed("`action.resource.type` is missing or empty", "action.resource.type"),
    },
    {
      says: "a resource type with a colon",
      request: requestOf({ action: actionOf({ resource: { type: "file:x", id: "y" } }) }),
      refusal: malformed("`action.resource.type` holds `:`, which parts it from the id", "action.resource.type"),
    },
    {
      says: "an approval with an invisible character",
      request: requestOf({ approvalId: "a\u200bb" }),
      refusal: malformed("`approval_id` holds a control, invisible or undecodable character, or begins or ends with space", "approval_id"),
    },
    {
      says: "a wait of 55,001 milliseconds",
      request: requestOf({ waitMs: 55_001 }),
      refusal: malformed("`wait_ms` is 55001; at most 55000 can be waited", "wait_ms"),
    },
    {
      says: "a permit",
      request: requestOf({ permit: { audience: "mail", ttl } }),
      refusal: malformed("`permit` cannot be asked for: this server signs no permits", "permit"),
    },
    {
      says: "an empty permit request",
      request: requestOf({ permit: {} }),
      refusal: malformed("`permit` cannot be asked for: this server signs no permits", "permit"),
    },
  ])("refuses $says", async ({ request, refusal }) => {
    expect(await server.refusal(request)).toEqual(refusal);
  });
});

it("records nothing of what it refuses", () => {
  // The one request that was fit to be decided is the one with fields of a later version.
  expect(server.rows("SELECT count(*) AS n FROM decisions WHERE caller = 'local-enforcer'")).toEqual([{ n: 1 }]);
});
