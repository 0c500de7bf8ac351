import { createServer, type ServerResponse } from "node:http";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span as it came, as far as the tests look at it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2: server, 1: internal. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2: error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that was sent, as it came. */
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  close(): void;
}

/** A collector that speaks OTLP over HTTP; `answer` says what it does once it has read a batch. */
export async function runCollector(answer: (response: ServerResponse) => void = (response) => response.writeHead(200).end()): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const chunks: Buffer[] = [];
  let headers: Readonly<Record<string, unknown>> = {};
  const server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => {
      headers = { ...request.headers, path: request.url };
      chunks.push(...body);
      spans.push(...readSpans(Buffer.concat(body)));
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  return {
    url: `http://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`,
    spans,
    get bytes() {
      return Buffer.concat(chunks);
    },
    get headers() {
      return headers;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

/** The fields of a message by their numbers: bytes where they have a length, else their number. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | number)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value = type === WireType.LengthDelimited ? reader.bytes() : type === WireType.Varint ? Number(reader.int64()) : fixed(reader, type);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const fixed = (reader: BinaryReader, type: WireType): number => (type === WireType.Bit64 ? reader.double() : reader.fixed32());

const messages = (fields: Fields, number: number): readonly Fields[] => (fields.get(number) ?? []).map((one) => fieldsOf(one as Uint8Array));
const text = (fields: Fields, number: number): string => Buffer.from((fields.get(number)?.[0] as Uint8Array | undefined) ?? []).toString();
const hex = (fields: Fields, number: number): string => Buffer.from((fields.get(number)?.[0] as Uint8Array | undefined) ?? []).toString("hex");
const count = (fields: Fields, number: number): number => Number(fields.get(number)?.[0] ?? 0);

/** KeyValue {1: key, 2: AnyValue {1: text, 2: truth, 3: integer, 4: number}}. */
const attributesOf = (fields: Fields, number: number): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    messages(fields, number).map((pair) => {
      const [value] = messages(pair, 2);
      const [kind, held] = [...(value ?? new Map())][0] ?? [];
      return [text(pair, 1), kind === 1 ? text(value as Fields, 1) : kind === 2 ? held?.[0] === 1 : held?.[0]];
    }),
  );

/**
 * ExportTraceServiceRequest {1: ResourceSpans {1: Resource {1: attributes}, 2: ScopeSpans {2: Span}}}, see
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
const readSpans = (body: Uint8Array): readonly ReceivedSpan[] =>
  messages(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1);
    return messages(resourceSpans, 2)
      .flatMap((scope) => messages(scope, 2))
      .map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        traceState: text(span, 3),
        parentSpanId: hex(span, 4),
        name: text(span, 5),
        kind: count(span, 6),
        attributes: attributesOf(span, 9),
        status: count(messages(span, 15)[0] ?? new Map(), 3),
        resource: resource ? attributesOf(resource, 1) : {},
      }));
  });
