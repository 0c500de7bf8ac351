import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { ACCEPTED, actionOf, type HostileServer, malformed, outcomeOf, requestOf, runHostileServer, tooBig } from "./raw-calls.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await runHostileServer();
});
afterAll(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
  await server.close();
});

const chainOf = (first: string): wire.DecideRequest["delegation"][number]["principal"][] => [
  { $typeName: "behest.v1.Principal", type: wire.PrincipalType.USER, id: first },
  { $typeName: "behest.v1.Principal", type: wire.PrincipalType.AGENT, id: "reader" },
];

interface IdentifierField {
  readonly field: string;
  readonly required: boolean;
  readonly request: (value: string) => wire.DecideRequest;
}

/** Every identifier of a request. */
const fields: readonly IdentifierField[] = [
  { field: "request_id", required: false, request: (requestId) => requestOf({ requestId }) },
  { field: "agent.id", required: true, request: (id) => requestOf({ agent: { id } }) },
  { field: "task.id", required: false, request: (id) => requestOf({ task: { id } }) },
  { field: "session", required: false, request: (session) => requestOf({ session }) },
  {
    field: "delegation[0].principal.id",
    required: true,
    request: (id) => requestOf({ delegation: chainOf(id).map((principal) => ({ principal })) }),
  },
  {
    field: "delegation[0].task_id",
    required: false,
    request: (taskId) => requestOf({ delegation: chainOf("alice").map((principal) => ({ principal, taskId })) }),
  },
  { field: "action.tool", required: true, request: (tool) => requestOf({ action: actionOf({ tool }) }) },
  { field: "action.operation", required: false, request: (operation) => requestOf({ action: actionOf({ operation }) }) },
  { field: "action.resource.type", required: true, request: (type) => requestOf({ action: actionOf({ resource: { type, id: "x" } }) }) },
  { field: "action.resource.id", required: true, request: (id) => requestOf({ action: actionOf({ resource: { type: "file", id } }) }) },
  { field: "data.classification", required: false, request: (classification) => requestOf({ data: { classification } }) },
  { field: "data.categories[0]", required: true, request: (category) => requestOf({ data: { categories: [category] } }) },
  { field: "context.environment", required: false, request: (environment) => requestOf({ context: { environment } }) },
];

describe.each(fields)("$field", ({ field, required, request }) => {
  it.each<{ says: string; value: string }>([
    { says: "NUL", value: "a\u0000b" },
    { says: "a line break", value: "a\nb" },
    { says: "an escape sequence of a terminal", value: "a\u001b[2Jb" },
    { says: "a control character of the C1 set", value: "a\u0085b" },
    { says: "a line separator", value: "a\u2028b" },
    { says: "a zero-width space", value: "a\u200bb" },
    { says: "a zero-width joiner", value: "a\u200db" },
    { says: "a byte-order mark", value: "\ufeffab" },
    { says: "a soft hyphen", value: "a\u00adb" },
    { says: "a right-to-left override", value: "a\u202eb" },
    { says: "a bidirectional isolate", value: "a\u2066b" },
    { says: "an invisible tag", value: "a\u{e0041}b" },
    { says: "a variation selector", value: "a\ufe0fb" },
    { says: "a filler that shows nothing", value: "a\u3164b" },
    { says: "the mark of undecodable bytes", value: "a\ufffdb" },
    { says: "a leading space", value: " ab" },
    { says: "a trailing wide space", value: "ab\u3000" },
    { says: "nothing but space", value: " " },
  ])("refuses $says", async ({ value }) => {
    expect(await server.refusal(request(value))).toEqual(
      malformed(`\`${field}\` holds a control, invisible or undecodable character, or begins or ends with space`, field),
    );
  });

  it("takes 1,024 bytes and not one more, however many characters they are", async () => {
    for (const longest of ["x".repeat(1_024), "é".repeat(512)]) {
      expect(await server.refusal(request(longest))).toEqual(ACCEPTED);
      expect(await server.refusal(request(`${longest}x`))).toEqual(tooBig("identifier_bytes", `\`${field}\` is longer than 1024 bytes`, field));
    }
  });

  it(required ? "refuses an empty one" : "takes an empty one for an absent one", async () => {
    expect(await server.refusal(request(""))).toEqual(required ? malformed(`\`${field}\` is missing or empty`, field) : ACCEPTED);
  });
});

describe("a tool that only looks like one of the catalog", () => {
  it.each<{ says: string; tool: string }>([
    { says: "has a Cyrillic letter", tool: "fil\u0435system/read_text_file" },
    { says: "has full-width letters", tool: "ｆilesystem/read_text_file" },
    { says: "is decomposed", tool: "filesystem/re\u0301ad_text_file" },
    { says: "is in upper case", tool: "FILESYSTEM/READ_TEXT_FILE" },
    { says: "doubles a slash", tool: "filesystem//read_text_file" },
    { says: "climbs out and in again", tool: "filesystem/../filesystem/read_text_file" },
    { says: "has an escape", tool: "filesystem%2fread_text_file" },
    { says: "has a slash at its end", tool: "filesystem/read_text_file/" },
    { says: "is a name of every object", tool: "constructor" },
    { says: "is the name of a prototype", tool: "__proto__" },
    { says: "is longer than any tool's name", tool: "r".repeat(129) },
  ])("$says, so that nobody knows its effect and nobody may use it", async ({ tool }) => {
    const decision = await server.decide(requestOf({ action: actionOf({ tool, effect: wire.Effect.READ }) }));
    expect(outcomeOf(decision)).toBe("DENY");
    expect(decision.reasonCodes).toContain("OUTSIDE_REACH");
    expect(server.rows(`SELECT effect, outcome FROM decisions WHERE decision_id = '${decision.decisionId}'`)).toEqual([
      { effect: "unknown", outcome: "DENY" },
    ]);
  });

  it.each<{ says: string; tool: string }>([
    { says: "with a Cyrillic letter", tool: "filesystem/r\u0435ad_text_file" },
    { says: "of the same server", tool: "filesystem/read_text_fil" },
  ])("is not allowed to an agent whose reach covers unknown effects either: $says", async ({ tool }) => {
    const decision = await server.decide(requestOf({ agent: { id: "sandbox-agent" }, action: actionOf({ tool }) }));
    expect(["DENY", "REQUIRE_APPROVAL"]).toContain(outcomeOf(decision));
  });
});

it.each<{ says: string; id: string }>([
  { says: "with a Cyrillic letter", id: "coding-\u0430ssistant" },
  { says: "in upper case", id: "Coding-Assistant" },
  { says: "that every object has", id: "toString" },
])("takes an agent under a name $says for one that nobody registered", async ({ id }) => {
  const { findings } = await server.decide(requestOf({ agent: { id } }));
  expect(findings.map(({ rule }) => rule)).toContain("the-agent-is-not-registered");
});
