import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { serveHttp } from "../../src/endpoints/http/server.ts";
import { type RunningServer, runServer } from "../running-server.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await runServer({ http: "127.0.0.1:0" });
});
afterAll(() => server.close());

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** Whatever is asked, exactly as it is written. */
function ask(path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answered> {
  const [host, port] = (server.http ?? "").split(":");
  return new Promise((resolve, reject) => {
    const sent = Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]] as const);
    const request = httpRequest({ host, port, path, method, headers: Object.fromEntries(sent), agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const auditor = () => bearer(server.token("auditor"));

describe("the address of HTTP", () => {
  it.each<{ says: string; flags: Readonly<Record<string, string>>; http: string }>([
    { says: "is the default where nobody says anything", flags: {}, http: "127.0.0.1:7081" },
    { says: "stays the default beside another port of gRPC", flags: { grpc: "127.0.0.1:9000" }, http: "127.0.0.1:7081" },
    { says: "is a free one where gRPC's is, so that several servers do not meet", flags: { grpc: "127.0.0.1:0" }, http: "127.0.0.1:0" },
    { says: "is what somebody says", flags: { grpc: "127.0.0.1:0", http: "[::1]:7081" }, http: "[::1]:7081" },
    { says: "is nowhere where somebody says so", flags: { http: "off" }, http: "off" },
  ])("$says", ({ flags, http }) => {
    expect(readConfig({ flags, environment: {} }).http).toBe(http);
  });

  it.each(["0.0.0.0:7081", "example.com:7081", "127.0.0.1", "127.0.0.1:70810", "none", ""])("is never `%s`", (http) => {
    expect(() => readConfig({ flags: { http }, environment: {} })).toThrow("--http: expected `off`, or HOST:PORT with a loopback host");
  });
});

describe("over HTTP", () => {
  it.each(["auditor", "operator"] as const)("an %s reads the metrics", async (role) => {
    const { status, body } = await ask("/metrics", { headers: bearer(server.token(role)) });
    expect({ status, body }).toEqual({ status: 200, body: expect.stringContaining("\nbehest_decisions_total{") });
  });

  const UNKNOWN = { code: "CALLER_UNAUTHENTICATED", message: "the token is not known; the tokens of this server lie in its data directory" };
  const NONE = {
    code: "CALLER_UNAUTHENTICATED",
    message: "send one `authorization: Bearer TOKEN` header; the tokens lie in the data directory",
  };
  it.each<{ says: string; asked: () => Asked; path?: string; status: number; error: unknown; headers?: object }>([
    { says: "who sends no token", asked: () => ({}), status: 401, error: NONE, headers: { "www-authenticate": "Bearer" } },
    { says: "who sends another kind of token", asked: () => ({ headers: { authorization: "Basic YTpi" } }), status: 401, error: NONE },
    { says: "who sends a token that is not known", asked: () => ({ headers: bearer("behest.auditor.x") }), status: 401, error: UNKNOWN },
    {
      says: "who sends two tokens",
      asked: () => ({ headers: { authorization: [`Bearer ${server.token("auditor")}`, `Bearer ${server.token("operator")}`] } }),
      status: 401,
      error: NONE,
    },
    {
      says: "who has another role",
      asked: () => ({ headers: bearer(server.token("enforcer")) }),
      status: 403,
      error: { code: "CALLER_FORBIDDEN", message: "`GET /metrics` needs the role `auditor` or `operator`; `local-enforcer` has `enforcer`" },
    },
    {
      says: "who wants to write",
      asked: () => ({ method: "POST", headers: auditor(), body: "x" }),
      status: 405,
      error: { code: "METHOD_UNKNOWN", message: "this can only be read: ask with GET" },
      headers: { allow: "GET, HEAD", connection: "close" },
    },
    ...["/", "/metrics/", "/Metrics", "/__proto__", "/..%2fmetrics", "*"].map((path) => ({
      says: `who asks for ${path}`,
      path,
      asked: () => ({ headers: auditor() }),
      status: 404,
      error: { code: "PATH_UNKNOWN", message: "nothing is here; there is `GET /metrics`" },
    })),
  ])("tells $says what to do", async ({ asked, path = "/metrics", status, error, headers }) => {
    const answer = await ask(path, asked());
    expect({ status: answer.status, error: JSON.parse(answer.body) }).toEqual({ status, error: { error } });
    expect(answer.headers).toMatchObject({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers });
  });

  it("answers HEAD without a body", async () => {
    const { status, headers, body } = await ask("/metrics", { method: "HEAD", headers: auditor() });
    expect({ status, body }).toEqual({ status: 200, body: "" });
    expect(Number(headers["content-length"])).toBeGreaterThan(1_000);
  });

  it("reads no more of a header than 8 KiB", async () => {
    expect((await ask("/metrics", { headers: { ...auditor(), "x-long": "x".repeat(9_000) } })).status).toBe(431);
  });

  it("does not keep a connection on which nothing is said", async () => {
    const [host, port] = (server.http ?? "").split(":");
    const socket = connect(Number(port), host);
    const closed = Promise.withResolvers<string>();
    socket.on("data", () => undefined).on("close", () => closed.resolve("closed"));
    expect(await Promise.race([closed.promise, setTimeout(20_000, "kept")])).toBe("closed");
  });

  it("shuts down with a client that does not read", async () => {
    const unread = Promise.withResolvers<string>();
    const other = await serveHttp({
      address: "127.0.0.1:0",
      authenticate: () => ({ tenant: "default", id: "somebody", roles: ["auditor"] }),
      metrics: { contentType: "text/plain", text: () => unread.promise },
      onInternalError: () => undefined,
    });
    const [host, port] = other.address.split(":");
    const socket = connect(Number(port), host);
    const closed = new Promise((resolve) => socket.on("error", () => undefined).on("close", resolve));
    socket.write("GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\r\n");
    await setTimeout(50);
    await other.close(100);
    await closed;
    unread.resolve("");
  });

  it("says nothing of what went wrong inside", async () => {
    const told: unknown[] = [];
    const broken = await serveHttp({
      address: "127.0.0.1:0",
      authenticate: () => ({ tenant: "default", id: "somebody", roles: ["auditor"] }),
      metrics: { contentType: "text/plain", text: () => Promise.reject(new Error("the secret of the house")) },
      onInternalError: (error) => told.push(error),
    });
    const answer = await fetch(`http://${broken.address}/metrics`, { headers: { authorization: "Bearer x" } });
    const body = await answer.text();
    await broken.close(100);
    expect({ status: answer.status, told: told.length, isTold: body.includes("secret") }).toEqual({ status: 500, told: 1, isTold: false });
  });
});
