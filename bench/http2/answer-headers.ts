/**
 * Reads header blocks of answers (HPACK, RFC 7541), in the order in which they come, and answers the `grpc-status` of each where it has one.
 * Everything else is only followed as far as the table that the server writes by demands it.
 */
export function createStatusReader(): (block: Buffer) => string | undefined {
  const table = new HeaderTable();
  return (block) => {
    const cursor: Cursor = { block, at: 0 };
    let status: string | undefined;
    while (cursor.at < block.length) {
      const first = block.readUInt8(cursor.at);
      if ((first & 0xe0) === 0x20) {
        table.resize(readInteger(cursor, 5));
        continue;
      }
      const field = (first & 0x80) !== 0 ? table.at(readInteger(cursor, 7)) : readLiteral(cursor, table, (first & 0x40) !== 0);
      if (field.name === STATUS) status = field.value;
    }
    return status;
  };
}

const STATUS = "grpc-status";

interface Field {
  readonly name: string;
  readonly value: string;
}

interface Cursor {
  readonly block: Buffer;
  at: number;
}

const STATIC_NAMES =
  ":authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset accept-encoding " +
  "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition content-encoding " +
  "content-language content-length content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since " +
  "if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh " +
  "retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate";
/** Whatever the value of one of these is, it is no `grpc-status`. */
const STATIC: readonly Field[] = STATIC_NAMES.split(" ").map((name) => ({ name, value: "" }));

const TABLE_BYTES = 4_096;
const ENTRY_BYTES = 32;
const bytesOf = ({ name, value }: Field): number => name.length + value.length + ENTRY_BYTES;

class HeaderTable {
  /** The newest first. */
  readonly #fields: Field[] = [];
  #bytes = 0;
  #bytesMax = TABLE_BYTES;

  at(index: number): Field {
    const field = index <= STATIC.length ? STATIC[index - 1] : this.#fields[index - STATIC.length - 1];
    if (!field) throw new RangeError(`no header has the index ${index}`);
    return field;
  }

  add(field: Field): void {
    this.#fields.unshift(field);
    this.#bytes += bytesOf(field);
    this.#evict();
  }

  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#evict();
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#fields.pop();
      if (!oldest) return;
      this.#bytes -= bytesOf(oldest);
    }
  }
}

function readLiteral(cursor: Cursor, table: HeaderTable, added: boolean): Field {
  const index = readInteger(cursor, added ? 6 : 4);
  const name = index === 0 ? readText(cursor) : table.at(index).name;
  const field = { name, value: readText(cursor) };
  if (added) table.add(field);
  return field;
}

function readInteger(cursor: Cursor, prefixBits: number): number {
  const most = 2 ** prefixBits - 1;
  let value = cursor.block.readUInt8(cursor.at++) & most;
  if (value < most) return value;
  for (let weight = 1; ; weight *= 128) {
    const octet = cursor.block.readUInt8(cursor.at++);
    value += (octet & 127) * weight;
    if (octet < 128) return value;
  }
}

function readText(cursor: Cursor): string {
  const huffman = (cursor.block.readUInt8(cursor.at) & 0x80) !== 0;
  const length = readInteger(cursor, 7);
  const bytes = cursor.block.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return huffman ? fromHuffman(bytes) : bytes.toString("latin1");
}

/** Bits of each octet's code, RFC 7541 appendix B. The code is canonical: the lengths say what the codes are. */
const CODE_BITS =
  "13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 " +
  "6 6 6 6 6 7 8 15 6 12 10 13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 " +
  "7 15 11 14 13 28 20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 22 21 20 22 22 23 23 21 23 22 22 " +
  "24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 " +
  "26 28 27 27 27 20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26";

/** The octet of each code, by `bits * 2^30 + code`. */
const OCTETS: ReadonlyMap<number, number> = (() => {
  const octets = CODE_BITS.split(" ").map((bits, octet) => ({ bits: Number(bits), octet }));
  const found = new Map<number, number>();
  let code = 0;
  let before = 0;
  for (const { bits, octet } of octets.sort((a, b) => a.bits - b.bits || a.octet - b.octet)) {
    code *= 2 ** (bits - before);
    before = bits;
    found.set(bits * 2 ** 30 + code++, octet);
  }
  return found;
})();

function fromHuffman(bytes: Buffer): string {
  let text = "";
  let code = 0;
  let bits = 0;
  for (const octet of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((octet >> bit) & 1);
      bits++;
      const found = OCTETS.get(bits * 2 ** 30 + code);
      if (found === undefined) continue;
      text += String.fromCharCode(found);
      code = 0;
      bits = 0;
    }
  }
  return text;
}
