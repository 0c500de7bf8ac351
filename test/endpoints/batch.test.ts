import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import {
  actionOf,
  bodyOf,
  type HostileServer,
  malformed,
  outcomeOf,
  type Refusal,
  requestOf,
  runHostileServer,
  statusAsRefusal,
  withJson,
} from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(() => server.close());

async function decideBatch(...items: readonly wire.DecideRequest[]): Promise<readonly (wire.DecideResponse | Refusal)[]> {
  const body = toBinary(wire.DecideBatchRequestSchema, create(wire.DecideBatchRequestSchema, { items: [...items] }));
  const answer = fromBinary(wire.DecideBatchResponseSchema, bodyOf(await server.send("DecideBatch", body)));
  return answer.items.map(({ result }) => {
    if (result.case === undefined) throw new Error("an item without an answer");
    return result.case === "decision" ? result.value : statusAsRefusal(result.value);
  });
}

const inWords = (answer: wire.DecideResponse | Refusal): string => ("code" in answer ? answer.code : outcomeOf(answer));

it("answers in the order of the requests", async () => {
  const create = actionOf({ tool: "filesystem/create_directory" });
  const unknown = actionOf({ tool: "nobody/knows_this" });
  const agent = { id: "coding-assistant" };
  const items = [requestOf({ agent }), requestOf({ agent, action: unknown }), requestOf({ agent, action: create }), requestOf({ agent })];
  expect((await decideBatch(...items)).map(inWords)).toEqual(["ALLOW", "DENY", "REQUIRE_APPROVAL", "ALLOW"]);
  expect(server.rows("SELECT outcome FROM decisions WHERE agent = 'coding-assistant' ORDER BY seq").map(({ outcome }) => outcome)).toEqual([
    "ALLOW",
    "DENY",
    "REQUIRE_APPROVAL",
    "ALLOW",
  ]);
});

it("answers a request that it refuses with what Decide would have failed with, and decides the others", async () => {
  const [first, second, third, fourth] = await decideBatch(requestOf(), withJson("{"), requestOf({ agent: { id: "a\u200b" } }), requestOf());
  expect([first, fourth].map((answer) => answer && inWords(answer))).toEqual(["ALLOW", "ALLOW"]);
  expect(second).toEqual({ ...malformed("", "action.arguments_json"), message: expect.stringMatching(/^`action\.arguments_json` is refused: /) });
  expect(third).toEqual(malformed("`agent.id` holds a control, invisible or undecodable character, or begins or ends with space", "agent.id"));
});

it("lets a later request see what an earlier one changed", async () => {
  const agent = { id: "batcher" };
  const memory = actionOf({ tool: "memory/create_entities", argumentsForm: { case: "argumentsJson", value: '{"entities":[]}' } });
  const answers = await decideBatch(requestOf({ agent, session: "new" }), requestOf({ agent, session: "new", action: memory }));
  const [read, write] = answers.map((answer) => ("taskId" in answer ? answer : undefined));
  expect(write?.taskId).toBe(read?.taskId);
  expect(server.rows(`SELECT count(*) AS n FROM tasks WHERE agent = 'batcher'`)).toEqual([{ n: 1 }]);
  // The file that was read may hold anybody's words, so what follows it in the same task is asked about.
  expect(write?.findings.map(({ rule }) => rule)).toContain("untrusted-content-comes-before-memory");
});

it("shares one record among items with the same id and content, and refuses the same id with other content", async () => {
  const agent = { id: "twin" };
  const [first, second, third] = await decideBatch(
    requestOf({ agent, requestId: "twin" }),
    requestOf({ agent, requestId: "twin" }),
    requestOf({ agent, requestId: "twin", session: "other" }),
  );
  expect(second).toEqual({ ...first, replayed: true });
  expect(third).toMatchObject({ code: "INVALID_ARGUMENT", reason: "REQUEST_ID_REUSED", field: "request_id" });
  expect(server.rows("SELECT count(*) AS n FROM decisions WHERE agent = 'twin'")).toEqual([{ n: 1 }]);
});

it("may be empty", async () => {
  expect(await decideBatch()).toEqual([]);
});
