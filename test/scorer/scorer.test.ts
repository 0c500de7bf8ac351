import { connect, createServer, type Server, type Socket } from "node:net";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScorerQuestion } from "../../src/core/intent/scorer.ts";
import { createRemoteScorer, type RemoteScorer, type ScorerOptions } from "../../src/scorer/scorer.ts";
import { GOOD, openStubScorer, type Reaction, type StubScorer } from "./stub-scorer.ts";

const QUESTION: ScorerQuestion = {
  statement: "pay the invoices of May",
  tool: "bank/pay",
  operation: "now",
  effect: "pay",
  argumentsJson: '{"amount":100,"to":"DE89"}',
  argumentsTruncated: false,
  resource: { type: "account", id: "7" },
};
const ANSWER = { id: "stub", version: "1", risk: 10, reason: "it is what was asked for" };
const PAUSE_MS = 5_000;
const FAILS: Reaction = { fails: Code.UNAVAILABLE };

let stub: StubScorer;
let atMs: number;
let logged: string[];
const opened: RemoteScorer[] = [];

beforeEach(async () => {
  stub = await openStubScorer();
  atMs = 1_000;
  logged = [];
});
afterEach(() => {
  for (const scorer of opened.splice(0)) scorer.close();
  stub.close();
});

function scorerOf(change: Partial<ScorerOptions> = {}): RemoteScorer {
  const scorer = createRemoteScorer({
    url: stub.url,
    deadlineMs: 20_000,
    cacheTtlMs: 60_000,
    cacheAnswersMax: 100,
    callsMax: 10,
    failuresMax: 3,
    pauseMs: PAUSE_MS,
    now: () => atMs,
    log: { told: (what) => logged.push(`told: ${what}`), failing: (why) => logged.push(`failing: ${why}`) },
    ...change,
  });
  opened.push(scorer);
  return scorer;
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    }),
  );

/** Questions that differ, so that none is answered from what was kept. */
const asks = (scorer: RemoteScorer, count: number, first = 0) =>
  Array.from({ length: count }, (_, n) => scorer.score({ ...QUESTION, statement: `task ${first + n}` }));
const inTurn = async (scorer: RemoteScorer, count: number): Promise<readonly (number | undefined)[]> => {
  const risks: (number | undefined)[] = [];
  for (let n = 0; n < count; n++) risks.push((await scorer.score({ ...QUESTION, statement: `task ${n} of ${count}` }))?.risk);
  return risks;
};

describe("a scorer", () => {
  it("is asked exactly what a question holds, and its answer is taken", async () => {
    expect(await scorerOf().score(QUESTION)).toEqual(ANSWER);
    const [{ $typeName: _, resource, ...asked } = { $typeName: undefined }] = stub.asked;
    expect({ ...asked, resource: { type: resource?.type, id: resource?.id } }).toEqual(QUESTION);
  });

  it("has its reason cut, and nothing left in it that a terminal would obey", async () => {
    stub.reacts({ ...GOOD, reason: `\u001b[31mno\n\u202e ${"😀".repeat(300)}` });
    expect((await scorerOf().score(QUESTION))?.reason).toBe(`[31mno ${"😀".repeat(193)}`);
  });

  const NAN_AS_RISK = new Uint8Array([0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
  it.each<[says: string, reaction: Reaction]>([
    ["says no risk", { ...GOOD, risk: undefined } as Reaction],
    ["says a negative risk", { ...GOOD, risk: -1 }],
    ["says more than there is", { ...GOOD, risk: 101 }],
    ["says the largest number", { ...GOOD, risk: 2 ** 31 - 1 }],
    ["says what is no number", { bytes: NAN_AS_RISK }],
    ["says nothing", { bytes: new Uint8Array() }],
    ["stops in the middle", { bytes: new Uint8Array([0x12, 0x7f, 0x41]) }],
    ["says what is no message", { bytes: Buffer.from("<html>") }],
    ["does not say who it is", { ...GOOD, scorerId: "" }],
    ["does not say in which version", { ...GOOD, scorerVersion: "" }],
    ["has a name that breaks lines", { ...GOOD, scorerId: "stub\n" }],
    ["has a name without end", { ...GOOD, scorerId: "s".repeat(129) }],
    ["says more than anybody reads", { ...GOOD, reason: "no ".repeat(10_000) }],
    ["fails", FAILS],
    ["cannot judge this", { fails: Code.INVALID_ARGUMENT }],
    ["does not have the method", { fails: Code.UNIMPLEMENTED }],
  ])("that %s has not answered, and the next question is asked", async (_, reaction) => {
    const scorer = scorerOf();
    stub.reacts(reaction);
    expect(await scorer.score(QUESTION)).toBeUndefined();
    expect(await scorer.score(QUESTION)).toEqual(ANSWER);
    expect(logged).toEqual([]);
  });

  it("that does not answer in time has not answered, and what it says later is not kept", async () => {
    const scorer = scorerOf({ deadlineMs: 50 });
    stub.reacts("hang", "hang");
    expect(await scorer.score(QUESTION)).toBeUndefined();
    stub.release();
    expect(await scorer.score(QUESTION)).toBeUndefined();
    expect(stub.asked).toHaveLength(2);
  });

  it("that is not there has not answered", async () => {
    stub.close();
    expect(await scorerOf().score(QUESTION)).toBeUndefined();
  });

  it("is asked past any proxy that the environment names", async () => {
    process.env["grpc_proxy"] = "http://127.0.0.1:9";
    try {
      expect(await scorerOf().score(QUESTION)).toEqual(ANSWER);
    } finally {
      delete process.env["grpc_proxy"];
    }
  });
});

describe("over TLS", () => {
  it("nothing is said before the other side has proven who it is", async () => {
    const heard: Buffer[] = [];
    const server = createServer((socket) => socket.on("data", (chunk) => heard.push(chunk)).on("error", () => undefined));
    const port = await listen(server);
    const ask = async (url: string): Promise<Buffer> => {
      heard.length = 0;
      expect(await scorerOf({ url, deadlineMs: 300 }).score(QUESTION)).toBeUndefined();
      return Buffer.concat(heard);
    };
    const secure = await ask(`https://127.0.0.1:${port}`);
    const plain = await ask(`http://127.0.0.1:${port}`);
    server.close();
    // A TLS record that opens a handshake, and the greeting of plain HTTP/2.
    expect([secure[0], plain.toString("latin1").slice(0, 14)]).toEqual([0x16, "PRI * HTTP/2.0"]);
  });
});

describe("an answer", () => {
  it("is used again until its time is over", async () => {
    const scorer = scorerOf();
    for (const at of [1_000, 2_000, 61_000]) {
      atMs = at;
      expect(await scorer.score(QUESTION)).toEqual(ANSWER);
    }
    expect(stub.asked).toHaveLength(1);
    atMs = 61_001;
    await scorer.score(QUESTION);
    expect(stub.asked).toHaveLength(2);
  });

  it("is never used again where none is kept", async () => {
    const scorer = scorerOf({ cacheTtlMs: 0 });
    await scorer.score(QUESTION);
    await scorer.score(QUESTION);
    expect(stub.asked).toHaveLength(2);
  });

  const { operation: _, ...withoutOperation } = QUESTION;
  const { resource: __, ...withoutResource } = QUESTION;
  it.each<[part: string, other: ScorerQuestion]>([
    ["statement", { ...QUESTION, statement: "pay the invoices of June" }],
    ["tool", { ...QUESTION, tool: "bank/pay2" }],
    ["operation", { ...QUESTION, operation: "later" }],
    ["lack of an operation", withoutOperation],
    ["effect", { ...QUESTION, effect: "unknown" }],
    ["arguments", { ...QUESTION, argumentsJson: '{"amount":100,"to":"DE88"}' }],
    ["cut arguments", { ...QUESTION, argumentsTruncated: true }],
    ["resource", { ...QUESTION, resource: { type: "account", id: "8" } }],
    ["kind of resource", { ...QUESTION, resource: { type: "acc", id: "ount7" } }],
    ["lack of a resource", withoutResource],
  ])("is not used for a question with another %s", async (part, other) => {
    const scorer = scorerOf();
    expect(part).not.toBe("");
    await scorer.score(QUESTION);
    await scorer.score(other);
    expect(stub.asked).toHaveLength(2);
  });

  it.each([
    { scorerVersion: "2", scorerId: "stub" },
    { scorerVersion: "1", scorerId: "another" },
  ])("is not used once somebody else answers: %o", async (who) => {
    const scorer = scorerOf();
    stub.reacts(GOOD, { ...GOOD, ...who });
    await scorer.score(QUESTION);
    await scorer.score({ ...QUESTION, tool: "bank/look" });
    await scorer.score(QUESTION);
    expect(stub.asked).toHaveLength(3);
  });

  it("goes when there are too many, the one that was used longest ago first", async () => {
    const scorer = scorerOf({ cacheAnswersMax: 2 });
    for (const statement of ["a", "b", "a", "c", "a", "b"]) await scorer.score({ ...QUESTION, statement });
    expect(stub.asked.map(({ statement }) => statement)).toEqual(["a", "b", "c", "b"]);
  });

  it("is waited for by all who ask the same", async () => {
    const scorer = scorerOf();
    stub.reacts("hang");
    const both = Promise.all([scorer.score(QUESTION), scorer.score(QUESTION)]);
    await stub.has(1);
    stub.release();
    expect(await both).toEqual([ANSWER, ANSWER]);
    expect(stub.asked).toHaveLength(1);
  });

  it("is not waited for where too many wait", async () => {
    const scorer = scorerOf({ callsMax: 2 });
    stub.reacts("hang", "hang");
    const [first, second, third] = asks(scorer, 3);
    expect(await third).toBeUndefined();
    await stub.has(2);
    stub.release();
    expect(await Promise.all([first, second])).toEqual([ANSWER, ANSWER]);
    expect(stub.asked).toHaveLength(2);
  });
});

describe("the circuit breaker", () => {
  const down = (count: number): void => stub.reacts(...Array.from({ length: count }, () => FAILS));

  it("asks no more after so many failures in a row, tries with one question after the pause, and goes on when that is answered", async () => {
    const scorer = scorerOf();
    down(4);
    expect(await inTurn(scorer, 10)).toEqual(Array(10).fill(undefined));
    expect(stub.asked).toHaveLength(3);

    atMs += PAUSE_MS - 1;
    await scorer.score(QUESTION);
    expect(stub.asked).toHaveLength(3);

    atMs += 1;
    expect(await Promise.all(asks(scorer, 4))).toEqual(Array(4).fill(undefined));
    expect(stub.asked).toHaveLength(4);

    atMs += PAUSE_MS;
    const [trying, ...others] = asks(scorer, 4);
    expect(await trying).toEqual(ANSWER);
    expect(await Promise.all(others)).toEqual(Array(3).fill(undefined));
    expect(await Promise.all(asks(scorer, 4, 10))).toEqual(Array(4).fill(ANSWER));
    expect(logged).toEqual([
      `failing: the scorer ${stub.url} failed 3 times in a row, the last with UNAVAILABLE; it is tried again every 5000 ms, and asked nothing else until it answers`,
      `told: the scorer ${stub.url} answers again`,
    ]);
  });

  it("would be found out if it never opened", async () => {
    const scorer = scorerOf({ failuresMax: 1_000 });
    down(10);
    await inTurn(scorer, 10);
    expect(stub.asked).toHaveLength(10);
  });

  it("opens for one that is slow, as for one that answers nonsense", async () => {
    const scorer = scorerOf({ deadlineMs: 50 });
    stub.reacts("hang", { ...GOOD, risk: 1_000 }, "hang", GOOD);
    await inTurn(scorer, 4);
    expect(stub.asked).toHaveLength(3);
    expect(logged).toEqual([expect.stringContaining("the last with DEADLINE_EXCEEDED")]);
  });

  it("stays closed for one that comes and goes, and every answer counts", async () => {
    const scorer = scorerOf();
    stub.reacts(FAILS, FAILS, GOOD, FAILS, FAILS, GOOD, FAILS, FAILS, GOOD);
    expect(await inTurn(scorer, 9)).toEqual([undefined, undefined, 10, undefined, undefined, 10, undefined, undefined, 10]);
    expect(logged).toEqual([]);
  });

  it("is not opened by what a scorer cannot judge, which anybody can ask", async () => {
    const scorer = scorerOf();
    stub.reacts(...Array.from({ length: 9 }, () => ({ fails: Code.INVALID_ARGUMENT })));
    expect(await inTurn(scorer, 10)).toEqual([...Array(9).fill(undefined), 10]);
    expect(logged).toEqual([]);
  });

  it("does not take calls that end after it opened for tries", async () => {
    const scorer = scorerOf();
    stub.reacts(...Array.from({ length: 6 }, () => "hang" as const));
    const all = Promise.all(asks(scorer, 6));
    await stub.has(6);
    stub.release({ reaction: FAILS });
    await all;
    atMs += PAUSE_MS;
    expect((await scorer.score(QUESTION))?.risk).toBe(10);
    expect(logged.map((line) => line.split(":")[0])).toEqual(["failing", "told"]);
  });

  it("makes a new connection, so that one who was away is found again", async () => {
    const scorer = scorerOf();
    await scorer.score(QUESTION);
    const { port } = stub;
    stub.close();
    expect(await inTurn(scorer, 3)).toEqual(Array(3).fill(undefined));
    stub = await openStubScorer(port);
    atMs += PAUSE_MS;
    expect(await inTurn(scorer, 2)).toEqual([10, 10]);
  });

  it("makes a new connection where the old one swallows everything without a word", async () => {
    const sockets: Socket[] = [];
    let isSwallowing = false;
    const between = createServer((socket) => {
      const onwards = connect(stub.port, "127.0.0.1").on("error", () => undefined);
      sockets.push(
        socket.on("error", () => undefined),
        onwards,
      );
      const isFirst = sockets.length === 2;
      socket.on("data", (chunk) => (isFirst && isSwallowing ? undefined : onwards.write(chunk)));
      onwards.on("data", (chunk) => socket.write(chunk));
    });
    const scorer = scorerOf({ url: `http://127.0.0.1:${await listen(between)}`, failuresMax: 1, deadlineMs: 1_500 });
    expect(await inTurn(scorer, 2)).toEqual([10, 10]);
    isSwallowing = true;
    expect(await inTurn(scorer, 1)).toEqual([undefined]);
    atMs += PAUSE_MS;
    expect(await inTurn(scorer, 3)).toEqual([10, 10, 10]);
    for (const socket of sockets) socket.destroy();
    between.close();
  });

  it("gives what is kept also while it is open", async () => {
    const scorer = scorerOf();
    await scorer.score(QUESTION);
    down(3);
    await inTurn(scorer, 3);
    expect(await scorer.score(QUESTION)).toEqual(ANSWER);
    expect(await scorer.score({ ...QUESTION, statement: "another" })).toBeUndefined();
  });
});
