import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import {
  IntentScorer,
  type ScoreRequest,
  ScoreRequestSchema,
  type ScoreResponse,
  ScoreResponseSchema,
} from "../../src/gen/behest/scorer/v1/scorer_pb.ts";
import { askModel, ModelFailed, type ModelOptions } from "./model.ts";
import { promptOf, versionOf } from "./prompt.ts";

const SCORER_ID = "example/openai-compatible";
const REASON_LENGTH_MAX = 200;

export interface ServerOptions extends ModelOptions {
  /** HOST:PORT; port 0 picks a free one. */
  readonly address: string;
  /** Told why something was not judged. */
  readonly onFailure: (why: string) => void;
}

export interface ScorerServer {
  readonly port: number;
  close(): void;
}

/** Serves `behest.scorer.v1.IntentScorer`. @throws {Error} when the address cannot be bound */
export async function serveScorer(options: ServerOptions): Promise<ScorerServer> {
  const server = new Server();
  const { score } = IntentScorer.method;
  server.addService(
    {
      Score: {
        path: `/${IntentScorer.typeName}/${score.name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (request: ScoreRequest) => Buffer.from(toBinary(ScoreRequestSchema, request)),
        requestDeserialize: (body: Buffer) => fromBinary(ScoreRequestSchema, body),
        responseSerialize: (response: ScoreResponse) => Buffer.from(toBinary(ScoreResponseSchema, response)),
        responseDeserialize: (body: Buffer) => fromBinary(ScoreResponseSchema, body),
      },
    },
    { Score: answering(options) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(options.address, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => server.forceShutdown() };
}

function answering(options: ServerOptions): handleUnaryCall<ScoreRequest, ScoreResponse> {
  const scorerVersion = versionOf(options.model);
  return (call, callback) => {
    // Nobody waits any more: the model need not go on.
    const gone = new AbortController();
    call.once("cancelled", () => gone.abort());
    askModel(options, promptOf(call.request), gone.signal).then(
      ({ risk, reason }) =>
        callback(null, create(ScoreResponseSchema, { risk, reason: reason.slice(0, REASON_LENGTH_MAX), scorerId: SCORER_ID, scorerVersion })),
      (error: unknown) => {
        const why = error instanceof ModelFailed ? error : new ModelFailed("UNREACHABLE", "something went wrong");
        if (!gone.signal.aborted) options.onFailure(why.message);
        // What cannot be judged says nothing of the next question: Behest goes on asking.
        callback({ code: why.kind === "NOT_JUDGED" ? status.INVALID_ARGUMENT : status.UNAVAILABLE, details: why.message });
      },
    );
  };
}
