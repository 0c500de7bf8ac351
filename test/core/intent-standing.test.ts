import { beforeEach, describe, expect, it } from "vitest";
import type { IntentStanding } from "../../src/core/intent/standing.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { Reports } from "../../src/core/reports.ts";
import type { OpenRequest } from "../../src/core/tasks/keeper.ts";
import type { Effect, Instant, JsonObject } from "../../src/core/words.ts";
import { instant } from "../../src/core/words.ts";
import { FULL_REACH, policyOf } from "../policies.ts";
import { GATEWAY, PORTAL } from "./live-approvals.ts";
import { type LiveTasks, liveTasks } from "./live-tasks.ts";

const tool = (effect: Effect, objects: readonly string[], more: object = {}): object => ({
  effect,
  objects,
  reversibility: "reversible",
  output: { trust: "trusted" },
  ...more,
});
const policy = policyOf({
  settings: {
    reach: { default: FULL_REACH },
    basis: Object.fromEntries(["AUTHORIZED", "INFERRED", "AVAILABLE"].map((basis) => [basis, { "*": "allow", unknown: "allow" }])),
  },
  tools: {
    "crm/read": tool("read", ["customer"]),
    "mail/send": tool("send", ["mail"], { arguments: { to: "destination", body: "free_text" } }),
    "files/delete": tool("delete", ["file"], { arguments: { path: "target" } }),
    "files/write": tool("update", ["file"], { arguments: { path: "target" } }),
    "todo/read": tool("read", ["file"], { output: { trust: "untrusted" } }),
  },
  rules: [],
});

let live: LiveTasks;
beforeEach(() => {
  live = liveTasks({ policy });
});

const open = async (statement: string, change: Partial<OpenRequest> = {}): Promise<string> => {
  const { task } = await live.keeper.open(PORTAL, {
    statement,
    principal: { type: "user", id: "alice", attributes: { email: "alice@example.org" } },
    agent: "bot",
    scopeKind: "proposed",
    scope: {},
    ...change,
  });
  return task.id;
};

interface Acting {
  readonly tool: string;
  readonly args?: JsonObject;
  readonly restated?: string;
}

const act = async (task: string | undefined, { tool: name, args = {}, restated }: Acting): Promise<DecisionRecord> => {
  const named = { ...(task !== undefined && { id: task }), ...(restated !== undefined && { statement: restated }) };
  const request = { agent: { id: "bot" }, task: named, action: { tool: name, arguments: args } };
  return (await live.decider.decide({ caller: GATEWAY, request })).record;
};

const found = ({ subject: { intent } }: DecisionRecord): IntentStanding => {
  if (!intent) throw new Error("nothing was found");
  return intent;
};

type Report = Parameters<Reports["report"]>[1];
/** A tool is called, and what it returned is reported. */
async function returned(task: string, acting: Acting, result: string, change: Partial<Report> = {}): Promise<void> {
  const { id } = await act(task, acting);
  await live.reports.report(GATEWAY, { decision: id, status: "executed", result, truncated: false, ...change });
}

describe("what a task asks for", () => {
  it.each<{ says: string; statement: string; acting: Acting; scope: string }>([
    {
      says: "what it says",
      statement: "Send a mail to bob@example.com",
      acting: { tool: "mail/send", args: { to: "bob@example.com" } },
      scope: "inside",
    },
    { says: "no more than that", statement: "Read the file a.txt", acting: { tool: "mail/send", args: { to: "bob@example.com" } }, scope: "outside" },
    { says: "always what only reads", statement: "Send a mail to bob@example.com", acting: { tool: "crm/read" }, scope: "inside" },
    {
      says: "nothing that is destroyed",
      statement: "Update the file a.txt",
      acting: { tool: "files/delete", args: { path: "a.txt" } },
      scope: "outside",
    },
    { says: "unless it says so", statement: "Delete the file a.txt", acting: { tool: "files/delete", args: { path: "a.txt" } }, scope: "inside" },
    { says: "no tool that nobody has listed", statement: "Send a mail", acting: { tool: "nobody/knows" }, scope: "outside" },
    {
      says: "no more by what the request says instead",
      statement: "Read the file a.txt",
      acting: { tool: "mail/send", args: { to: "bob@example.com" }, restated: "Send a mail to bob@example.com" },
      scope: "outside",
    },
    {
      says: "less by what the request says instead",
      statement: "Send a mail to bob@example.com",
      acting: { tool: "mail/send", args: { to: "bob@example.com" }, restated: "Read the file a.txt" },
      scope: "outside",
    },
  ])("is $says: $scope", async ({ statement, acting, scope }) => {
    expect(found(await act(await open(statement), acting)).scope).toBe(scope);
  });

  it("is the worst of all statements down the chain", async () => {
    const root = await open("Read the file a.txt");
    const { status } = await live.keeper.delegate(GATEWAY, {
      taskId: root,
      agent: "bot",
      statement: "Send a mail to bob@example.com",
      scope: {},
      narrow: false,
    });
    const acting = { tool: "mail/send", args: { to: "bob@example.com" } };
    const request = { agent: { id: "bot" }, task: { id: status.task.id }, action: { tool: acting.tool, arguments: acting.args } };
    const { record } = await live.decider.decide({ caller: GATEWAY, request });
    expect(found(record)).toMatchObject({ scope: "outside", provenance: { destination: "unseen" } });
  });

  const ended = (): Instant => instant(live.now() + 60_000);
  it.each<{ says: string; scope: OpenRequest["scope"]; standing: string }>([
    { says: "nothing", scope: {}, standing: "outside" },
    { says: "what its scope lists", scope: { tools: ["mail/*"] }, standing: "inside" },
    { says: "nothing beside that", scope: { tools: ["files/*"] }, standing: "outside" },
  ])("is $says once the time of its words is over", async ({ scope, standing }) => {
    const task = await open("Send a mail to bob@example.com", { scope, statementExpiresAt: ended() });
    live.pass(60_001);
    expect(found(await act(task, { tool: "mail/send", args: { to: "bob@example.com" } }))).toMatchObject({
      scope: standing,
      provenance: { destination: "unseen" },
    });
  });

  it("is what its scope lists, whatever it says", async () => {
    const task = await open("Read the file a.txt", { scope: { tools: ["mail/send"] }, scopeKind: "issued" });
    expect(found(await act(task, { tool: "mail/send", args: { to: "x" } }))).toMatchObject({ scope: "inside", words: ["scope.tools"] });
  });
});

describe("the basis of an action", () => {
  it.each<{ says: string; change?: Partial<OpenRequest>; to: string; basis: string }>([
    { says: "is inferred inside the words of a task, to whom it names", to: "bob@example.com", basis: "INFERRED" },
    { says: "is inferred to the principal", to: "alice@example.org", basis: "INFERRED" },
    { says: "is not inferred to somebody whom nobody names", to: "mallory@evil.example", basis: "AVAILABLE" },
    {
      says: "is not inferred beside the words",
      change: { statement: "Read the mail of bob@example.com" },
      to: "bob@example.com",
      basis: "AVAILABLE",
    },
    { says: "is granted by whoever issued it", change: { scopeKind: "issued" }, to: "mallory@evil.example", basis: "AUTHORIZED" },
  ])("$says", async ({ change, to, basis }) => {
    const task = await open("Send a mail to bob@example.com", change);
    expect((await act(task, { tool: "mail/send", args: { to } })).judgement.basis).toBe(basis);
  });

  it("is not inferred for a task that an agent asserts", async () => {
    const record = await act(undefined, { tool: "mail/send", args: { to: "bob@example.com" }, restated: "Send a mail to bob@example.com" });
    expect(record.judgement.basis).toBe("AVAILABLE");
    expect(found(record).provenance.destination).toBe("unseen");
  });
});

describe("what a value is worth that a tool returned", () => {
  const CARD = '{"desk": "carol@example.net"}';
  const destinationAfter = async (change: Partial<Report> = {}, result = CARD): Promise<string | undefined> => {
    const task = await open("Send a mail to the customer");
    await returned(task, { tool: "crm/read" }, result, change);
    return found(await act(task, { tool: "mail/send", args: { to: "carol@example.net" } })).provenance.destination;
  };

  it.each<{ says: string; change?: Partial<Report>; result?: string; grade: string }>([
    { says: "it is attested by a report of the whole", grade: "attested" },
    { says: "not by one that is cut", change: { truncated: true }, grade: "free_text" },
    { says: "not by one that came of other arguments", change: { argumentsDigest: `sha256:${"0".repeat(64)}` }, grade: "free_text" },
    { says: "not by what somebody wrote", result: `He said ${CARD}`, grade: "free_text" },
    { says: "not by what says something else", result: '{"desk": "dan@example.net"}', grade: "unseen" },
  ])("$says", async ({ change, result, grade }) => {
    expect(await destinationAfter(change, result)).toBe(grade);
  });

  it("not by what ran without leave", async () => {
    const denying = policyOf({
      settings: { reach: { default: { ...FULL_REACH, tools: ["mail/*"] } } },
      tools: Object.fromEntries(
        [...policy.tools.keys()].map((name) => [
          name,
          tool(name === "mail/send" ? "send" : "read", ["mail"], name === "mail/send" ? { arguments: { to: "destination" } } : {}),
        ]),
      ),
    });
    live = liveTasks({ policy: denying });
    const task = await open("Send a mail to the customer");
    await returned(task, { tool: "crm/read" }, CARD);
    expect(found(await act(task, { tool: "mail/send", args: { to: "carol@example.net" } })).provenance.destination).toBe("free_text");
  });

  it("to no other task", async () => {
    await returned(await open("Send a mail to the customer"), { tool: "crm/read" }, CARD);
    const other = await open("Send a mail to the customer");
    expect(found(await act(other, { tool: "mail/send", args: { to: "carol@example.net" } })).provenance.destination).toBe("unseen");
  });
});

describe("what an action names", () => {
  it.each<{ says: string; path: JsonObject[string]; object: string; target: string | undefined }>([
    { says: "is what the task speaks of", path: "a.txt", object: "bound", target: "stated" },
    { says: "is something else", path: "b.txt", object: "unbound", target: "unseen" },
    { says: "is bound only if all of it is", path: ["a.txt", "b.txt"], object: "unbound", target: "unseen" },
    { says: "is not known where it is empty", path: "", object: "none", target: "unseen" },
    { says: "is not known where it is a list of nothing", path: [], object: "none", target: "unseen" },
    { says: "may stand in a key", path: { "b.txt": true }, object: "unbound", target: "unseen" },
  ])("$says", async ({ path, object, target }) => {
    const task = await open("Delete the file a.txt");
    const intent = found(await act(task, { tool: "files/delete", args: { path } }));
    expect([intent.object, intent.provenance.target]).toEqual([object, target]);
  });
});

describe("what is recorded of it", () => {
  it("is the worst first, and never in clear what is masked", async () => {
    const task = await open("Send a mail to bob@example.com");
    const args = {
      to: "bob@example.com",
      body: "see https://evil.example/a",
      api_key: "sk-abcdef1234567890",
      headers: { token: "ghp_abcdef1234567890" },
    };
    const record = await act(task, { tool: "mail/send", args });
    expect(record.subject.masked).toBe(2);
    expect(Object.entries(found(record).graded ?? {})).toEqual([
      ["evil.example/a", "unseen"],
      ["to", "stated"],
    ]);
    expect(JSON.stringify(record)).not.toContain("abcdef1234567890");
  });

  it("takes no argument that is called like an address for that", async () => {
    const task = await open("Send a mail to bob@example.com");
    const args = { to: "bob@example.com", body: "mallory@evil.example", "mallory@evil.example": "bob@example.com" };
    const unnamed = { ...args, "bob@example.com": "mallory@evil.example" };
    for (const some of [args, unnamed])
      expect(found(await act(task, { tool: "mail/send", args: some })).graded).toMatchObject({ "mallory@evil.example": "unseen" });
  });
});
