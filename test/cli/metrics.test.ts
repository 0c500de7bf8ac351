import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, runServer } from "../running-server.ts";
import { run } from "./running-command.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await runServer({ http: "127.0.0.1:0" });
});
afterAll(() => server.close());

const asking = (...more: readonly string[]) => run(["metrics", "--data", server.data, "--http", server.http ?? "", ...more]);

/** Something else that listens on a port of HTTP. */
async function elsewhere<T>(answer: RequestListener, use: (address: string) => Promise<T>): Promise<T> {
  const other = createServer(answer);
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const bound = other.address();
  try {
    return await use(`127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`);
  } finally {
    other.closeAllConnections();
    other.close();
  }
}

describe("metrics", () => {
  it("are printed as the server tells them", async () => {
    const { code, stdout, stderr } = await asking();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("\n# TYPE behest_decision_duration_seconds histogram\n");
  });

  it("are for auditors and operators alone", async () => {
    expect(await asking("--token-file", join(server.data, "operator.token"))).toMatchObject({ code: 0 });
    expect(await asking("--token-file", join(server.data, "enforcer.token"))).toEqual({
      code: 7,
      stdout: "",
      stderr: "behest: `GET /metrics` needs the role `auditor` or `operator`; `local-enforcer` has `enforcer`\n",
    });
  });

  it("come from nobody who does not listen", async () => {
    const address = await elsewhere(
      () => undefined,
      async (one) => one,
    );
    const { code, stdout, stderr } = await run(["metrics", "--data", server.data, "--http", address]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
    expect(stderr).toMatch(
      /^behest: no server answers over HTTP \(connect ECONNREFUSED .*\); start one with `.*serve`, or name another with --http\n$/,
    );
  });

  it.each<{ says: string; answer: RequestListener; told: RegExp }>([
    {
      says: "answers something else",
      answer: (_, response) => response.writeHead(500).end("<h1>no</h1>"),
      told: /^behest: `127.*` answers with 500\n$/,
    },
    {
      says: "sends the token on to somebody else",
      answer: (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/metrics" }).end(),
      told: /^behest: no server answers over HTTP \(.*redirect.*\)/,
    },
  ])("do not come from what $says", async ({ answer, told }) => {
    const { code, stdout, stderr } = await elsewhere(answer, (address) => run(["metrics", "--data", server.data, "--http", address]));
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
    expect(stderr).toMatch(told);
  });

  it("are nowhere where HTTP is off", async () => {
    expect(await run(["metrics", "--data", server.data, "--http", "off"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "behest: HTTP is `off`; name the server with --http HOST:PORT\n",
    });
  });
});
