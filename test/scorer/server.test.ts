import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config.ts";
import { DATABASE_FILE } from "../../src/data-directory.ts";
import { DecideRequestSchema, type DecideResponse } from "../../src/gen/behest/v1/decision_pb.ts";
import { outcomeOf } from "../endpoints/raw-calls.ts";
import { FULL_REACH, filesOf } from "../policies.ts";
import { contradictionsIn } from "../reload/rederive.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { lookOutside } from "../storage/storages.ts";
import { GOOD, openStubScorer, type StubScorer } from "./stub-scorer.ts";

const EVERYTHING = { "*": "allow", unknown: "allow" };
const FILES = filesOf({
  settings: { reach: { default: FULL_REACH }, basis: { AUTHORIZED: EVERYTHING, INFERRED: EVERYTHING, AVAILABLE: EVERYTHING } },
  tools: {
    read: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    pay: { effect: "pay", reversibility: "irreversible", arguments: { to: "destination" }, output: { trust: "trusted" } },
  },
  rules: [
    {
      name: "far-from-the-task",
      conditions: {
        all: [
          { fact: "action.effect", operator: "in", value: ["pay", "unknown"] },
          { fact: "scorer.risk", operator: "greaterThanInclusive", value: 60 },
        ],
      },
      event: { type: "require-approval", params: { reason: "far from the task", controls: ["owasp:ASI01"] } },
    },
  ],
});

let stub: StubScorer;
let directory: ReturnType<typeof temporaryDirectory>;
let server: RunningServer | undefined;
beforeEach(async () => {
  stub = await openStubScorer();
  directory = temporaryDirectory();
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(directory.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  stub.close();
  directory.remove();
});

async function serve(settings: Partial<Config> = {}): Promise<RunningServer> {
  server = await runServer({ rules: directory.path, scorer_url: stub.url, scorer_deadline_ms: 20_000, ...settings });
  return server;
}

const requestOf = (tool: string, statement = "pay the invoices of May") =>
  create(DecideRequestSchema, {
    agent: { id: "bot" },
    task: { statement },
    session: statement,
    action: { tool, argumentsForm: { case: "argumentsJson", value: '{"to":"DE89","password":"hunter2"}' } },
  });

const recorded = (data: string): readonly { readonly tool: string; readonly risk: number | null }[] =>
  lookOutside(join(data, DATABASE_FILE), (db) =>
    db
      .prepare<[], { tool: string; risk: number | null }>("SELECT tool, record ->> '$.subject.scorer.risk' AS risk FROM decisions ORDER BY seq")
      .all(),
  );
const outcomesOf = (answers: readonly DecideResponse[]) => answers.map(outcomeOf);

describe("a server with a scorer", () => {
  it("decides by its answers, records them, and each decision is made again from its row", async () => {
    const { client, data } = await serve();
    stub.reacts(GOOD, { ...GOOD, risk: 90 });
    const enforcer = client("enforcer");
    const answers = [await enforcer.decide(requestOf("pay")), await enforcer.decide(requestOf("pay", "water the plants"))];
    expect(outcomesOf(answers)).toEqual(["ALLOW", "REQUIRE_APPROVAL"]);
    expect(recorded(data)).toEqual([
      { tool: "pay", risk: 10 },
      { tool: "pay", risk: 90 },
    ]);
    expect(contradictionsIn(join(data, DATABASE_FILE))).toEqual([]);
    expect(stub.asked.map(({ argumentsJson }) => argumentsJson).join()).not.toContain("hunter2");
  });

  it("explains by the same answers, without asking again and without recording", async () => {
    const { client, data } = await serve();
    stub.reacts({ ...GOOD, risk: 90 });
    const { decision } = await client("auditor").explain(requestOf("pay"), { caller: "local-enforcer" });
    expect(decision && outcomesOf([decision])).toEqual(["REQUIRE_APPROVAL"]);
    expect(recorded(data)).toEqual([]);
    expect(outcomesOf([await client("enforcer").decide(requestOf("pay"))])).toEqual(["REQUIRE_APPROVAL"]);
    expect(stub.asked).toHaveLength(1);
  });

  it("decides a batch in its order, whoever is answered first", async () => {
    const { client, data } = await serve();
    stub.reacts("hang", "hang");
    const deciding = client("enforcer").decideBatch([requestOf("pay"), requestOf("read")]);
    await stub.has(2);
    stub.release({ order: "backwards" });
    await deciding;
    expect(recorded(data).map(({ tool }) => tool)).toEqual(["pay", "read"]);
  });

  it("decides a stream in its order, whoever is answered first", async () => {
    const { client, data } = await serve();
    stub.reacts("hang", "hang");
    const stream = client("enforcer").decideStream();
    const deciding = [stream.decide(requestOf("pay")), stream.decide(requestOf("read"))];
    await stub.has(2);
    stub.release({ order: "backwards" });
    await Promise.all(deciding);
    await stream.end();
    expect(recorded(data).map(({ tool }) => tool)).toEqual(["pay", "read"]);
  });

  it("begins, and asks people, while nobody is there to answer; and says so once", async () => {
    stub.close();
    const { client, data, log } = await serve({ scorer_failures_max: 2 });
    const answers: DecideResponse[] = [];
    for (const tool of ["pay", "read", "pay", "read"]) answers.push(await client("enforcer").decide(requestOf(tool)));
    expect(outcomesOf(answers)).toEqual(["REQUIRE_APPROVAL", "ALLOW", "REQUIRE_APPROVAL", "ALLOW"]);
    expect(recorded(data).map(({ risk }) => risk)).toEqual([null, null, null, null]);
    expect(log.filter((line) => line.includes("the scorer")).map((line) => JSON.parse(line).level)).toEqual([40]);
  });
});
