import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SuspensionKind } from "../../src/gen/behest/v1/control_pb.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { type AskingServer, runAskingServer, writing } from "./asking-server.ts";
import { ACCEPTED, actionOf, addToken, malformed, outcomeOf, type Refusal, requestOf, rewriteTokens, tooBig } from "./raw-calls.ts";
import { framed, itemOf, openByteStream, openRawStream, type RawStream } from "./raw-stream.ts";

const LONG_MS = 50_000;
const REQUEST_BYTES_MAX = 256 * 1_024;

let server: AskingServer;
beforeAll(async () => {
  server = await runAskingServer();
});
afterAll(() => server.close());

const opened: RawStream[] = [];
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.cancel();
  expect(outcomeOf(await server.decideAsOther(reading("bystander")))).toBe("ALLOW");
});

function open(from: AskingServer = server, token = from.token("enforcer")): RawStream {
  const stream = openRawStream(from.address, token);
  opened.push(stream);
  return stream;
}

/** A read that is allowed. */
const reading = (agent: string, fields: { readonly requestId?: string } = {}): wire.DecideRequest =>
  requestOf({ agent: { id: agent }, action: actionOf({ tool: "read" }), ...fields });

const outcomesFor = (agent: string, { rows }: Pick<AskingServer, "rows"> = server): readonly unknown[] =>
  rows(`SELECT outcome FROM decisions WHERE agent = '${agent}' ORDER BY seq`).map(({ outcome }) => outcome);
const toolsFor = (agent: string): readonly unknown[] =>
  server.rows(`SELECT tool FROM decisions WHERE agent = '${agent}' ORDER BY seq`).map(({ tool }) => tool);

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const field = (number: number, bytes: Uint8Array): Uint8Array => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
const text = (number: number, value: string): Uint8Array => field(number, Buffer.from(value));

describe("a stream of decisions", () => {
  it("answers each item under its name, and ends when the caller has ended its half and everything is answered", async () => {
    const stream = open();
    stream.send("reads", reading("asker"));
    stream.send("writes", writing({ agent: { id: "asker" } }));
    stream.send("unknown", requestOf({ agent: { id: "asker" }, action: actionOf({ tool: "nobody/knows_this" }) }));
    stream.endHalf();
    expect(await stream.ended).toEqual(ACCEPTED);
    const byName = Object.fromEntries(stream.answers.map(({ name, answer }) => [name, answer]));
    expect(byName).toEqual({ reads: "ALLOW", writes: "REQUIRE_APPROVAL", unknown: "DENY" });
  });

  it("takes the turns in the order of the items", async () => {
    const stream = open();
    const names = Array.from({ length: 600 }, (_, index) => `tool-${index}`);
    for (const tool of names) stream.send(tool, requestOf({ agent: { id: "orderly" }, action: actionOf({ tool }) }));
    stream.endHalf();
    expect(await stream.ended).toEqual(ACCEPTED);
    expect(stream.answers).toHaveLength(600);
    expect(toolsFor("orderly")).toEqual(names);
  });

  it("answers what can be answered while an item before it waits for people", async () => {
    const stream = open();
    const agent = { id: "patient" };
    stream.send("waits", writing({ agent, waitMs: LONG_MS }));
    stream.send("reads", reading(agent.id));
    expect(await stream.answerTo("reads")).toBe("ALLOW");
    expect(stream.answers.map(({ name }) => name)).toEqual(["reads"]);
    await server.yes(await server.pendingOf(agent.id));
    expect(await stream.answerTo("waits")).toBe("ALLOW");
    stream.endHalf();
    expect(await stream.ended).toEqual(ACCEPTED);
  });

  it("may be empty", async () => {
    const stream = open();
    stream.endHalf();
    expect(await stream.ended).toEqual(ACCEPTED);
    expect(stream.answers).toEqual([]);
  });

  it("answers a request id that it has answered before from its record", async () => {
    const stream = open();
    stream.send("first", reading("twin", { requestId: "the-same" }));
    await stream.answerTo("first");
    stream.send("second", reading("twin", { requestId: "the-same" }));
    await stream.answerTo("second");
    const [first, second] = stream.answers;
    expect(second?.decision).toEqual({ ...first?.decision, replayed: true });
  });

  it("sees at once what was suspended while it is open", async () => {
    const stream = open();
    const operator = server.client("operator");
    stream.send("before", reading("stopped"));
    expect(await stream.answerTo("before")).toBe("ALLOW");
    await operator.suspend({ kind: SuspensionKind.AGENT, value: "stopped", reason: "seen doing harm" });
    stream.send("after", reading("stopped"));
    expect(await stream.answerTo("after")).toBe("DENY");
  });
});

describe("an item that is refused is answered with why, and the stream goes on:", () => {
  const NO_ITEM = malformed("the message is no behest.v1.DecideStreamRequest");
  const good = toBinary(wire.DecideRequestSchema, reading("spared"));
  const unfit = "holds a control, invisible or undecodable character, or begins or ends with space";
  const longName = "n".repeat(1_025);
  it.each<{ says: string; bytes: Uint8Array; name: string; refusal: Refusal }>([
    { says: "nothing at all", bytes: new Uint8Array(), name: "", refusal: malformed("`correlation_id` is missing or empty", "correlation_id") },
    { says: "ones", bytes: Buffer.alloc(64, 0xff), name: "", refusal: malformed("`correlation_id` is missing or empty", "correlation_id") },
    {
      says: "one without a name",
      bytes: field(2, good),
      name: "",
      refusal: malformed("`correlation_id` is missing or empty", "correlation_id"),
    },
    {
      says: "a name that is too long, which is not repeated",
      bytes: join(text(1, longName), field(2, good)),
      name: "",
      refusal: tooBig("identifier_bytes", "`correlation_id` is longer than 1024 bytes", "correlation_id"),
    },
    {
      says: "a name with an invisible character",
      bytes: join(text(1, "a\u200b"), field(2, good)),
      name: "a\u200b",
      refusal: malformed(`\`correlation_id\` ${unfit}`, "correlation_id"),
    },
    { says: "one without a request", bytes: text(1, "bare"), name: "bare", refusal: malformed("`decide` is missing", "decide") },
    { says: "one that is cut", bytes: join(text(1, "cut"), field(2, good).subarray(0, -1)), name: "cut", refusal: NO_ITEM },
    { says: "two requests under one name", bytes: join(text(1, "two"), field(2, good), field(2, good)), name: "two", refusal: NO_ITEM },
    {
      says: "a request under another wire type",
      bytes: join(text(1, "typed"), new BinaryWriter().tag(2, WireType.Varint).uint32(1).finish()),
      name: "typed",
      refusal: NO_ITEM,
    },
    {
      says: "a request that is none",
      bytes: join(text(1, "garbage"), field(2, Buffer.alloc(64, 0xff))),
      name: "garbage",
      refusal: malformed("the message is no behest.v1.DecideRequest"),
    },
    {
      says: "a request without an agent",
      bytes: itemOf("nobody", create(wire.DecideRequestSchema, { action: actionOf() })),
      name: "nobody",
      refusal: malformed("`agent` is missing", "agent"),
    },
    { says: "100,000 unfinished groups", bytes: join(text(1, "groups"), Buffer.alloc(100_000, 0xa3)), name: "groups", refusal: NO_ITEM },
  ])("$says", async ({ bytes, name, refusal }) => {
    const stream = open();
    stream.sendBytes(bytes);
    stream.send("good", reading("spared"));
    expect(await stream.answerTo("good")).toBe("ALLOW");
    expect(stream.answers.filter((answer) => answer.name !== "good")).toEqual([{ name, answer: refusal }]);
  });

  it("a name whose item has no answer yet; once it has, it may be used again", async () => {
    const stream = open();
    const agent = { id: "namesake" };
    stream.send("same", writing({ agent, waitMs: LONG_MS }));
    const approval = await server.pendingOf(agent.id);
    stream.send("same", reading(agent.id));
    expect(await stream.answerTo("same")).toEqual(
      malformed("`correlation_id` is `same`, and the item of that name has no answer yet", "correlation_id"),
    );
    expect(toolsFor(agent.id)).toEqual(["write"]);
    await server.yes(approval);
    await expect.poll(() => stream.answers.map(({ answer }) => answer), { timeout: 10_000 }).toContain("ALLOW");
    stream.send("same", reading(agent.id));
    await expect.poll(() => toolsFor(agent.id), { timeout: 10_000 }).toEqual(["write", "write", "read"]);
  });

  it("more bytes than a request may have, to the byte", async () => {
    const ofBytes = (bytes: number): wire.DecideRequest => {
      const request = (length: number): wire.DecideRequest =>
        requestOf({ action: actionOf({ tool: "read", argumentsForm: { case: "argumentsJson", value: `{"note":"${"x".repeat(length)}"}` } }) });
      return request(bytes - 200 + bytes - 200 + 200 - toBinary(wire.DecideRequestSchema, request(bytes - 200)).length);
    };
    const [at, over] = [ofBytes(REQUEST_BYTES_MAX), ofBytes(REQUEST_BYTES_MAX + 1)];
    expect(toBinary(wire.DecideRequestSchema, at)).toHaveLength(REQUEST_BYTES_MAX);
    const stream = open();
    stream.send("at", at);
    stream.send("over", over);
    expect(await stream.answerTo("at")).toBe("ALLOW");
    expect(await stream.answerTo("over")).toEqual(tooBig("request_bytes", "the message has 262145 bytes, at most 262144 are read"));
  });
});

describe("items in flight", () => {
  it("are at most `stream_items_max`: what is beyond is read when there is room, and nothing is dropped", async () => {
    const narrow = await runAskingServer({ stream_items_max: 2 });
    try {
      const stream = open(narrow);
      const [one, two] = [{ id: "one" }, { id: "two" }];
      stream.send("one", writing({ agent: one, waitMs: LONG_MS }));
      stream.send("two", writing({ agent: two, waitMs: LONG_MS }));
      for (let index = 0; index < 100; index++) stream.send(`next-${index}`, reading("next"));
      stream.endHalf();
      const approval = await narrow.pendingOf(one.id);
      await narrow.pendingOf(two.id);
      // Another call is served meanwhile, and would have found the next items decided.
      expect(outcomeOf(await narrow.decide(reading("other")))).toBe("ALLOW");
      expect(outcomesFor("next", narrow)).toEqual([]);
      await narrow.yes(approval);
      await expect.poll(() => outcomesFor("next", narrow), { timeout: 10_000 }).toHaveLength(100);
      await narrow.yes(await narrow.pendingOf(two.id));
      expect(await stream.ended).toEqual(ACCEPTED);
      expect(stream.answers).toHaveLength(102);
    } finally {
      await narrow.close();
    }
  });

  it("count until the caller takes their answers: who does not read is read no further", async () => {
    const stream = open();
    stream.stopReading();
    const sent = 2_500;
    for (let index = 0; index < sent; index++) stream.send(String(index), reading("deaf"));
    stream.endHalf();
    const decided = (): number => outcomesFor("deaf").length;
    let before = -1;
    // Until nothing more is decided for a while.
    await expect
      .poll(
        () => {
          const [earlier, now] = [before, decided()];
          before = now;
          return now > 0 && now === earlier;
        },
        { interval: 500, timeout: 30_000 },
      )
      .toBe(true);
    expect(decided()).toBeLessThan(sent / 2);
    expect(outcomeOf(await server.decideAsOther(reading("bystander")))).toBe("ALLOW");
    stream.read();
    expect(await stream.ended).toEqual(ACCEPTED);
    expect(stream.answers).toHaveLength(sent);
    expect(decided()).toBe(sent);
  });

  it("are decided and recorded when the caller cancels", async () => {
    const stream = open();
    const agent = { id: "gone" };
    stream.send("waits", writing({ agent, waitMs: LONG_MS }));
    const approval = await server.pendingOf(agent.id);
    for (let index = 0; index < 50; index++) stream.send(`read-${index}`, reading("gone-reader"));
    await stream.answerTo("read-49");
    stream.cancel();
    expect(await stream.ended).toMatchObject({ code: "CANCELLED" });
    expect(outcomesFor("gone-reader")).toHaveLength(50);
    await server.yes(approval);
    // Whatever went on from that yes would have been written before this is.
    await server.asking(writing({ agent: { id: "later" } }));
    expect(outcomesFor(agent.id)).toEqual(["REQUIRE_APPROVAL"]);
  });

  it("are answered when the server stops, and the stream ends UNAVAILABLE", async () => {
    const stopping = await runAskingServer();
    const stream = open(stopping);
    const agent = { id: "cut" };
    stream.send("waits", writing({ agent, waitMs: LONG_MS }));
    await stopping.pendingOf(agent.id);
    await stopping.close();
    expect(await stream.ended).toEqual({
      code: "UNAVAILABLE",
      message: "the server is stopping; what was not answered was not decided",
      reason: "SERVER_STOPPING",
      retryAfterS: 1,
    });
    expect(stream.answers.map(({ name, answer }) => [name, answer])).toEqual([["waits", "REQUIRE_APPROVAL"]]);
  });
});

describe("the limits of the wire", () => {
  const RECEIVE_TIMEOUT_MS = 500;
  const muchLater = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 4 * RECEIVE_TIMEOUT_MS));

  it("cut an item that does not arrive whole in time, and not a stream that is idle, or is not read because its items wait", async () => {
    const hasty = await runAskingServer({ stream_items_max: 1, receive_timeout_ms: RECEIVE_TIMEOUT_MS });
    try {
      const idle = open(hasty);
      idle.send("first", reading("idler"));
      await idle.answerTo("first");
      const half = openByteStream(hasty.address, hasty.token("enforcer"));
      half.write(framed(itemOf("half", reading("half"))).subarray(0, 20));
      const agent = { id: "waiter" };
      const waiting = openByteStream(hasty.address, hasty.token("enforcer"));
      // More than is read ahead, the last in two pieces, so that the second is left lying.
      const reads = Array.from({ length: 40 }, (_, index) => framed(itemOf(String(index), reading(agent.id))));
      const bytes = Buffer.concat([framed(itemOf("waits", writing({ agent, waitMs: LONG_MS }))), ...reads]);
      waiting.write(bytes.subarray(0, -20));
      const approval = await hasty.pendingOf(agent.id);
      waiting.write(bytes.subarray(-20));
      await muchLater();
      expect(half.isOpen()).toBe(false);
      await hasty.yes(approval);
      await expect.poll(() => waiting.answers(), { timeout: 10_000 }).toHaveLength(41);
      expect(waiting.answers().every(({ answer }) => answer === "ALLOW")).toBe(true);
      waiting.close();
      idle.send("second", reading("idler"));
      expect(await idle.answerTo("second")).toBe("ALLOW");
    } finally {
      await hasty.close();
    }
  });

  it("refuse an item, and not the stream, while too many decisions are under way", async () => {
    const crowded = await runAskingServer({ decisions_in_flight_max: 1 });
    try {
      const stream = open(crowded);
      const agent = { id: "crowd" };
      stream.send("waits", writing({ agent, waitMs: LONG_MS }));
      const approval = await crowded.pendingOf(agent.id);
      stream.send("refused", reading(agent.id));
      const refusal = { code: "RESOURCE_EXHAUSTED", reason: "OVERLOADED", limit: "decisions_in_flight" };
      expect(await stream.answerTo("refused")).toMatchObject(refusal);
      expect(await crowded.refusal(reading(agent.id))).toMatchObject(refusal);
      await crowded.yes(approval);
      expect(await stream.answerTo("waits")).toBe("ALLOW");
      stream.send("next", reading(agent.id));
      expect(await stream.answerTo("next")).toBe("ALLOW");
    } finally {
      await crowded.close();
    }
  });
});

describe("who may decide on a stream is looked at", () => {
  const forget = (id: string): void => rewriteTokens(server.data, (tokens) => tokens.filter((entry) => entry.id !== id));
  const demote = (id: string): void =>
    rewriteTokens(server.data, (tokens) => tokens.map((entry) => (entry.id === id ? { ...entry, roles: ["auditor"] as const } : entry)));

  it("when it is opened, before anything is sent", async () => {
    expect(await openRawStream(server.address).ended).toMatchObject({ code: "UNAUTHENTICATED", reason: "CALLER_UNAUTHENTICATED" });
    expect(await open(server, server.token("auditor")).ended).toMatchObject({ code: "PERMISSION_DENIED", reason: "CALLER_FORBIDDEN" });
  });

  it.each([
    { says: "has gone", id: "revoked", change: forget, ends: { code: "UNAUTHENTICATED", reason: "CALLER_UNAUTHENTICATED" } },
    { says: "has lost its role", id: "demoted", change: demote, ends: { code: "PERMISSION_DENIED", reason: "CALLER_FORBIDDEN" } },
  ])("with every item: a token that $says ends it, after what is in flight is answered, and decides no more", async ({ id, change, ends }) => {
    const token = addToken(server.data, { id, caller: id, roles: ["enforcer"] });
    const agent = { id: `agent-of-${id}` };
    const good = toBinary(wire.DecideRequestSchema, reading("early"));
    await expect.poll(() => server.raw.call("Decide", good, `Bearer ${token}`), { timeout: 5_000 }).toHaveProperty("body");
    const stream = open(server, token);
    stream.send("waits", writing({ agent, waitMs: LONG_MS }));
    await server.pendingOf(agent.id);
    change(id);
    let sent = 0;
    const isOver = async (): Promise<boolean> => {
      const name = `item-${sent++}`;
      stream.send(name, reading(agent.id));
      return Promise.race([stream.ended.then(() => true), stream.answerTo(name).then(() => false)]);
    };
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true);
    expect(await stream.ended).toMatchObject(ends);
    expect(stream.answers.at(-1)).toMatchObject({ name: "waits", answer: "REQUIRE_APPROVAL" });
    // The last item found the token changed, and was not decided.
    expect(outcomesFor(agent.id)).toHaveLength(sent);
  });
});

describe("the client", () => {
  it("answers each request with its own decision, and ends when all are answered", async () => {
    const stream = server.client("enforcer").decideStream();
    const asked = ["read", "write", "nobody/knows_this", "read"].map((tool) =>
      stream.decide(requestOf({ agent: { id: "client" }, action: actionOf({ tool }) })),
    );
    expect((await Promise.all(asked)).map(outcomeOf)).toEqual(["ALLOW", "REQUIRE_APPROVAL", "DENY", "ALLOW"]);
    await stream.end();
    await expect(stream.decide(reading("client"))).rejects.toMatchObject({ name: "CallFailed", code: 14 });
  });

  it("throws what an item was refused for, and goes on", async () => {
    const stream = server.client("enforcer").decideStream();
    const refused = stream.decide(requestOf({ agent: { id: "" } }));
    await expect(refused).rejects.toMatchObject({ name: "CallFailed", code: 3, message: "`agent.id` is missing or empty" });
    expect(outcomeOf(await stream.decide(reading("client")))).toBe("ALLOW");
    stream.cancel();
  });

  it("throws what the stream has ended with, for everything that has no answer", async () => {
    const stream = server.client("auditor").decideStream();
    await expect(stream.decide(reading("client"))).rejects.toMatchObject({ name: "CallFailed", code: 7 });
    await expect(stream.end()).rejects.toMatchObject({ code: 7 });
  });
});
