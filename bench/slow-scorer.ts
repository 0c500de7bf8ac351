import { create, toBinary } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { IntentScorer, ScoreResponseSchema } from "../src/gen/behest/scorer/v1/scorer_pb.ts";

/** A scorer that thinks for 5 ms and always finds that an action belongs to its task. */
const THINKS_MS = 5;
const ANSWER = Buffer.from(
  toBinary(ScoreResponseSchema, create(ScoreResponseSchema, { risk: 0, reason: "belongs to it", scorerId: "bench", scorerVersion: "1" })),
);

const bytes = (body: Buffer): Buffer => body;
const score: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
  setTimeout(() => callback(null, ANSWER), THINKS_MS);
};

const server = new Server();
server.addService(
  {
    Score: {
      path: `/${IntentScorer.typeName}/Score`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  },
  { Score: score },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ ready: true, grpc: `127.0.0.1:${port}` })}\n`);
});
