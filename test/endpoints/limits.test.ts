import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import {
  ACCEPTED,
  actionOf,
  bodyOf,
  type HostileServer,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  runHostileServer,
  tooBig,
  withJson,
  withStruct,
} from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

afterEach(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
});

const REQUEST_BYTES_MAX = 256 * 1_024;
const BATCH_BYTES_MAX = 4 * 1_024 * 1_024;

/** Objects in objects; 1 is an object without any. */
const nestedJson = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
const nested = (levels: number): JsonObject => JSON.parse(nestedJson(levels));
const nestedLists = (levels: number): JsonObject => JSON.parse(`{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`);
const withKeys = (count: number): JsonObject => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));

/** A chain from a person through `reader`, with this many agents after the first. */
const chain = (agents: number): wire.DecideRequest =>
  requestOf({
    delegation: [
      { principal: { type: wire.PrincipalType.USER, id: "alice" } },
      ...Array.from({ length: agents + 1 }, (_, index) => ({
        principal: { type: wire.PrincipalType.AGENT, id: index === agents ? "reader" : `a${index}` },
      })),
    ],
  });

/** A request of exactly so many bytes: what is too long is one argument. */
function ofBytes(bytes: number): wire.DecideRequest {
  const request = (length: number): wire.DecideRequest => withJson(`{"path":"/srv/handbook.md","note":"${"x".repeat(length)}"}`);
  const longer = bytes - toBinary(wire.DecideRequestSchema, request(bytes - 200)).length;
  return request(bytes - 200 + longer);
}

describe("a limit is the last that passes", () => {
  const deep = (field: string): Refusal => tooBig("nesting", `\`${field}\` nests deeper than 32 levels`, field);
  const wide = (field: string): Refusal => tooBig("keys", `\`${field}\` has more than 512 keys`, field);
  const statement = (length: number) => requestOf({ task: { statement: "é".repeat(length / 2) + "x".repeat(length % 2) } });
  const categories = (count: number) => requestOf({ data: { categories: Array.from({ length: count }, (_, index) => `category-${index}`) } });
  const resource = (attributes: JsonObject) => requestOf({ action: actionOf({ resource: { type: "file", id: "/srv/handbook.md", attributes } }) });
  it.each<{ says: string; at: wire.DecideRequest; over: wire.DecideRequest; refusal: Refusal }>([
    {
      says: "256 KiB of request",
      at: ofBytes(REQUEST_BYTES_MAX),
      over: ofBytes(REQUEST_BYTES_MAX + 1),
      refusal: tooBig("request_bytes", "the message has 262145 bytes, at most 262144 are read"),
    },
    { says: "32 levels of JSON", at: withJson(nestedJson(32)), over: withJson(nestedJson(33)), refusal: deep("action.arguments_json") },
    { says: "32 levels of Struct", at: withStruct(nested(32)), over: withStruct(nested(33)), refusal: deep("action.arguments") },
    { says: "32 levels of lists in a Struct", at: withStruct(nestedLists(32)), over: withStruct(nestedLists(33)), refusal: deep("action.arguments") },
    {
      says: "32 levels of agent attributes",
      at: requestOf({ agent: { id: "reader", attributes: nested(32) } }),
      over: requestOf({ agent: { id: "reader", attributes: nested(33) } }),
      refusal: deep("agent.attributes"),
    },
    {
      says: "32 levels of context attributes",
      at: requestOf({ context: { attributes: nested(32) } }),
      over: requestOf({ context: { attributes: nested(33) } }),
      refusal: deep("context.attributes"),
    },
    { says: "32 levels of resource attributes", at: resource(nested(32)), over: resource(nested(33)), refusal: deep("action.resource.attributes") },
    {
      says: "512 keys of JSON",
      at: withJson(JSON.stringify(withKeys(512))),
      over: withJson(JSON.stringify(withKeys(513))),
      refusal: wide("action.arguments_json"),
    },
    { says: "512 keys of Struct", at: withStruct(withKeys(512)), over: withStruct(withKeys(513)), refusal: wide("action.arguments") },
    {
      says: "512 keys in all, however they nest",
      at: withStruct({ a: withKeys(511) }),
      over: withStruct({ a: withKeys(512) }),
      refusal: wide("action.arguments"),
    },
    {
      says: "512 keys of context attributes",
      at: requestOf({ context: { attributes: withKeys(512) } }),
      over: requestOf({ context: { attributes: withKeys(513) } }),
      refusal: wide("context.attributes"),
    },
    {
      says: "8 KiB of statement",
      at: statement(8_192),
      over: statement(8_193),
      refusal: tooBig("statement_bytes", "`task.statement` is longer than 8192 bytes", "task.statement"),
    },
    {
      says: "8 agents after the first",
      at: chain(8),
      over: chain(9),
      refusal: tooBig("delegation_depth", "`delegation` names more than 8 agents after the first", "delegation"),
    },
    {
      says: "32 categories",
      at: categories(32),
      over: categories(33),
      refusal: tooBig("categories", "`data.categories` names more than 32 categories", "data.categories"),
    },
  ])("$says", async ({ at, over, refusal }) => {
    expect(await server.refusal(at)).toEqual(ACCEPTED);
    expect(await server.refusal(over)).toEqual(refusal);
  });
});

describe("far beyond a limit", () => {
  it.each<{ says: string; request: wire.DecideRequest; refusal: Refusal }>([
    {
      says: "100,000 open lists",
      request: withJson("[".repeat(100_000)),
      refusal: tooBig("nesting", "`action.arguments_json` nests deeper than 32 levels", "action.arguments_json"),
    },
    {
      says: "100,000 lists, opened and closed",
      request: withJson(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
      refusal: tooBig("nesting", "`action.arguments_json` nests deeper than 32 levels", "action.arguments_json"),
    },
    {
      says: "40,000 objects",
      request: withJson(nestedJson(40_000)),
      refusal: tooBig("nesting", "`action.arguments_json` nests deeper than 32 levels", "action.arguments_json"),
    },
    {
      says: "10,000 keys",
      request: withJson(JSON.stringify(withKeys(10_000))),
      refusal: tooBig("keys", "`action.arguments_json` has more than 512 keys", "action.arguments_json"),
    },
    {
      says: "a chain of a thousand people",
      request: requestOf({ delegation: Array.from({ length: 1_000 }, () => ({ principal: { type: wire.PrincipalType.USER, id: "alice" } })) }),
      refusal: tooBig("delegation_depth", "`delegation` names more than 8 agents after the first", "delegation"),
    },
  ])("refuses $says", async ({ request, refusal }) => {
    expect(await server.refusal(request)).toEqual(refusal);
  });

  it("refuses a number of 150,000 digits before the caller's deadline", async () => {
    const refusal = await server.refusal(withJson(`{"note":1${"0".repeat(150_000)}1}`));
    expect(refusal).toMatchObject({ code: "INVALID_ARGUMENT", field: "action.arguments_json" });
  });
});

describe("limits of a batch", () => {
  const batchOf = (...items: readonly wire.DecideRequest[]): Uint8Array =>
    toBinary(wire.DecideBatchRequestSchema, create(wire.DecideBatchRequestSchema, { items: [...items] }));

  it("is 256 requests", async () => {
    const answers = fromBinary(wire.DecideBatchResponseSchema, bodyOf(await server.send("DecideBatch", batchOf(...Array(256).fill(requestOf())))));
    expect(answers.items.map(({ result }) => result.case)).toEqual(Array(256).fill("decision"));
    expect(refusalOf(await server.send("DecideBatch", batchOf(...Array(257).fill(requestOf()))))).toEqual(
      tooBig("batch_items", "`items` holds more than 256 requests", "items"),
    );
  });

  it("is 4 MiB", async () => {
    const items: wire.DecideRequest[] = Array(16).fill(ofBytes(BATCH_BYTES_MAX / 16 - 4));
    const at = batchOf(...items);
    expect(at.length).toBe(BATCH_BYTES_MAX);
    expect(refusalOf(await server.send("DecideBatch", at))).toEqual(ACCEPTED);
    expect(refusalOf(await server.send("DecideBatch", batchOf(...items, requestOf())))).toEqual(
      tooBig("batch_bytes", `the message has ${batchOf(...items, requestOf()).length} bytes, at most ${BATCH_BYTES_MAX} are read`),
    );
  });

  it("is cut off by the transport where it is larger still", async () => {
    expect(refusalOf(await server.send("DecideBatch", Buffer.alloc(BATCH_BYTES_MAX + 2_000)))).toEqual({
      code: "RESOURCE_EXHAUSTED",
      message: `Received message larger than max (${BATCH_BYTES_MAX + 2_000} vs ${BATCH_BYTES_MAX + 1_024})`,
    });
  });

  it("is that of a single request for each item, and spares the others", async () => {
    const body = bodyOf(await server.send("DecideBatch", batchOf(requestOf(), ofBytes(REQUEST_BYTES_MAX + 1), ofBytes(REQUEST_BYTES_MAX))));
    const [first, second, third] = fromBinary(wire.DecideBatchResponseSchema, body).items.map(({ result }) => result);
    expect([first?.case, third?.case]).toEqual(["decision", "decision"]);
    expect(second).toMatchObject({ case: "error", value: { code: 8, message: "the message has 262145 bytes, at most 262144 are read" } });
  });
});
