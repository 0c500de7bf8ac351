import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";

/** What any gRPC server in this language costs: takes a request's bytes, looks at nothing, answers about as many as a decision has. */

const ANSWER = Buffer.alloc(200, 0x62);

const bytes = (body: Buffer): Buffer => body;
const echo: handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, ANSWER);

const server = new Server();
server.addService(
  {
    Echo: {
      path: "/behest.bench.Echo/Echo",
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  },
  { Echo: echo },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ ready: true, grpc: `127.0.0.1:${port}` })}\n`);
});
