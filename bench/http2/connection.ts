import { connect as connectSocket, type Socket } from "node:net";
import { status as codes } from "@grpc/grpc-js";
import { createStatusReader } from "./answer-headers.ts";
import { type CallHeaders, type CallOptions, callHeaders } from "./call-headers.ts";
import {
  createFrameReader,
  createOutgoing,
  FLAG,
  FRAME,
  FRAME_MAX_AT_FIRST,
  type FrameHead,
  type Outgoing,
  PREFACE,
  readSettings,
  SETTING,
  settingsPayload,
  uint32,
  WINDOW_AT_FIRST,
} from "./frames.ts";

/** Told what comes back of one call. */
export interface Answering {
  /** One message; a view of what was received, to be copied by whoever keeps it. */
  message(body: Buffer): void;
  /** Once, after the last message; why it failed, when it did. */
  ended(failure?: string): void;
}

/** The asking side of a call whose messages are sent one by one. */
export interface RequestStream {
  write(body: Buffer): void;
  end(): void;
}

/** One HTTP/2 connection on which one gRPC method is called. It waits for the windows and the number of streams that the server grants. */
export interface Http2Connection {
  /** False once the server has said goodbye or the socket is gone; a call is failed at once then. */
  readonly usable: boolean;
  unary(body: Buffer, answering: Answering): void;
  stream(answering: Answering): RequestStream;
  close(): void;
}

const CONNECTED_WITHIN_MS = 10_000;

/** @throws {Error} when the server does not greet in time. */
export function openConnection(options: CallOptions): Promise<Http2Connection> {
  const colon = options.address.lastIndexOf(":");
  const host = options.address.slice(0, colon).replace(/^\[|\]$/g, "");
  const socket = connectSocket({ host, port: Number(options.address.slice(colon + 1)), noDelay: true });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`\`${options.address}\` did not greet within ${CONNECTED_WITHIN_MS / 1_000} s`)),
      CONNECTED_WITHIN_MS,
    );
    const connection = new Connection(socket, callHeaders(options), () => {
      clearTimeout(timer);
      resolve(connection);
    });
    socket.once("error", reject).once("close", () => {
      clearTimeout(timer);
      reject(new Error(`\`${options.address}\` closed the connection before it greeted`));
    });
  });
}

/** What we allow the server to send before it must wait. */
const OUR_STREAM_WINDOW = 8 * 2 ** 20;
const OUR_CONNECTION_WINDOW = 2 ** 30;
const WINDOW_MAX = 2 ** 31 - 1;
const PREFIX_BYTES = 5;

interface Stream {
  id: number;
  readonly answering: Answering;
  /** Bytes that the server lets us send on it. */
  window: number;
  /** Parts, framed for gRPC, that wait for room, and whether the last of them ends our side. */
  readonly waiting: Buffer[];
  ending: boolean;
  ended: boolean;
  /** The beginning of a message whose end has not come yet, and how many bytes it takes to read on. */
  parts: Buffer[];
  missing: number;
  messages: number;
  /** Received since we last gave the server room on it. */
  received: number;
}

class Connection implements Http2Connection {
  usable = true;
  readonly #socket: Socket;
  readonly #outgoing: Outgoing;
  readonly #headers: CallHeaders;
  readonly #greeted: () => void;
  readonly #readStatus = createStatusReader();
  readonly #streams = new Map<number, Stream>();
  readonly #unopened: Stream[] = [];
  readonly #stalled = new Set<Stream>();
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #nextId = 1;
  #window = WINDOW_AT_FIRST;
  #streamWindow = WINDOW_AT_FIRST;
  #frameMax = FRAME_MAX_AT_FIRST;
  #streamsMax = Number.POSITIVE_INFINITY;
  #received = 0;

  constructor(socket: Socket, headers: CallHeaders, greeted: () => void) {
    this.#socket = socket;
    this.#headers = headers;
    this.#greeted = greeted;
    this.#outgoing = createOutgoing(socket);
    this.#outgoing.bytes(PREFACE);
    this.#control(
      FRAME.settings,
      settingsPayload([
        [SETTING.enablePush, 0],
        [SETTING.initialWindow, OUR_STREAM_WINDOW],
      ]),
    );
    this.#control(FRAME.windowUpdate, uint32(OUR_CONNECTION_WINDOW - WINDOW_AT_FIRST));
    const read = createFrameReader((head, payload) => this.#take(head, payload));
    socket.on("data", read);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#lost("the connection was lost"));
  }

  unary(body: Buffer, answering: Answering): void {
    const stream = this.#streamOf(answering);
    stream.ending = true;
    const length = PREFIX_BYTES + body.length;
    if (this.#opens(stream) && this.#fits(stream, length)) this.#sendWhole(stream, body, FLAG.endStream);
    else this.#wait(stream, body);
  }

  stream(answering: Answering): RequestStream {
    const stream = this.#streamOf(answering);
    this.#opens(stream);
    return {
      write: (body) => {
        if (stream.ended || stream.ending) return;
        const atOnce = stream.id > 0 && stream.waiting.length === 0 && this.#fits(stream, PREFIX_BYTES + body.length);
        if (atOnce) this.#sendWhole(stream, body, 0);
        else this.#wait(stream, body);
      },
      end: () => {
        if (stream.ended || stream.ending) return;
        stream.ending = true;
        if (stream.id > 0 && stream.waiting.length === 0)
          this.#outgoing.frame({ type: FRAME.data, flags: FLAG.endStream, stream: stream.id }, NOTHING);
        else stream.waiting.push(NOTHING);
      },
    };
  }

  close(): void {
    this.usable = false;
    this.#socket.destroy();
  }

  #control(type: number, payload: Buffer, flags = 0): void {
    this.#outgoing.frame({ type, flags, stream: 0 }, payload);
  }

  #streamOf(answering: Answering): Stream {
    return { id: 0, answering, window: 0, waiting: [], ending: false, ended: false, parts: [], missing: 0, messages: 0, received: 0 };
  }

  /** Sends its headers, unless the server takes no more streams for now. */
  #opens(stream: Stream): boolean {
    if (!this.usable) {
      // Never within the call that began it: who tries again at once would never return.
      setImmediate(() => this.#end(stream, "not connected"));
      return false;
    }
    if (this.#streams.size >= this.#streamsMax) {
      this.#unopened.push(stream);
      return false;
    }
    stream.id = this.#nextId;
    stream.window = this.#streamWindow;
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    const block = stream.id === 1 ? this.#headers.first : this.#headers.later;
    this.#outgoing.frame({ type: FRAME.headers, flags: FLAG.endHeaders, stream: stream.id }, block);
    return true;
  }

  #fits(stream: Stream, length: number): boolean {
    return length <= this.#frameMax && length <= this.#window && length <= stream.window;
  }

  #sendWhole(stream: Stream, body: Buffer, flags: number): void {
    this.#prefix.writeUInt32BE(body.length, 1);
    this.#outgoing.frame({ type: FRAME.data, flags, stream: stream.id }, body, this.#prefix);
    this.#window -= PREFIX_BYTES + body.length;
    stream.window -= PREFIX_BYTES + body.length;
  }

  #wait(stream: Stream, body: Buffer): void {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(body.length, 1);
    stream.waiting.push(Buffer.concat([prefix, body]));
    if (stream.id > 0) {
      this.#stalled.add(stream);
      this.#send(stream);
    }
  }

  /** As much of what waits as the server has room for. */
  #send(stream: Stream): void {
    for (let part = stream.waiting[0]; part !== undefined; part = stream.waiting[0]) {
      const room = Math.min(this.#frameMax, this.#window, stream.window);
      if (room <= 0 && part.length > 0) return;
      const sent = part.subarray(0, room);
      if (sent.length === part.length) stream.waiting.shift();
      else stream.waiting[0] = part.subarray(room);
      const last = stream.ending && stream.waiting.length === 0;
      this.#outgoing.frame({ type: FRAME.data, flags: last ? FLAG.endStream : 0, stream: stream.id }, sent);
      this.#window -= sent.length;
      stream.window -= sent.length;
    }
    this.#stalled.delete(stream);
  }

  #sendStalled(): void {
    for (const stream of this.#stalled) this.#send(stream);
  }

  #take(head: FrameHead, payload: Buffer): void {
    if (head.type === FRAME.data) this.#takeData(head, payload);
    else if (head.type === FRAME.headers) this.#takeHeaders(head, payload);
    else if (head.type === FRAME.windowUpdate) this.#takeRoom(head, payload.readUInt32BE(0));
    else if (head.type === FRAME.settings) this.#takeSettings(head, payload);
    else if (head.type === FRAME.ping && (head.flags & FLAG.acknowledged) === 0) this.#control(FRAME.ping, payload, FLAG.acknowledged);
    else if (head.type === FRAME.resetStream) this.#takeReset(head, payload.readUInt32BE(0));
    else if (head.type === FRAME.goAway) this.#takeGoAway(payload.readUInt32BE(0) & WINDOW_MAX, payload.readUInt32BE(4));
  }

  #takeHeaders({ stream: id, flags }: FrameHead, payload: Buffer): void {
    if ((flags & FLAG.endHeaders) === 0 || (flags & UNREAD_FLAGS) !== 0) {
      this.#socket.destroy();
      return;
    }
    // Every block is read, also of calls that are over: the next ones refer to it.
    const status = this.#readStatus(payload);
    const stream = this.#streams.get(id);
    if (stream && (flags & FLAG.endStream) !== 0) this.#finish(stream, status);
  }

  #takeData({ stream: id, flags }: FrameHead, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received > OUR_CONNECTION_WINDOW / 2) {
      this.#control(FRAME.windowUpdate, uint32(this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (!stream) return;
    stream.received += payload.length;
    if (stream.received > OUR_STREAM_WINDOW / 2) {
      this.#outgoing.frame({ type: FRAME.windowUpdate, flags: 0, stream: id }, uint32(stream.received));
      stream.received = 0;
    }
    if ((flags & UNREAD_FLAGS) !== 0) this.#socket.destroy();
    this.#takeMessages(stream, payload);
    if ((flags & FLAG.endStream) !== 0) this.#finish(stream);
  }

  #takeMessages(stream: Stream, payload: Buffer): void {
    let bytes = payload;
    if (stream.parts.length > 0) {
      stream.parts.push(payload);
      stream.missing -= payload.length;
      if (stream.missing > 0) return;
      bytes = Buffer.concat(stream.parts);
      stream.parts = [];
    }
    let at = 0;
    for (let end = messageEnd(bytes, at); end <= bytes.length; end = messageEnd(bytes, at)) {
      stream.messages++;
      stream.answering.message(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    if (at === bytes.length) return;
    stream.parts.push(bytes.subarray(at));
    stream.missing = messageEnd(bytes, at) - bytes.length;
  }

  #takeRoom({ stream: id }: FrameHead, room: number): void {
    if (id === 0) this.#window += room;
    else {
      const stream = this.#streams.get(id);
      if (stream) stream.window += room;
    }
    if (this.#stalled.size > 0) this.#sendStalled();
  }

  #takeSettings({ flags }: FrameHead, payload: Buffer): void {
    if ((flags & FLAG.acknowledged) !== 0) return;
    for (const [id, value] of readSettings(payload)) {
      if (id === SETTING.streamsMax) this.#streamsMax = value;
      else if (id === SETTING.frameMax) this.#frameMax = value;
      else if (id === SETTING.headerTableSize && value < HEADER_TABLE_BYTES) this.#socket.destroy();
      else if (id === SETTING.initialWindow) {
        for (const stream of this.#streams.values()) stream.window += value - this.#streamWindow;
        this.#streamWindow = value;
      }
    }
    this.#control(FRAME.settings, NOTHING, FLAG.acknowledged);
    this.#greeted();
    this.#openMore();
    this.#sendStalled();
  }

  #takeReset({ stream: id }: FrameHead, code: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.delete(id);
    this.#end(stream, `reset by the server, code ${code}`);
    this.#openMore();
  }

  /** Calls up to `last` are still answered; the others never began. */
  #takeGoAway(last: number, code: number): void {
    this.usable = false;
    for (const [id, stream] of this.#streams) {
      if (id <= last) continue;
      this.#streams.delete(id);
      this.#end(stream, `the server went away, code ${code}`);
    }
    for (const stream of this.#unopened.splice(0)) this.#end(stream, `the server went away, code ${code}`);
    if (this.#streams.size === 0) this.#socket.end();
  }

  #finish(stream: Stream, status?: string): void {
    this.#streams.delete(stream.id);
    if (status !== undefined && status !== "0") this.#end(stream, codes[Number(status)] ?? `status ${status}`);
    else if (stream.messages > 0) this.#end(stream);
    else this.#end(stream, "answered without a message");
    this.#openMore();
    if (!this.usable && this.#streams.size === 0) this.#socket.end();
  }

  #openMore(): void {
    while (this.usable && this.#streams.size < this.#streamsMax) {
      const stream = this.#unopened.shift();
      if (!stream) return;
      this.#opens(stream);
      if (stream.waiting.length === 0) continue;
      this.#stalled.add(stream);
      this.#send(stream);
    }
  }

  #lost(why: string): void {
    this.usable = false;
    const cut = [...this.#streams.values(), ...this.#unopened.splice(0)];
    this.#streams.clear();
    for (const stream of cut) this.#end(stream, why);
  }

  #end(stream: Stream, failure?: string): void {
    if (stream.ended) return;
    stream.ended = true;
    this.#stalled.delete(stream);
    stream.answering.ended(failure);
  }
}

/** Where the message that begins there ends, or as far as can be told, its prefix. */
const messageEnd = (bytes: Buffer, at: number): number => at + PREFIX_BYTES + (bytes.length - at < PREFIX_BYTES ? 0 : bytes.readUInt32BE(at + 1));

/** What a server may do to frames and this client does not read: no server that is measured does. */
const UNREAD_FLAGS = FLAG.padded | FLAG.priority;
const NOTHING = Buffer.alloc(0);
/** What a server has room for unless it says otherwise; our headers take a part of it. */
const HEADER_TABLE_BYTES = 4_096;
