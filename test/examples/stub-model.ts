import { createServer, type IncomingHttpHeaders } from "node:http";

/** What a model says, as the content of its message; or an HTTP status; or what its endpoint answers as a whole; or nothing ever. */
export type Says = string | number | { readonly body: string } | "hang";

export interface StubModel {
  /** To and with `/v1`. */
  readonly baseUrl: string;
  readonly asked: readonly { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: StubRequest }[];
  /** How many requests were given up by whoever made them. */
  readonly givenUp: Promise<void>;
  says(...all: readonly Says[]): void;
  close(): Promise<void>;
}

export interface StubRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** An OpenAI-compatible endpoint of this machine. */
export async function openStubModel(): Promise<StubModel> {
  const asked: StubModel["asked"][number][] = [];
  const answers: Says[] = [];
  const givenUp = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      asked.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(text) });
      const says = answers.shift() ?? '{"risk":12,"reason":"the task asks for it"}';
      if (says === "hang") response.once("close", () => givenUp.resolve());
      else if (typeof says === "number") response.writeHead(says).end("{}");
      else if (typeof says === "string") response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content: says } }] }));
      else response.end(says.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    baseUrl: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v1`,
    asked,
    givenUp: givenUp.promise,
    says: (...all) => answers.push(...all),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
