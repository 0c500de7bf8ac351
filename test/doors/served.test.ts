import { createServer } from "node:net";
import { status as Code } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BehestClient, type CallFailed, createClient } from "../../src/client/client.ts";
import { SuspensionKind } from "../../src/gen/behest/v1/control_pb.ts";
import { begin } from "../cli/running-command.ts";
import { type HostileServer, outcomeOf, readRows, requestOf, runHostileServer } from "../endpoints/raw-calls.ts";
import { runServer, temporaryDirectory } from "../running-server.ts";

let server: HostileServer;
const clients: BehestClient[] = [];
beforeAll(async () => {
  server = await runHostileServer({ workers: 2 });
  // The system picks the door for each connection: that one of so many gets all comes once in 30,000 times.
  for (let count = 0; count < 16; count++)
    clients.push(createClient({ address: server.address, token: server.token("enforcer"), timeoutMs: 20_000 }));
});
afterAll(async () => {
  for (const client of clients) client.close();
  await server.close();
});

const outcomesOf = (agent: string): Promise<readonly string[]> =>
  Promise.all(clients.map(async (client) => outcomeOf(await client.decide(requestOf({ agent: { id: agent } })))));

describe("doors", () => {
  it("see at once what was suspended through one of them, because none of them decides", async () => {
    const operator = server.client("operator");
    for (let time = 0; time < 10; time++) {
      const agent = `suspect-${time}`;
      expect(new Set(await outcomesOf(agent))).toEqual(new Set(["ALLOW"]));
      const { suspension } = await operator.suspend({ kind: SuspensionKind.AGENT, value: agent, reason: "seen doing harm" });
      expect(new Set(await outcomesOf(agent))).toEqual(new Set(["DENY"]));
      await operator.resume(suspension?.suspensionId ?? "none");
      expect(new Set(await outcomesOf(agent))).toEqual(new Set(["ALLOW"]));
    }
  });

  it("share one memory of request ids: what one of them has answered, another answers again", async () => {
    const request = requestOf({ agent: { id: "twin" }, requestId: "the-same" });
    const answers = await Promise.all(clients.map((client) => client.decide(request)));
    expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(server.rows("SELECT count(*) AS n FROM decisions WHERE agent = 'twin'")).toEqual([{ n: 1 }]);
  });

  it("tell whether decisions are made, and have each decision logged once", async () => {
    expect(await Promise.all(clients.map((client) => client.isServing()))).toEqual(clients.map(() => true));
    const { decisionId } = await server.decide(requestOf({ agent: { id: "logged" } }));
    expect(server.log.filter((line) => line.includes(decisionId)).map((line) => JSON.parse(line).msg)).toEqual(["decided"]);
  });

  it("answer with what they are asked, whatever a request holds", async () => {
    const text = '{"constructor":"b","deep":[[{"\\u2028":"\\ud83d\\ude00"}]],"zero":-0,"big":9007199254740991}';
    const request = requestOf({
      agent: { id: "odd" },
      action: { tool: "filesystem/read_text_file", argumentsForm: { case: "argumentsJson", value: text } },
    });
    const through = await server.decide(request);
    const alone = await runServer();
    try {
      const direct = await alone.client("enforcer").decide(request);
      const unlike = { decisionId: "", taskId: "", decidedAt: undefined, validUntil: undefined };
      expect({ ...through, ...unlike }).toEqual({ ...direct, ...unlike });
    } finally {
      await alone.close();
    }
  });
});

it("doors answer everything that is under way when the server stops, and refuse the rest so that it can be asked again", async () => {
  const directory = temporaryDirectory();
  const stopping = await runServer({ workers: 2, data: directory.path });
  const callers = Array.from({ length: 8 }, () => createClient({ address: stopping.address, token: stopping.token("enforcer"), timeoutMs: 20_000 }));
  const answered = new Set<string>();
  const codes = new Set<Code>();
  let isOver = false;
  const ask = async (client: BehestClient): Promise<void> => {
    while (!isOver) {
      await client.decide(requestOf({ agent: { id: "hurried" } })).then(
        ({ decisionId }) => answered.add(decisionId),
        ({ code }: CallFailed) => codes.add(code),
      );
    }
  };
  const asking = callers.flatMap((client) => [ask(client), ask(client), ask(client)]);
  await expect.poll(() => answered.size, { timeout: 20_000 }).toBeGreaterThan(100);
  await stopping.close();
  isOver = true;
  for (const client of callers) client.close();
  await Promise.all(asking);
  const recorded = readRows(directory.path, "SELECT decision_id AS id FROM decisions").map(({ id }) => String(id));
  expect(recorded.filter((id) => !answered.has(id))).toEqual([]);
  expect([...codes].filter((code) => code !== Code.UNAVAILABLE)).toEqual([]);
  directory.remove();
});

describe("an address", () => {
  it("that somebody else listens on is refused, and not shared with them", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen({ port: 0, host: "127.0.0.1", reusePort: true }, () => {
        const bound = other.address();
        resolve(typeof bound === "object" && bound ? bound.port : 0);
      }),
    );
    try {
      await expect(runServer({ workers: 1, grpc: `127.0.0.1:${port}` })).rejects.toThrow(
        new RegExp(`^gRPC cannot be served on \`127\\.0\\.0\\.1:${port}\`: listen EADDRINUSE.*; choose another address with --grpc$`),
      );
    } finally {
      other.close();
    }
  });

  it("that the doors of another server share is refused as well", async () => {
    await expect(runServer({ workers: 1, grpc: server.address })).rejects.toThrow(/EADDRINUSE/);
  });
});

it("`behest serve --workers 2` serves, and ends with 0 when it is told to", async () => {
  const directory = temporaryDirectory();
  const { child, said, ended } = begin(["serve", "--data", `${directory.path}/state`, "--grpc", "127.0.0.1:0", "--workers", "2"]);
  try {
    await expect.poll(() => said.stdout, { timeout: 30_000 }).toMatch(/"ready":true/);
    const client = createClient({ address: JSON.parse(said.stdout).grpc, timeoutMs: 20_000 });
    expect(await client.isServing()).toBe(true);
    client.close();
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  } finally {
    child.kill("SIGKILL");
    directory.remove();
  }
});
