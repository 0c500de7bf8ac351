import type { Socket } from "node:net";

/** Frames of HTTP/2 (RFC 9113 §4), written and read by hand: a client that does more per call would measure itself. */
export const FRAME = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8, continuation: 9 } as const;
export const FLAG = { endStream: 1, acknowledged: 1, endHeaders: 4, padded: 8, priority: 32 } as const;
export const SETTING = { headerTableSize: 1, enablePush: 2, streamsMax: 3, initialWindow: 4, frameMax: 5 } as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** What holds until a peer's SETTINGS say otherwise. */
export const WINDOW_AT_FIRST = 65_535;
export const FRAME_MAX_AT_FIRST = 16_384;

const HEADER_BYTES = 9;

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

/** Frames of one turn of the event loop, sent in as few writes as they fit. */
export interface Outgoing {
  /** The payload is `payload`, behind `prefix` where there is one; both are copied. */
  frame(head: FrameHead, payload: Buffer, prefix?: Buffer): void;
  bytes(bytes: Buffer): void;
}

const CHUNK_BYTES = 65_536;
const NO_BYTES = Buffer.alloc(0);

export function createOutgoing(socket: Socket): Outgoing {
  let chunk: Buffer = NO_BYTES;
  let written = 0;
  let flushed = 0;
  let due = false;
  const flush = (): void => {
    due = false;
    if (written > flushed && socket.writable) socket.write(chunk.subarray(flushed, written));
    flushed = written;
  };
  /** What was handed to the socket may still be read by it, so no byte is written twice. */
  const reserve = (length: number): void => {
    if (chunk.length - written < length) {
      flush();
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, length));
      written = 0;
      flushed = 0;
    }
    if (!due) {
      due = true;
      setImmediate(flush);
    }
  };
  return {
    frame({ type, flags, stream }, payload, prefix = NO_BYTES) {
      const length = prefix.length + payload.length;
      reserve(HEADER_BYTES + length);
      chunk.writeUIntBE(length, written, 3);
      chunk[written + 3] = type;
      chunk[written + 4] = flags;
      chunk.writeUInt32BE(stream, written + 5);
      written += HEADER_BYTES;
      written += prefix.copy(chunk, written);
      written += payload.copy(chunk, written);
    },
    bytes(bytes) {
      reserve(bytes.length);
      written += bytes.copy(chunk, written);
    },
  };
}

/** Cuts what a socket brings into frames. A payload is a view of what was received, to be copied by whoever keeps it. */
export function createFrameReader(take: (head: FrameHead, payload: Buffer) => void): (received: Buffer) => void {
  let rest: Buffer = NO_BYTES;
  return (received) => {
    const bytes = rest.length === 0 ? received : Buffer.concat([rest, received]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const head = { type: bytes.readUInt8(at + 3), flags: bytes.readUInt8(at + 4), stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff };
      take(head, bytes.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    rest = bytes.subarray(at);
  };
}

export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return payload;
}

export function* readSettings(payload: Buffer): Generator<readonly [id: number, value: number]> {
  for (let at = 0; at + 6 <= payload.length; at += 6) yield [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
