/** The request headers of every call on one connection, as HPACK (RFC 7541): only these, so they are encoded once. */
export interface CallHeaders {
  /** Of the first call: what repeats is put into the server's table. */
  readonly first: Buffer;
  /** Of all others: an octet or two for each that is in the table, as any client sends them. */
  readonly later: Buffer;
}

export interface CallOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly token?: string;
  /** Told to the server as `grpc-timeout`. */
  readonly timeoutMs?: number;
}

/** Indexes of the static table, RFC 7541 appendix A. */
const STATIC = { authority: 1, methodPost: 3, path: 4, schemeHttp: 6, authorization: 23, contentType: 31, userAgent: 58 } as const;
const STATIC_ENTRIES = 61;

export function callHeaders({ address, path, token, timeoutMs }: CallOptions): CallHeaders {
  const constant = Buffer.concat([indexed(STATIC.methodPost), indexed(STATIC.schemeHttp)]);
  const repeating = [
    [STATIC.path, path],
    [STATIC.authority, address],
    [STATIC.contentType, "application/grpc"],
    [STATIC.userAgent, "behest-bench"],
    ["te", "trailers"],
    ...(timeoutMs === undefined ? [] : [["grpc-timeout", `${timeoutMs}m`] as const]),
  ] as const;
  // A token never goes into a table (RFC 7541 §7.1.3): it is sent, and read, each time.
  const secret = token === undefined ? Buffer.alloc(0) : Buffer.concat([integer(STATIC.authorization, 4, 0x10), text(`Bearer ${token}`)]);
  return {
    first: Buffer.concat([constant, ...repeating.map(([name, value]) => added(name, value)), secret]),
    // The newest entry has the lowest index.
    later: Buffer.concat([constant, ...repeating.map((_, position) => indexed(STATIC_ENTRIES + repeating.length - position)), secret]),
  };
}

const indexed = (index: number): Buffer => integer(index, 7, 0x80);

const added = (name: number | string, value: string): Buffer =>
  Buffer.concat([typeof name === "number" ? integer(name, 6, 0x40) : Buffer.concat([integer(0, 6, 0x40), text(name)]), text(value)]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** RFC 7541 §5.1: what does not fit into the prefix follows in groups of seven bits. */
function integer(value: number, prefixBits: number, pattern: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const octets = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80);
  octets.push(rest);
  return Buffer.from(octets);
}
