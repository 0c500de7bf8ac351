import { once } from "node:events";
import { createServer } from "node:http2";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { createStatusReader } from "../../bench/http2/answer-headers.ts";
import { callHeaders } from "../../bench/http2/call-headers.ts";
import { createFrameReader, createOutgoing, FLAG, FRAME, PREFACE } from "../../bench/http2/frames.ts";

it("finds the status among headers that are new, repeated, coded by Huffman, and pushed out of the table", async () => {
  const every = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join("");
  const answers = Array.from({ length: 60 }, (_, number) => ({
    "grpc-status": String(number % 17),
    "grpc-message": number % 3 === 0 ? "the same as before" : `${number} ${every} `.repeat(number % 5).trim(),
    [`x-header-${number % 7}`]: `value ${number}`,
  }));
  const server = createServer();
  let answered = 0;
  server.on("stream", (stream) => stream.respond({ ":status": 200, ...answers[answered++] }, { endStream: true }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connect({ port: address.port, host: "127.0.0.1" });
  const outgoing = createOutgoing(socket);
  const readStatus = createStatusReader();
  const statuses: (string | undefined)[] = [];
  outgoing.bytes(PREFACE);
  outgoing.frame({ type: FRAME.settings, flags: 0, stream: 0 }, Buffer.alloc(0));
  const headers = callHeaders({ address: "localhost", path: "/a/b" });
  const call = (): void =>
    outgoing.frame(
      { type: FRAME.headers, flags: FLAG.endHeaders | FLAG.endStream, stream: 2 * statuses.length + 1 },
      statuses.length === 0 ? headers.first : headers.later,
    );
  await new Promise<void>((resolve) => {
    socket.on(
      "data",
      createFrameReader(({ type }, payload) => {
        if (type !== FRAME.headers) return;
        statuses.push(readStatus(payload));
        if (statuses.length === answers.length) resolve();
        else call();
      }),
    );
    call();
  });
  socket.destroy();
  server.close();
  expect(statuses).toEqual(answers.map((answer) => answer["grpc-status"]));
});
