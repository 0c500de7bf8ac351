import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Call, requireRole } from "../../core/access.ts";
import { ServiceError } from "../../core/errors.ts";
import type { Caller } from "../../core/request.ts";
import { answerOf, errorAnswer, type HttpAnswer } from "./errors.ts";

export interface HttpOptions {
  /** HOST:PORT; port 0 picks a free one. */
  readonly address: string;
  /** Whose token it is; undefined for any that is not known. */
  readonly authenticate: (token: string) => Caller | undefined;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Told what we did not throw ourselves: the wire says nothing of it. */
  readonly onInternalError: (error: unknown) => void;
}

export interface HttpServer {
  /** HOST:PORT as it is bound. */
  readonly address: string;
  /** Takes no new requests, lets those under way finish, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A page that whoever may call it can read. */
interface Page {
  readonly call: Call;
  read(): Promise<Pick<HttpAnswer, "headers" | "body">>;
}

type Pages = Readonly<Record<string, Page>>;

/** Whoever scrapes has one or two. */
const CONNECTIONS_MAX = 64;
const HEADER_BYTES_MAX = 8 * 1_024;
const HEADERS_WITHIN_MS = 5_000;
const REQUEST_WITHIN_MS = 10_000;
/** Longer than Prometheus waits between two scrapes, by default, if it keeps the connection. */
const IDLE_MS = 75_000;
const CHECK_EVERY_MS = 1_000;

/** Serves `GET /metrics`. @throws {Error} when the address cannot be bound. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { metrics } = options;
  const pages: Pages = {
    "/metrics": { call: "GET /metrics", read: async () => ({ headers: { "content-type": metrics.contentType }, body: await metrics.text() }) },
  };
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    (request, response) => {
      answer(options, pages, request).then(
        (found) => send(response, request, found),
        (error: unknown) => {
          if (!(error instanceof ServiceError)) options.onInternalError(error);
          send(response, request, answerOf(error));
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  const port = await bind(server, options.address);
  return {
    address: options.address.replace(/:\d+$/, `:${port}`),
    close: (graceMs) => drain(server, graceMs),
  };
}

async function answer(options: HttpOptions, pages: Pages, request: IncomingMessage): Promise<HttpAnswer> {
  const [path = ""] = (request.url ?? "").split("?");
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (!page) {
    const there = Object.keys(pages);
    return errorAnswer(404, { code: "PATH_UNKNOWN", message: `nothing is here; there is ${there.map((one) => `\`GET ${one}\``).join(", ")}` });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return errorAnswer(405, { code: "METHOD_UNKNOWN", message: "this can only be read: ask with GET" }, { allow: "GET, HEAD" });
  }
  requireRole(authenticated(options, request), page.call);
  return { status: 200, ...(await page.read()) };
}

/** As over gRPC: one token, and one that is known. */
function authenticated({ authenticate }: HttpOptions, { headersDistinct }: IncomingMessage): Caller {
  const [header, ...more] = headersDistinct["authorization"] ?? [];
  const token = header === undefined ? undefined : /^Bearer (\S+)$/i.exec(header)?.[1];
  if (token === undefined || more.length > 0) {
    throw new ServiceError("CALLER_UNAUTHENTICATED", "send one `authorization: Bearer TOKEN` header; the tokens lie in the data directory");
  }
  const caller = authenticate(token);
  if (!caller) throw new ServiceError("CALLER_UNAUTHENTICATED", "the token is not known; the tokens of this server lie in its data directory");
  return caller;
}

function send(response: ServerResponse, request: IncomingMessage, { status, headers, body }: HttpAnswer): void {
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  response.writeHead(status, {
    ...headers,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    // Nobody reads a body here, however long it is.
    ...(hasBody && { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function bind(server: Server, address: string): Promise<number> {
  const split = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, split).replace(/^\[|\]$/g, ""), Number(address.slice(split + 1))];
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", reject);
      const bound = server.address();
      resolve(typeof bound === "object" && bound ? bound.port : port);
    });
  });
}

/** A stuck client must not keep the server from ending. */
function drain(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
