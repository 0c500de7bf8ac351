import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, status as Code, credentials, Metadata } from "@grpc/grpc-js";
import type { ScorerAnswer, ScorerQuestion } from "../core/intent/scorer.ts";
import * as wire from "../gen/behest/scorer/v1/scorer_pb.ts";
import { answerFromWire, questionToWire } from "./convert.ts";

export interface ConnectionOptions {
  /** `https://HOST[:PORT]`, or `http://` and a loopback host. */
  readonly url: string;
  readonly deadlineMs: number;
}

/** What came of one call. The words are for a log: never what the scorer wrote. */
export type CallOutcome =
  | { readonly kind: "answered"; readonly answer: ScorerAnswer }
  /** It is well, and cannot judge this. */
  | { readonly kind: "declined" }
  | { readonly kind: "failed"; readonly why: string };

export interface Connection {
  /** Answers within the deadline, and never throws. */
  ask(question: ScorerQuestion): Promise<CallOutcome>;
  /** Lets go of the connection; the next call makes another. Calls that are under way end with their deadline. */
  drop(): void;
}

/** More than any answer needs: what is longer is not read. */
const ANSWER_BYTES_MAX = 16 * 1_024;

export function createConnection({ url, deadlineMs }: ConnectionOptions): Connection {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "https:";
  const target = `${hostname}:${port || (isSecure ? 443 : 80)}`;
  const path = `/${wire.IntentScorer.typeName}/${wire.IntentScorer.method.score.name}`;
  let client: Client | undefined;
  const connected = (): Client => {
    client ??= new Client(target, isSecure ? credentials.createSsl() : credentials.createInsecure(), {
      "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
      // What is asked goes where the operator said: by no proxy that the environment names, and as no record of the name's domain says.
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      // A call is made once: the deadline has no room for another.
      "grpc.enable_retries": 0,
      "grpc.enable_channelz": 0,
    });
    return client;
  };
  return {
    ask: (question) =>
      new Promise<CallOutcome>((resolve) => {
        connected().makeUnaryRequest(
          path,
          (request: wire.ScoreRequest) => Buffer.from(toBinary(wire.ScoreRequestSchema, request)),
          (body: Buffer) => fromBinary(wire.ScoreResponseSchema, body),
          questionToWire(question),
          new Metadata(),
          { deadline: Date.now() + deadlineMs },
          (error, response) => {
            const answer = response && answerFromWire(response);
            if (answer) resolve({ kind: "answered", answer });
            else if (error?.code === Code.INVALID_ARGUMENT) resolve({ kind: "declined" });
            else resolve({ kind: "failed", why: error ? (Code[error.code] ?? "no status that there is") : "what it answers is no answer" });
          },
        );
      }).catch((error: unknown) => ({ kind: "failed", why: error instanceof Error ? error.name : "an error" })),
    drop() {
      client?.close();
      client = undefined;
    },
  };
}
