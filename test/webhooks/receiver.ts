import { createServer, type IncomingHttpHeaders } from "node:http";

/** What a receiver does with a message: answers it, or never does. */
export type Reaction = number | "hang" | { readonly redirectTo: string };

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it does with the next messages, in order; then it takes everything. */
  reacts(...reactions: readonly Reaction[]): void;
  /** Answers once so many have come in all. */
  has(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server of this machine. */
export async function openReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const reactions: Reaction[] = [];
  const waits: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body });
      const reaction = reactions.shift() ?? 204;
      if (typeof reaction === "number") response.writeHead(reaction).end();
      else if (reaction !== "hang") response.writeHead(307, { location: reaction.redirectTo }).end();
      for (const { count, resolve } of waits) if (received.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/hooks/behest`,
    received,
    reacts: (...more) => reactions.push(...more),
    has: (count) => new Promise((resolve) => (received.length >= count ? resolve() : waits.push({ count, resolve }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
