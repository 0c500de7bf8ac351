import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { connect, type Load } from "./http2-load.ts";
import type { Target } from "./measure.ts";
import { numberedBodies } from "./numbered-bodies.ts";
import type { ServerProcess, Settings, Stage } from "./processes.ts";
import { type Asked, DISTINCT, type RequestKind, requestTemplates } from "./requests.ts";
import type { Server } from "./tasks.ts";

/** A server of Behest in a process of its own, every setting at its default but this one, and what is said. */
export interface BehestServer extends Server {
  readonly process: ServerProcess;
  readonly data: string;
}

export interface BehestOptions {
  readonly name: string;
  /** Absent: as `behest serve` does; otherwise with the ledger in memory. */
  readonly memory?: boolean;
  readonly settings?: Settings;
  /** Directory of the policy; absent: the starter policy. */
  readonly rules?: string;
}

/** When other work stalls the machine, refusing what has waited would measure the stall: here it is waited for, and shows in the percentiles. */
const PATIENT: Settings = { BEHEST_QUEUE_AGE_MAX_MS: "10000" };

export async function startBehest(stage: Stage, { name, memory = false, ...options }: BehestOptions): Promise<BehestServer> {
  const data = join(stage.directory, name);
  const settings = { ...PATIENT, ...options.settings };
  const flags = ["--data", data, "--grpc", "127.0.0.1:0", ...(options.rules === undefined ? [] : ["--rules", options.rules])];
  const process = memory
    ? await stage.start("./memory-server.ts", [data], settings)
    : await stage.start("../src/cli/main.ts", ["serve", ...flags], settings);
  const token = (role: string): string => readFileSync(join(data, `${role}.token`), "utf8").trim();
  return { process, data, address: process.address, tokens: { enforcer: token("enforcer"), initiator: token("initiator") } };
}

/** Calls one by one, which can also be offered at a rate. */
export type UnaryTarget = Target & { readonly load: Load };

const DECIDE = `/${wire.DecisionService.typeName}/Decide`;

export interface Deciding {
  readonly says: string;
  readonly asked: readonly Asked[];
  readonly kind?: RequestKind;
  readonly connections?: number;
}

/** Decide, on a server, of requests of one kind. */
export async function decideTarget(server: BehestServer, { says, asked, kind = DISTINCT, connections }: Deciding): Promise<UnaryTarget> {
  return {
    says,
    process: server.process,
    load: await connect({ address: server.address, path: DECIDE, token: server.tokens.enforcer, ...(connections && { connections }) }),
    bodies: numberedBodies(requestTemplates(kind, asked)),
    check: (answer) => checkDecision(answer, kind),
  };
}

/** A bare grpc-js server that is sent the same bytes and answers 200 of its own. */
export async function echoTarget(process: ServerProcess, token: string, asked: readonly Asked[]): Promise<UnaryTarget> {
  return {
    says: "bare grpc-js echo",
    process,
    load: await connect({ address: process.address, path: "/behest.bench.Echo/Echo", token }),
    bodies: numberedBodies(requestTemplates(DISTINCT, asked)),
    check: () => undefined,
  };
}

function checkDecision(answer: Buffer, kind: RequestKind): void {
  checkAnswer(fromBinary(wire.DecideResponseSchema, answer), kind);
}

/** @throws {Error} unless it is what the figures are said to be of. */
export function checkAnswer({ outcome, recorded, cache, reasonCodes }: wire.DecideResponse, { variety }: RequestKind): void {
  if (outcome !== wire.Outcome.ALLOW || !recorded) {
    throw new Error(`a decision was not a recorded ALLOW but ${reasonCodes.join(" ")}: the figures would be of something else`);
  }
  // The first of a kind is evaluated; what is kept comes later.
  if (cache?.hit !== (variety !== "distinct")) throw new Error(`\`${variety}\` requests were ${cache?.hit ? "" : "not "}answered from the cache`);
}
