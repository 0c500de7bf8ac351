import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type status as Code, Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";
import * as wire from "../../src/gen/behest/scorer/v1/scorer_pb.ts";

/** What a scorer does with a question: answers it, answers bytes of its own, fails, or never answers. */
export type Reaction = MessageInitShape<typeof wire.ScoreResponseSchema> | { readonly bytes: Uint8Array } | { readonly fails: Code } | "hang";

export interface StubScorer {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly wire.ScoreRequest[];
  /** What it does with the next questions, in order; then it answers `GOOD`. */
  reacts(...reactions: readonly Reaction[]): void;
  /** Answers once so many have come in all. */
  has(count: number): Promise<void>;
  /** Ends whatever hangs, in the order in which it came or the other way round. */
  release(how?: { readonly order?: "forwards" | "backwards"; readonly reaction?: Exclude<Reaction, "hang"> }): void;
  close(): void;
}

export const GOOD = { risk: 10, reason: "it is what was asked for", scorerId: "stub", scorerVersion: "1" } as const;

const asIs = (body: Buffer): Buffer => body;
const PATH = `/${wire.IntentScorer.typeName}/${wire.IntentScorer.method.score.name}`;
const DEFINITION = {
  path: PATH,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** A real gRPC server of this machine. */
export async function openStubScorer(at = 0, secrets = ServerCredentials.createInsecure()): Promise<StubScorer> {
  const asked: wire.ScoreRequest[] = [];
  const reactions: Reaction[] = [];
  const hanging: ((reaction: Exclude<Reaction, "hang">) => void)[] = [];
  const waits: { readonly count: number; readonly resolve: () => void }[] = [];
  const answer = (reaction: Exclude<Reaction, "hang">, callback: sendUnaryData<Buffer>): void => {
    if ("fails" in reaction) callback({ code: reaction.fails, details: "a \u001b[31mhostile\u001b[0m word" });
    else
      callback(
        null,
        Buffer.from("bytes" in reaction ? reaction.bytes : toBinary(wire.ScoreResponseSchema, create(wire.ScoreResponseSchema, reaction))),
      );
  };
  const server = new Server();
  server.addService(
    { Score: DEFINITION },
    {
      Score: ({ request }: { readonly request: Buffer }, callback: sendUnaryData<Buffer>) => {
        asked.push(fromBinary(wire.ScoreRequestSchema, request));
        const reaction = reactions.shift() ?? GOOD;
        if (reaction === "hang") hanging.push((later) => answer(later, callback));
        else answer(reaction, callback);
        for (const { count, resolve } of waits) if (asked.length >= count) resolve();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${at}`, secrets, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    reacts: (...more) => reactions.push(...more),
    has: (count) => new Promise((resolve) => (asked.length >= count ? resolve() : waits.push({ count, resolve }))),
    release({ order = "forwards", reaction = GOOD } = {}) {
      const all = hanging.splice(0);
      for (const end of order === "forwards" ? all : all.reverse()) end(reaction);
    },
    close: () => server.forceShutdown(),
  };
}
