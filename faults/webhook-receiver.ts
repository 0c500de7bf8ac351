import { createServer } from "node:http";
import { now, type Told } from "./recorded-run.ts";

/** Takes every webhook, and remembers when. */
export interface WebhookReceiver {
  readonly url: string;
  /** Events, by their ids. */
  readonly delivered: readonly Told<string>[];
  close(): Promise<void>;
}

export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const delivered: Told<string>[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      // Before the answer: what the server makes of that comes later.
      delivered.push({ what: String(request.headers["webhook-id"]), atNs: now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/`,
    delivered,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
