import { connect, type Socket } from "node:net";
import { type CallOptions, callHeaders } from "../../bench/http2/call-headers.ts";
import {
  createFrameReader,
  createOutgoing,
  FLAG,
  FRAME,
  FRAME_MAX_AT_FIRST,
  type FrameHead,
  PREFACE,
  settingsPayload,
  WINDOW_AT_FIRST,
} from "../../bench/http2/frames.ts";

/** What came back on one connection. */
export interface Seen {
  /** Calls that were answered, whatever with. */
  answers: number;
  /** Calls that were reset. */
  resets: number;
  /** Code of the server's goodbye. */
  goodbye: number | undefined;
  closed: boolean;
}

/** A socket on which whatever frames are sent, also those that no client would send. */
export interface RawConnection {
  readonly seen: Seen;
  /** Bytes that the server has room for, all calls together. */
  readonly room: number;
  /** The headers of a call, as any client sends them, and these beside. Answers the number of its stream. */
  begin(more?: Buffer): number;
  /** Part of its body. */
  send(stream: number, bytes: Buffer, ends?: "ends"): void;
  frame(head: FrameHead, payload: Buffer): void;
  bytes(bytes: Buffer): void;
  close(): void;
}

const GREETING_SETTINGS = settingsPayload([]);

/** Does not wait for anything that the server says. */
export function openRaw(options: CallOptions, greets: "greets" | "says nothing" = "greets"): RawConnection {
  const colon = options.address.lastIndexOf(":");
  const socket: Socket = connect({ host: options.address.slice(0, colon), port: Number(options.address.slice(colon + 1)), noDelay: true });
  const outgoing = createOutgoing(socket);
  const headers = callHeaders(options);
  const seen: Seen = { answers: 0, resets: 0, goodbye: undefined, closed: false };
  let room = WINDOW_AT_FIRST;
  let next = 1;
  const take = ({ type, flags, stream }: FrameHead, payload: Buffer): void => {
    if (type === FRAME.headers && (flags & FLAG.endStream) !== 0) seen.answers++;
    else if (type === FRAME.resetStream) seen.resets++;
    else if (type === FRAME.goAway) seen.goodbye = payload.readUInt32BE(4);
    else if (type === FRAME.windowUpdate && stream === 0) room += payload.readUInt32BE(0);
    else if (type === FRAME.settings && greets === "greets" && (flags & FLAG.acknowledged) === 0)
      frame({ type, flags: FLAG.acknowledged, stream: 0 }, Buffer.alloc(0));
  };
  const frame: RawConnection["frame"] = (head, payload) => outgoing.frame(head, payload);
  socket.on("data", createFrameReader(take));
  socket.on("error", () => undefined);
  socket.once("close", () => {
    seen.closed = true;
  });
  if (greets === "greets") {
    outgoing.bytes(PREFACE);
    frame({ type: FRAME.settings, flags: 0, stream: 0 }, GREETING_SETTINGS);
  }
  return {
    seen,
    get room() {
      return room;
    },
    begin(more = Buffer.alloc(0)) {
      const stream = next;
      next += 2;
      const block = Buffer.concat([stream === 1 ? headers.first : headers.later, more]);
      frame({ type: FRAME.headers, flags: block.length > FRAME_MAX_AT_FIRST ? 0 : FLAG.endHeaders, stream }, block.subarray(0, FRAME_MAX_AT_FIRST));
      for (let at = FRAME_MAX_AT_FIRST; at < block.length; at += FRAME_MAX_AT_FIRST) {
        const part = block.subarray(at, at + FRAME_MAX_AT_FIRST);
        frame({ type: FRAME.continuation, flags: at + part.length === block.length ? FLAG.endHeaders : 0, stream }, part);
      }
      return stream;
    },
    send(stream, bytes, ends) {
      room -= bytes.length;
      frame({ type: FRAME.data, flags: ends ? FLAG.endStream : 0, stream }, bytes);
    },
    frame,
    bytes: (bytes) => outgoing.bytes(bytes),
    close: () => socket.destroy(),
  };
}

/** One header as HPACK, without any table (RFC 7541 §6.2.2). */
export const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);

function text(value: string): Buffer {
  const octets = [];
  let rest = value.length - 127;
  if (rest < 0) octets.push(value.length);
  else {
    octets.push(127);
    for (; rest >= 128; rest >>= 7) octets.push((rest & 127) | 128);
    octets.push(rest);
  }
  return Buffer.concat([Buffer.from(octets), Buffer.from(value, "latin1")]);
}
