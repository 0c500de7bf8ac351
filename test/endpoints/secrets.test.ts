import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { actionOf, type HostileServer, outcomeOf, requestOf, runHostileServer } from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer({ log_level: "debug" });
});
afterAll(() => server.close());

/** Where a text has come to lie: names of files of the data directory, and `log`. */
function whereabouts(text: string): readonly string[] {
  const files = readdirSync(server.data).filter((name) => readFileSync(join(server.data, name)).includes(text));
  return server.log.some((line) => line.includes(text)) ? [...files, "log"] : files;
}

const recordOf = (decisionId: string) => {
  const [row] = server.rows(`SELECT record FROM decisions WHERE decision_id = '${decisionId}'`);
  return JSON.parse(String(row?.["record"]));
};

it("finds what is not secret, so that finding nothing means something", async () => {
  await server.decide(requestOf({ requestId: "request-that-is-logged", task: { statement: "a statement for everybody to read" } }));
  expect(whereabouts("a statement for everybody to read")).toContain("behest.db-wal");
  expect(whereabouts("request-that-is-logged")).toContain("log");
});

describe("a credential", () => {
  const hop = { principal: { type: wire.PrincipalType.USER, id: "alice" } };
  const last = { principal: { type: wire.PrincipalType.AGENT, id: "reader" } };
  it.each<{ says: string; credential: string; request: wire.DecideRequest }>([
    {
      says: "of the agent",
      credential: "credential-of-the-agent",
      request: requestOf({ agent: { id: "reader", credential: "credential-of-the-agent" } }),
    },
    {
      says: "of a hop",
      credential: "credential-of-a-hop",
      request: requestOf({ delegation: [{ ...hop, credential: "credential-of-a-hop" }, last] }),
    },
    {
      says: "of the last hop",
      credential: "credential-of-the-last",
      request: requestOf({ delegation: [hop, { ...last, credential: "credential-of-the-last" }] }),
    },
  ])("$says denies, because nobody can verify it, and lies nowhere afterwards", async ({ credential, request }) => {
    const answer = await server.decide(request);
    expect(outcomeOf(answer)).toBe("DENY");
    expect(answer.reasonCodes[0]).toBe("CREDENTIAL_UNVERIFIABLE");
    expect(answer.findings[0]).toMatchObject({
      rule: "behest:credential-unverifiable",
      reason: "the request carries a credential that this server cannot verify; leave it out or configure a verifier",
    });
    expect(recordOf(answer.decisionId).subject.request).toMatchObject({ credentialed: true });
    expect(whereabouts(credential)).toEqual([]);
  });
});

describe("a secret in a request", () => {
  const SECRET = "correct-horse-battery-staple";
  const masked = { kind: "string", length: SECRET.length, digest: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/) };
  const withArguments = (value: JsonObject) => requestOf({ action: actionOf({ argumentsForm: { case: "arguments", value } }) });
  it.each<{ says: string; request: wire.DecideRequest; path: readonly string[] }>([
    { says: "in an argument", request: withArguments({ password: SECRET }), path: ["action", "arguments", "password"] },
    {
      says: "in JSON text",
      request: requestOf({ action: actionOf({ argumentsForm: { case: "argumentsJson", value: JSON.stringify({ apiKey: SECRET }) } }) }),
      path: ["action", "arguments", "apiKey"],
    },
    {
      says: "further in",
      request: withArguments({ a: [{ headers: { "X-Auth-Token": SECRET } }] }),
      path: ["action", "arguments", "a", "0", "headers", "X-Auth-Token"],
    },
    {
      says: "in an argument that the catalog calls secret",
      request: requestOf({ action: { tool: "update_password", argumentsForm: { case: "arguments", value: { password: SECRET } } } }),
      path: ["action", "arguments", "password"],
    },
    {
      says: "in the agent's attributes",
      request: requestOf({ agent: { id: "reader", attributes: { client_secret: SECRET } } }),
      path: ["agent", "attributes", "client_secret"],
    },
    {
      says: "in attributes of the context",
      request: requestOf({ context: { attributes: { session_cookie: SECRET } } }),
      path: ["context", "attributes", "session_cookie"],
    },
    {
      says: "in attributes of the resource",
      request: requestOf({ action: actionOf({ resource: { type: "file", id: "x", attributes: { private_key: SECRET } } }) }),
      path: ["action", "resource", "attributes", "private_key"],
    },
  ])("$says is masked in the record and lies nowhere else", async ({ request, path }) => {
    const { decisionId } = await server.decide(request);
    expect(path.reduce((value, key) => value[key], recordOf(decisionId).subject.request)).toEqual(masked);
    expect(whereabouts(SECRET)).toEqual([]);
  });

  it("is not written with the approval that people are asked for, though it look like a key in free text", async () => {
    const secret = "sk-0123456789-correct-horse";
    const action = actionOf({
      tool: "filesystem/edit_file",
      argumentsForm: { case: "arguments", value: { path: "/srv/a", edits: [{ oldText: "see https://plain.example/x", password: secret }] } },
    });
    const { approval } = await server.decide(requestOf({ agent: { id: "coding-assistant" }, action }));
    expect(approval?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(whereabouts("https://plain.example/x")).toContain("behest.db-wal");
    expect(whereabouts(secret)).toEqual([]);
    const shown = await server.client("approver").getApproval(approval?.id ?? "");
    expect(shown.arguments.map(({ name }) => name)).toEqual(["path", "edits"]);
    expect(JSON.stringify(shown.arguments)).not.toContain(secret);
  });

  it("is not written when the request is refused, explained, or sent in a batch", async () => {
    const secret = withArguments({ password: SECRET });
    const { action } = secret;
    await server.refusal(requestOf({ action, waitMs: 55_001 }));
    await server.refusal(requestOf({ action: actionOf({ argumentsForm: { case: "argumentsJson", value: `{"password": ${SECRET}}` } }) }));
    await server.send("Decide", Buffer.concat([Buffer.from(SECRET), toBinary(wire.DecideRequestSchema, secret)]));
    await server.send("Explain", toBinary(wire.ExplainRequestSchema, create(wire.ExplainRequestSchema, { request: secret })));
    await server.send("DecideBatch", toBinary(wire.DecideBatchRequestSchema, create(wire.DecideBatchRequestSchema, { items: [secret] })));
    await server.decide(requestOf({ action, requestId: "with-a-secret" }));
    expect(whereabouts(SECRET)).toEqual([]);
  });

  it("lies nowhere when a task is opened with it, or what a tool returned is reported", async () => {
    const { task } = await server.client("initiator").openTask({
      statement: "read",
      agentId: "reader",
      principal: { type: wire.PrincipalType.USER, id: "alice", attributes: { password: SECRET, note: "kept" } },
    });
    expect(task?.principal?.attributes).toMatchObject({ note: "kept", password: { kind: "string" } });
    const decision = await server.decide(requestOf({ task: { id: task?.taskId ?? "" } }));
    const { decisionId } = decision;
    await server
      .client("enforcer")
      .reportOutcome({ decisionId, status: wire.ReportStatus.EXECUTED, resultForm: { case: "resultText", value: SECRET } });
    expect(whereabouts(SECRET)).toEqual([]);
  });

  it("cannot be guessed from the record by its plain digest", async () => {
    const { argumentsDigest, decisionId } = await server.decide(withArguments({ pin: "1234" }));
    expect(argumentsDigest).toMatch(/^sha256:/);
    expect(JSON.stringify(recordOf(decisionId))).not.toContain(argumentsDigest);
    expect(whereabouts(argumentsDigest.slice("sha256:".length))).toEqual([]);
  });
});

it("keeps tokens out of log, database and tokens.json", async () => {
  await server.raw.call("Decide", new Uint8Array(), `Bearer behest.enforcer.${"Z".repeat(43)}`);
  expect(whereabouts("Z".repeat(43))).toEqual([]);
  expect(whereabouts(server.token("enforcer"))).toEqual(["enforcer.token"]);
  expect(whereabouts(server.otherToken)).toEqual([]);
});
