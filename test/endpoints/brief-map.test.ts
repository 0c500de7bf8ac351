import { EventEmitter, once } from "node:events";
import { connect, type Http2Server, type Http2Session } from "node:http2";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BriefMap, nextKey } from "../../src/endpoints/grpc/brief-map.ts";
import { http2ServersOf, lettingStreamsGo } from "../../src/endpoints/grpc/http2-server.ts";
import { createGuard } from "../../src/endpoints/grpc/limits.ts";

const key = fc.nat({ max: 12 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("set" as const), key) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("delete" as const), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("clear" as const), key) },
);

describe("a map of what is soon gone", () => {
  it("answers as any Map", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [ours, model] = [new BriefMap<number>(), new Map<number, number>()];
        for (const [index, [what, at]] of steps.entries()) {
          if (what === "set") for (const map of [ours, model]) map.set(at, index);
          else if (what === "delete") expect(ours.delete(at)).toBe(model.delete(at));
          else for (const map of [ours, model]) map.clear();
          expect(ours.get(at)).toBe(model.get(at));
          expect(ours.has(at)).toBe(model.has(at));
          expect(ours.size).toBe(model.size);
          expect([...ours]).toEqual([...model]);
          expect([...ours.keys()]).toEqual([...model.keys()]);
          expect(ours.oldest).toBe([...model.values()][0]);
        }
      }),
    );
  });

  it("passes over what is deleted while it is walked", () => {
    const map = new BriefMap<string>().set(1, "a").set(2, "b").set(3, "c");
    const visited: string[] = [];
    map.forEach((value, at) => {
      visited.push(value);
      map.delete(at);
      map.delete(2);
    });
    expect(visited).toEqual(["a", "c"]);
    expect(map.size).toBe(0);
  });

  it("goes on behind what it has visited, whatever is deleted or set meanwhile", () => {
    const map = new BriefMap<string>().set(1, "a").set(2, "b").set(3, "c").set(4, "d");
    const visited: string[] = [];
    for (const [at, value] of map) {
      visited.push(value);
      if (at !== 1) continue;
      map.delete(1);
      map.delete(2);
      map.set(1, "again");
    }
    expect(visited).toEqual(["a", "c", "d"]);
    expect([...map.values()]).toEqual(["c", "d", "again"]);
  });

  it("begins anew with small keys when they have run out, and passes over those that are held", () => {
    const held = new BriefMap<string>().set(1, "old").set(3, "old");
    expect(nextKey(7, [held])).toBe(8);
    expect(nextKey(2 ** 30 - 1, [held])).toBe(2 ** 30);
    expect(nextKey(2 ** 30, [held])).toBe(2);
    expect(nextKey(2, [held, new Map([[4, "too"]])])).toBe(5);
  });

  it("lets what is deleted be collected with the young generation, which a Map does not", () => {
    expect(oldBytesAfterChurning(new BriefMap())).toBeLessThan(ALL_BYTES / 10);
    expect(oldBytesAfterChurning(new Map())).toBeGreaterThan(ALL_BYTES / 2);
  });

  it("holds the streams of the sessions of a server", async () => {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const guard = createGuard({ wire: WIRE, queuedForMs: () => 0, onShed: () => undefined });
    guard.guard(server);
    const sessions: Http2Session[] = [];
    for (const http2 of http2ServersOf(server)) http2.on("session", (session) => sessions.push(session));
    const client = connect(`http://127.0.0.1:${port}`);
    await Promise.all([1, 2].map(() => once(client.request({ ":method": "POST", ":path": "/none/None" }).resume(), "close")));
    const [session] = sessions;
    const held = Object.getOwnPropertySymbols(session).map((symbol) => Reflect.get(session ?? {}, symbol)?.streams);
    expect(held.find((streams) => streams !== undefined)).toBeInstanceOf(BriefMap);
    client.close();
    guard.stop();
    server.forceShutdown();
  });

  it("replaces nothing where Node keeps the streams otherwise", () => {
    const server = new EventEmitter();
    lettingStreamsGo(server as Http2Server);
    const otherwise: readonly { streams?: unknown }[] = [{}, { streams: [] }, { streams: new Map([[1, "open"]]) }];
    for (const state of otherwise) {
      const before = state.streams;
      server.emit("session", { [Symbol("state")]: state });
      expect(state.streams).toBe(before);
    }
    server.emit("session", {});
  });
});

const WIRE = {
  connectionsMax: 8,
  streamsMax: 8,
  receiveTimeoutMs: 1_000,
  receiveBytesMax: 1_024,
  receiveCallsMax: 8,
  decisionsInFlightMax: 8,
  queueAgeMaxMs: 1_000,
};

const ENTRIES = 4_000;
const ENTRY_BYTES = 8_192;
const ALL_BYTES = ENTRIES * ENTRY_BYTES;
const LIVE = 16;

/** How much came to the old generation while entries came and went, of which few were there at a time. */
function oldBytesAfterChurning(map: Map<number, unknown>): number {
  setFlagsFromString("--expose-gc");
  const collect: (options: { readonly type: "minor" | "major" }) => void = runInNewContext("gc");
  const churn = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      map.set(at, new Array(ENTRY_BYTES / 8).fill(at));
      map.delete(at - LIVE);
      if (at % 100 === 0) collect({ type: "minor" });
    }
  };
  churn(0, ENTRIES / 4);
  collect({ type: "major" });
  const before = oldBytes();
  churn(ENTRIES / 4, ENTRIES + ENTRIES / 4);
  const grown = oldBytes() - before;
  map.clear();
  return grown;
}

const oldBytes = (): number =>
  getHeapSpaceStatistics().reduce((sum, { space_name: name, space_used_size: bytes }) => sum + (name === "old_space" ? bytes : 0), 0);
