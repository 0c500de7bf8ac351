import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { FRAME, uint32 } from "../../bench/http2/frames.ts";
import { DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";
import { framed } from "./hostile-connection.ts";
import { literal, openRaw, type RawConnection, type Seen } from "./raw-connection.ts";

export interface Target {
  readonly address: string;
  /** Of an enforcer: who has none gets no further than the headers. */
  readonly token: string;
}

/** One thing that is done to a server again and again, on connections of its own. */
export interface Attack {
  readonly name: string;
  readonly perSecond: number;
  /** So often, then what was opened is held. */
  readonly times: number;
  readonly connections: number;
  /** Whether a connection that the server has closed is made again. */
  readonly comesBack: boolean;
  act(connection: RawConnection, number: number): void;
  /** How its connections begin, by number. */
  readonly greets?: (number: number) => "greets" | "says nothing";
}

const PATH = "/behest.v1.DecisionService/Decide";
const CANCEL = uint32(8);
const NOTHING = Buffer.alloc(0);
const HALF_FRAME = Buffer.of(0, 0x20, 0, FRAME.headers, 0, 0, 0, 0, 1, 0x82);
const HALF_PREFACE = Buffer.from("PRI * HT", "latin1");

const body = framed(toBinary(DecideRequestSchema, create(DecideRequestSchema, { agent: { id: "hostile" }, action: { tool: "search" } })));
const gzip = literal("grpc-encoding", "gzip");
const bomb = framed(gzipSync(Buffer.alloc(8_000_000)), { compressed: true });
const noGzip = framed(Buffer.alloc(300, 0xa5), { compressed: true });
const manyHeaders = Buffer.concat(Array.from({ length: 300 }, (_, index) => literal(`x-${index}`, "1")));
const longHeader = literal("x-long", "x".repeat(20_000));
/** Groups in groups, lists in lists, and both far deeper than anybody nests by hand. */
const groups = framed(Buffer.alloc(12_000, 0x1b));
const structs = framed(nested(1_500));

/** A list in a list, as a Struct in `context.attributes` has them. */
function nested(levels: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer => {
    const length = bytes.length < 128 ? Buffer.of(bytes.length) : Buffer.of((bytes.length & 127) | 128, bytes.length >> 7);
    return Buffer.concat([Buffer.of((number << 3) | 2), length, bytes]);
  };
  let value: Buffer = NOTHING;
  for (let level = 0; level < levels; level++) value = field(6, field(1, value));
  const struct = field(1, Buffer.concat([field(1, Buffer.from("a")), field(2, value)]));
  return field(8, field(2, struct));
}

export const ATTACKS: readonly Attack[] = [
  {
    name: "gzip",
    perSecond: 500,
    times: Number.POSITIVE_INFINITY,
    connections: 4,
    comesBack: true,
    act(connection, number) {
      const message = number % 2 === 0 ? bomb : noGzip;
      if (connection.room >= message.length) connection.send(connection.begin(gzip), message, "ends");
    },
  },
  {
    name: "lengths",
    perSecond: 500,
    times: Number.POSITIVE_INFINITY,
    connections: 4,
    comesBack: true,
    act: (connection, number) => connection.send(connection.begin(), framed(Buffer.of(1), { length: number % 2 === 0 ? 2 ** 32 - 1 : 2 ** 31 })),
  },
  {
    name: "half-sent",
    perSecond: 1_000,
    times: 4_000,
    connections: 8,
    comesBack: false,
    act: (connection) => connection.send(connection.begin(), body.subarray(0, -1)),
  },
  {
    name: "half-begun",
    perSecond: 500,
    times: 1_000,
    connections: 1_000,
    comesBack: false,
    greets: (number) => (number % 2 === 0 ? "greets" : "says nothing"),
    // The head of a frame that announces more than comes, and half a greeting.
    act: (connection, number) => connection.bytes(number % 2 === 0 ? HALF_FRAME : HALF_PREFACE),
  },
  {
    name: "resets",
    perSecond: 1_000,
    times: Number.POSITIVE_INFINITY,
    connections: 1,
    comesBack: true,
    act(connection) {
      const stream = connection.begin();
      connection.frame({ type: FRAME.resetStream, flags: 0, stream }, CANCEL);
    },
  },
  {
    name: "headers",
    perSecond: 300,
    times: Number.POSITIVE_INFINITY,
    connections: 4,
    comesBack: true,
    act(connection, number) {
      connection.begin(number % 2 === 0 ? manyHeaders : longHeader);
    },
  },
  {
    name: "continuations",
    perSecond: 100,
    times: Number.POSITIVE_INFINITY,
    connections: 4,
    comesBack: true,
    act(connection) {
      connection.frame({ type: FRAME.headers, flags: 0, stream: 1 }, Buffer.of(0x82));
      for (let count = 0; count < 50; count++) connection.frame({ type: FRAME.continuation, flags: 0, stream: 1 }, literal("x", "1"));
    },
  },
  {
    name: "nesting",
    perSecond: 100,
    times: Number.POSITIVE_INFINITY,
    connections: 4,
    comesBack: true,
    act(connection, number) {
      const message = number % 2 === 0 ? groups : structs;
      if (connection.room >= message.length) connection.send(connection.begin(), message, "ends");
    },
  },
  { name: "idle", perSecond: 1_000, times: 10_000, connections: 10_000, comesBack: false, act: () => undefined },
];

export interface Attacked extends Omit<Seen, "goodbye" | "closed"> {
  acts: number;
  /** Connections that the server has closed. */
  closed: number;
}

const TICK_MS = 10;

/** Attacks until it is told to stop. */
export function attack({ address, token }: Target, { perSecond, times, connections, comesBack, act, greets }: Attack): { stop(): Attacked } {
  const open: (RawConnection | undefined)[] = [];
  const total: Attacked = { acts: 0, answers: 0, resets: 0, closed: 0 };
  const began = performance.now();
  const letGo = ({ seen }: RawConnection): void => {
    total.answers += seen.answers;
    total.resets += seen.resets;
    if (seen.closed) total.closed++;
  };
  const connectionFor = (number: number): RawConnection | undefined => {
    const place = number % connections;
    const known = open[place];
    if (known && !known.seen.closed) return known;
    if (known && !comesBack) return undefined;
    if (known) letGo(known);
    const made = openRaw({ address, path: PATH, token }, greets?.(number));
    open[place] = made;
    return made;
  };
  const ticking = setInterval(() => {
    const due = Math.min(times, ((performance.now() - began) / 1_000) * perSecond);
    for (; total.acts < due; total.acts++) {
      const connection = connectionFor(total.acts);
      if (connection) act(connection, total.acts);
    }
  }, TICK_MS);
  return {
    stop() {
      clearInterval(ticking);
      for (const connection of open) {
        if (!connection) continue;
        letGo(connection);
        connection.close();
      }
      return total;
    },
  };
}
