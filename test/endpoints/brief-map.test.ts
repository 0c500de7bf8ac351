import { once } from "node:events";
import { connect, createServer, type Http2Session } from "node:http2";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BriefMap } from "../../src/endpoints/grpc/brief-map.ts";
import { lettingStreamsGo } from "../../src/endpoints/grpc/http2-server.ts";

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

  it("lets what is deleted be collected with the young generation, which a Map does not", () => {
    expect(oldBytesAfterChurning(new BriefMap())).toBeLessThan(ALL_BYTES / 10);
    expect(oldBytesAfterChurning(new Map())).toBeGreaterThan(ALL_BYTES / 2);
  });

  it("holds the streams of Node's HTTP/2 sessions", async () => {
    const server = createServer((_request, response) => response.end());
    lettingStreamsGo(server);
    const sessions: Http2Session[] = [];
    server.on("session", (session) => sessions.push(session));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const client = connect(`http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
    const calls = [client.request(), client.request()];
    await Promise.all(calls.map((call) => once(call.resume(), "close")));
    const [session] = sessions;
    const held = Object.getOwnPropertySymbols(session).map((symbol) => Reflect.get(session ?? {}, symbol)?.streams);
    expect(held.find((streams) => streams !== undefined)).toBeInstanceOf(BriefMap);
    client.close();
    server.close();
    await once(server, "close");
  });
});

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
