import { createHmac } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { readWebhookSecret, signedHeaders } from "../../src/webhooks/signing.ts";
import { openWebhooks, type Webhooks } from "../../src/webhooks/webhooks.ts";
import { runAskingServer } from "../endpoints/asking-server.ts";
import { actionOf, requestOf } from "../endpoints/raw-calls.ts";
import { runServer, temporaryDirectory } from "../running-server.ts";
import { answer, asking, decideOn, longTask, use, wire } from "../storage/askings.ts";
import { type OpenedStorage, openMemory, openSqlite } from "../storage/storages.ts";
import { openReceiver, type Reaction, type Received, type Receiver } from "./receiver.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let receiver: Receiver;
let storage: OpenedStorage;
let webhooks: Webhooks | undefined;
let told: string[];
beforeEach(async () => {
  directory = temporaryDirectory();
  receiver = await openReceiver();
  storage = await openMemory();
  told = [];
});
afterEach(async () => {
  await webhooks?.close();
  webhooks = undefined;
  await receiver.close();
  await storage.close();
  directory.remove();
});

const file = (name: string): string => join(directory.path, name);

async function start({ timeoutMs = 10_000, url = receiver.url } = {}): Promise<void> {
  webhooks = await openWebhooks({
    ledger: storage.ledger,
    url,
    secretPath: file("webhook.secret"),
    cursorPath: file("webhook.cursor"),
    clock: storage.clock,
    random: () => 0.5,
    timeoutMs,
    retryMs: { first: 1, most: 8 },
    log: { told: (what) => told.push(what), failing: (why) => told.push(why) },
  });
}

async function stop(): Promise<void> {
  await webhooks?.close();
  webhooks = undefined;
}

const typeOf = ({ body }: Received): string => JSON.parse(body).type;
const idOf = ({ headers }: Received): unknown => headers["webhook-id"];
/** Of the events about approvals, in the ledger's order. */
const eventIds = async (): Promise<readonly string[]> =>
  (await storage.ledger.approvalEvents({ after: 0, limit: 1_000 })).events.map(({ event }) => event.id);
const ask = async (amount = 10) => asking(storage, wire({}, amount));

describe("a webhook", () => {
  it("tells that an approval was requested, answered, used and ended, with what names it and nothing of what it would do", async () => {
    await start();
    const task = await longTask(storage);
    const used = await asking(storage, wire({ task: { id: task } }));
    await answer(storage, used);
    const { id: decision } = await use(storage, used);
    const revoked = await asking(storage, wire({ task: { id: task } }, 20));
    await answer(storage, revoked, { verdict: "revoke" });
    await receiver.has(5);
    expect(receiver.received.map(typeOf)).toEqual([
      ...["approval.requested", "approval.answered", "approval.used"],
      ...["approval.requested", "approval.ended"],
    ]);
    const bodies = receiver.received.map(({ body }) => JSON.parse(body));
    const summary = {
      approval_id: used.id,
      kind: "action",
      tenant: "default",
      caller: "gateway",
      agent: "bot",
      principal: "user:alice",
      task_id: task,
      root_task_id: task,
      tool: "wire",
      effect: "pay",
      decision_id: expect.any(String),
      score: 0,
      holds: [{ name: "wire-is-asked-about", approvers: ["user:ann", "user:ben"], quorum: 1 }],
      asked_at: "2026-01-05T09:00:00.000Z",
      expires_at: "2026-01-06T15:00:00.000Z",
    };
    expect(bodies[0]).toEqual({ type: "approval.requested", timestamp: "2026-01-05T09:00:00.000Z", data: { ...summary, state: "pending" } });
    expect(bodies[1].data).toEqual({ ...summary, state: "approved", answered_by: "user:ann", verdict: "approve" });
    expect(bodies[2].data).toEqual({ ...summary, state: "consumed", used_by: decision });
    expect(bodies[4].data).toMatchObject({ approval_id: revoked.id, state: "cancelled", ended_by: "user:ann" });
    for (const { body } of receiver.received)
      for (const secret of ["bob@example.com", "for the flat", "I looked at it", "invoices"]) expect(body).not.toContain(secret);
  });

  it("is signed as receivers of Standard Webhooks verify it", async () => {
    await start();
    await ask();
    await receiver.has(1);
    const { headers, body }: Pick<Received, "headers" | "body"> = receiver.received[0] ?? { headers: {}, body: "" };
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "webhook-id": (await eventIds())[0],
      "webhook-timestamp": String(storage.clock.now() / 1_000),
    });
    const key = Buffer.from(readFileSync(file("webhook.secret"), "utf8").trim().slice("whsec_".length), "base64");
    const over = (text: string): string =>
      `v1,${createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`).digest("base64")}`;
    expect(headers["webhook-signature"]).toBe(over(body));
    expect(headers["webhook-signature"]).not.toBe(over(`${body} `));
    // The example that libraries of Standard Webhooks are tested with.
    const example = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signedHeaders(Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64"), example)["webhook-signature"]).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  it.each<{ says: string; reactions: readonly Reaction[]; why: string; timeoutMs?: number }>([
    { says: "answers 500", reactions: [500, 503], why: "it answered 500" },
    { says: "answers that it is somewhere else", reactions: [{ redirectTo: "/elsewhere" }], why: "it answered 307" },
    { says: "does not answer in time", reactions: ["hang", "hang"], why: "it did not answer in time", timeoutMs: 50 },
  ])("is told again, with the same id and before those behind it, to a receiver that $says", async ({ reactions, why, timeoutMs }) => {
    await start({ ...(timeoutMs !== undefined && { timeoutMs }) });
    receiver.reacts(204, ...reactions);
    for (const amount of [1, 2, 3]) await ask(amount);
    await receiver.has(3 + reactions.length);
    const [first, second, third] = await eventIds();
    expect(receiver.received.map(idOf)).toEqual([first, ...reactions.map(() => second), second, third]);
    expect(new Set(receiver.received.map(({ path }) => path))).toEqual(new Set(["/hooks/behest"]));
    await ask(4);
    await receiver.has(4 + reactions.length);
    const { origin } = new URL(receiver.url);
    expect(told.slice(1)).toEqual([`${origin} cannot be told of approvals: ${why}; tried again until it can`, `${origin} takes webhooks again`]);
  });

  it("waits for a receiver that is not there, and never says more of its address than where it is", async () => {
    const { port } = new URL(receiver.url);
    await receiver.close();
    await start();
    await ask(1);
    await until(() => told.length > 1);
    expect(told[1]).toBe(`http://127.0.0.1:${port} cannot be told of approvals: ECONNREFUSED; tried again until it can`);
    receiver = await openReceiver(Number(port));
    await receiver.has(1);
    expect(receiver.received.map(idOf)).toEqual(await eventIds());
  });

  it("holds up nothing but those behind it", async () => {
    await start({ timeoutMs: 3_600_000 });
    receiver.reacts("hang");
    await ask(1);
    await receiver.has(1);
    const records = await Promise.all(
      Array.from({ length: 20 }, () => decideOn(storage, { agent: { id: "bot" }, action: { tool: "read", arguments: {} } })),
    );
    expect(records.map(({ judgement }) => judgement.outcome)).toEqual(Array(20).fill("ALLOW"));
    await ask(2);
    // The receiver still hangs: nothing else was told, and stopping does not wait for it.
    expect(receiver.received).toHaveLength(1);
    await stop();
    await start();
    await receiver.has(3);
    const [first, second] = await eventIds();
    expect(receiver.received.map(idOf)).toEqual([first, first, second]);
  });
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("where webhooks go on", () => {
  it("is the next event when they are first told of a receiver", async () => {
    await ask(1);
    await start();
    expect(told).toEqual([`approvals are told to ${new URL(receiver.url).origin} from event 4 of the ledger on, and nothing earlier`]);
    await ask(2);
    await receiver.has(1);
    expect(receiver.received.map(idOf)).toEqual((await eventIds()).slice(1));
  });

  it("is after a restart what the receiver did not take, with the same ids, and what happened meanwhile", async () => {
    storage = await openSqlite({ path: file("behest.db"), clock: storage.clock });
    await start();
    receiver.reacts(204, 500, 500, 500, 500, 500, 500, 500, 500, 500);
    for (const amount of [1, 2]) await ask(amount);
    await receiver.has(2);
    await stop();
    await ask(3);
    await storage.close();
    storage = await openSqlite({ path: file("behest.db"), clock: storage.clock });
    await start();
    const ids = await eventIds();
    await until(() => receiver.received.some((one) => idOf(one) === ids[2]));
    const seen = receiver.received.map(idOf);
    expect([...new Set(seen)]).toEqual(ids);
    expect(seen.filter((id) => id === ids[1]).length).toBeGreaterThan(1);
    expect(seen.filter((id) => id === ids[0])).toHaveLength(1);
  });

  it("is where it was when a crash lost that something was delivered: it is delivered again", async () => {
    await start();
    copyFileSync(file("webhook.cursor"), file("before"));
    await ask(1);
    await receiver.has(1);
    await stop();
    copyFileSync(file("before"), file("webhook.cursor"));
    await start();
    await receiver.has(2);
    const [only] = await eventIds();
    expect(receiver.received.map(idOf)).toEqual([only, only]);
  });

  it("is the end of a ledger that is older than what was delivered, and the log says so", async () => {
    writeFileSync(file("webhook.cursor"), '{"after":99}\n');
    await ask(1);
    await start();
    expect(told[0]).toContain(
      "from event 4 of the ledger on, and nothing earlier; the ledger is an older one than that of which event 99 was delivered",
    );
    await ask(2);
    await receiver.has(1);
    expect(receiver.received.map(idOf)).toEqual((await eventIds()).slice(1));
  });

  it.each(["", "7", '{"after":-1}\n', '{"after":1'])("is refused to be guessed from a file that holds `%s`", async (text) => {
    writeFileSync(file("webhook.cursor"), text);
    await expect(start()).rejects.toThrow("does not hold the number of an event; remove it to deliver from the next event on");
  });

  it("is kept in memory where it cannot be written, so that nothing is told over and over", async () => {
    await start();
    // No draft can be made where a directory stands.
    mkdirSync(file("webhook.cursor.draft"));
    await ask(1);
    await until(() => told.length > 1);
    await ask(2);
    await receiver.has(2);
    rmdirSync(file("webhook.cursor.draft"));
    await ask(3);
    await receiver.has(3);
    expect(receiver.received.map(idOf)).toEqual(await eventIds());
  });
});

describe("the secret of webhooks", () => {
  it("is made once, for its owner's eyes only, and kept", () => {
    const key = readWebhookSecret(file("webhook.secret"));
    expect(key).toHaveLength(32);
    expect(readFileSync(file("webhook.secret"), "utf8")).toBe(`whsec_${key.toString("base64")}\n`);
    expect(statSync(file("webhook.secret")).mode & 0o777).toBe(0o600);
    expect(readWebhookSecret(file("webhook.secret"))).toEqual(key);
  });

  it.each(["", "whsec_", "whsec_c2hvcnQ=", `whsec_${"!".repeat(44)}`, "a".repeat(64)])("is refused if it is `%s`", (text) => {
    writeFileSync(file("webhook.secret"), text);
    expect(() => readWebhookSecret(file("webhook.secret"))).toThrow("does not hold `whsec_` and 24 bytes or more in base64; restore it");
  });
});

describe("`webhook_url`", () => {
  const read = (url: string) => readConfig({ flags: { webhook_url: url }, environment: {} }).webhook_url;

  it.each(["", "https://hooks.example/behest?team=a", "http://127.0.0.1:8080/hook", "http://localhost/hook", "http://[::1]:9/hook"])(
    "may be `%s`",
    (url) => {
      expect(read(url)).toBe(url);
    },
  );

  it.each([
    "http://hooks.example/behest",
    "http://127.0.0.1.example/hook",
    "ftp://127.0.0.1/hook",
    "https://user:password@hooks.example/",
    "https://hooks.example/#part",
    "hooks.example",
  ])("may not be `%s`", (url) => {
    expect(() => read(url)).toThrow("expected an https URL, or an http one of this machine, without a user, a password and a fragment");
  });
});

describe("the server", () => {
  it("tells whom its configuration names, and makes no secret where that is nobody", async () => {
    const quiet = await runServer();
    expect(existsSync(join(quiet.data, "webhook.secret"))).toBe(false);
    await quiet.close();
    const server = await runAskingServer({ webhook_url: receiver.url });
    const id = await server.asking(requestOf({ action: actionOf({ tool: "write" }) }));
    await server.yes(id);
    await receiver.has(2);
    expect(receiver.received.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: "approval.requested", data: { approval_id: id, tool: "write", state: "pending" } },
      { type: "approval.answered", data: { approval_id: id, tool: "write", state: "approved" } },
    ]);
    expect(statSync(join(server.data, "webhook.cursor")).mode & 0o777).toBe(0o600);
    await server.close();
  });
});
