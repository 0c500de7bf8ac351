import { connect } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { vi } from "vitest";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { ACCEPTED, errorAsRefusal, outcomeOf, type Refusal, statusAsRefusal } from "./raw-calls.ts";

/** One answer: the item's name, and the outcome, or why it was refused. */
export interface StreamAnswer {
  readonly name: string;
  readonly answer: string | Refusal;
  readonly decision?: wire.DecideResponse;
}

export interface RawStream {
  /** What has come so far, in its order. */
  readonly answers: readonly StreamAnswer[];
  sendBytes(bytes: Uint8Array): void;
  send(correlationId: string, decide: wire.DecideRequest): void;
  /** The answer to the item of this name, once it is there. */
  answerTo(name: string): Promise<StreamAnswer["answer"]>;
  /** No more items. */
  endHalf(): void;
  cancel(): void;
  /** Takes nothing more from the server until `read`. */
  stopReading(): void;
  read(): void;
  /** What the stream ended with, after all its answers. */
  readonly ended: Promise<Refusal>;
}

export const itemOf = (correlationId: string, decide: wire.DecideRequest): Uint8Array =>
  toBinary(wire.DecideStreamRequestSchema, create(wire.DecideStreamRequestSchema, { correlationId, decide }));

/** A stream of decisions whose items may be any bytes. */
export function openRawStream(address: string, token?: string): RawStream {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const asIs = (body: Buffer): Buffer => body;
  const call = client.makeBidiStreamRequest("/behest.v1.DecisionService/DecideStream", asIs, asIs, metadata);
  const answers: StreamAnswer[] = [];
  const ended = new Promise<Refusal>((resolve) => {
    let failed: Refusal = ACCEPTED;
    call.on("error", (error: ServiceError) => {
      failed = errorAsRefusal(error);
    });
    call.on("end", () => {
      client.close();
      resolve(failed);
    });
  });
  call.on("data", (body: Buffer) => answers.push(answerOf(body)));
  const sendBytes = (bytes: Uint8Array): unknown => call.write(Buffer.from(bytes));
  return {
    answers,
    ended,
    sendBytes,
    send: (correlationId, decide) => sendBytes(itemOf(correlationId, decide)),
    answerTo: (name) =>
      vi.waitFor(
        () => {
          const found = answers.find((answer) => answer.name === name);
          if (!found) throw new Error(`\`${name}\` has no answer`);
          return found.answer;
        },
        { timeout: 10_000 },
      ),
    endHalf: () => call.end(),
    cancel: () => call.cancel(),
    stopReading: () => call.pause(),
    read: () => call.resume(),
  };
}

/** A message as it stands on the wire. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface ByteStream {
  write(bytes: Uint8Array): void;
  answers(): readonly StreamAnswer[];
  isOpen(): boolean;
  close(): void;
}

/** A stream of decisions without a gRPC client, whose items may arrive in pieces. */
export function openByteStream(address: string, token: string): ByteStream {
  const session = connect(`http://${address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/behest.v1.DecisionService/DecideStream",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${token}`,
  });
  const received: Buffer[] = [];
  let isOpen = true;
  stream.on("error", () => undefined).on("data", (chunk: Buffer) => received.push(chunk));
  stream.once("close", () => {
    isOpen = false;
    session.close();
  });
  return {
    write: (bytes) => stream.write(bytes),
    answers: () => messagesIn(Buffer.concat(received)).map(answerOf),
    isOpen: () => isOpen,
    close: () => stream.close(),
  };
}

function messagesIn(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

function answerOf(body: Buffer): StreamAnswer {
  const { correlationId: name, result } = fromBinary(wire.DecideStreamResponseSchema, body);
  if (result.case === "decision") return { name, answer: outcomeOf(result.value), decision: result.value };
  if (result.case === "error") return { name, answer: statusAsRefusal(result.value) };
  return { name, answer: Code[Code.UNKNOWN] ?? "an item without an answer" };
}
