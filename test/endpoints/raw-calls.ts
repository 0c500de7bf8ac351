import { hash, randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type DescMessage, fromBinary, type JsonObject, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import Sqlite from "better-sqlite3";
import type { Config } from "../../src/config.ts";
import type { Role } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import { DATABASE_FILE } from "../../src/data-directory.ts";
import { ApprovalService } from "../../src/gen/behest/v1/approval_pb.ts";
import { ControlService } from "../../src/gen/behest/v1/control_pb.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import { PolicyService } from "../../src/gen/behest/v1/policy_pb.ts";
import { TaskService } from "../../src/gen/behest/v1/task_pb.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { createLocalTokens } from "../../src/identity/tokens.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";

/** Why a call was refused, as far as its caller can see. */
export interface Refusal {
  /** Name of the gRPC status code. */
  readonly code: string;
  readonly message: string;
  /** Reason of the ErrorInfo in the status details. */
  readonly reason?: string;
  /** Field of the BadRequest there. */
  readonly field?: string;
  /** The limit that the ErrorInfo names. */
  readonly limit?: string;
  /** Seconds of the RetryInfo there. */
  readonly retryAfterS?: number;
}

export type Reply = { readonly body: Buffer } | Refusal;

export const malformed = (message: string, field?: string): Refusal => ({
  code: "INVALID_ARGUMENT",
  message,
  reason: "REQUEST_MALFORMED",
  ...(field !== undefined && { field }),
});

export const tooBig = (limit: string, message: string, field?: string): Refusal => ({
  code: "RESOURCE_EXHAUSTED",
  message,
  reason: "REQUEST_TOO_BIG",
  ...(field !== undefined && { field }),
  limit,
});

/** What stands in place of a refusal when there is none. */
export const ACCEPTED: Refusal = { code: "OK", message: "" };

export const refusalOf = (reply: Reply): Refusal => ("body" in reply ? ACCEPTED : reply);

export interface RawCaller {
  /** Sends these bytes as the request message of a method of one of our services, or of a whole path. */
  call(method: string, body: Uint8Array, authorization?: string): Promise<Reply>;
  close(): void;
}

const DEADLINE_MS = 20_000;

const SERVICES = [wire.DecisionService, TaskService, ApprovalService, PolicyService, ControlService];

/** Every method that needs a caller, by its name. */
export const METHODS: readonly string[] = SERVICES.flatMap(({ methods }) => methods.map(({ name }) => name));

function pathOf(method: string): string {
  const service = SERVICES.find(({ methods }) => methods.some(({ name }) => name === method)) ?? wire.DecisionService;
  return `/${service.typeName}/${method}`;
}

/** A gRPC client that knows nothing of messages. */
export function createRawCaller(address: string): RawCaller {
  const client = new Client(address, credentials.createInsecure());
  const asIs = (body: Buffer): Buffer => body;
  return {
    call: (method, body, authorization) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        if (authorization !== undefined) metadata.set("authorization", authorization);
        const path = method.startsWith("/") ? method : pathOf(method);
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(body), metadata, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
          resolve(error ? errorAsRefusal(error) : { body: answer ?? Buffer.alloc(0) });
        });
      }),
    close: () => client.close(),
  };
}

export function errorAsRefusal(error: ServiceError): Refusal {
  const [details] = error.metadata.get("grpc-status-details-bin");
  const status = Buffer.isBuffer(details) ? fromBinary(StatusSchema, details) : undefined;
  return { code: Code[error.code] ?? String(error.code), message: error.details, ...(status && detailsOf(status)) };
}

/** A status inside a message, such as an item of a batch, as the refusal it stands for. */
export const statusAsRefusal = (status: Status): Refusal => ({
  code: Code[status.code] ?? String(status.code),
  message: status.message,
  ...detailsOf(status),
});

function detailsOf({ details }: Status): Pick<Refusal, "reason" | "field" | "limit" | "retryAfterS"> {
  const [info] = details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? []);
  const [bad] = details.flatMap((any) => anyUnpack(any, BadRequestSchema) ?? []);
  const [retry] = details.flatMap((any) => anyUnpack(any, RetryInfoSchema) ?? []);
  const field = bad?.fieldViolations.map((violation) => violation.field).join();
  const limit = info?.metadata["limit"];
  return {
    ...(info && { reason: info.reason }),
    ...(field !== undefined && { field }),
    ...(limit !== undefined && { limit }),
    ...(retry && { retryAfterS: Number(retry.retryDelay?.seconds) }),
  };
}

export interface HostileServer extends RunningServer {
  readonly raw: RawCaller;
  /** Sends bytes as the local enforcer. */
  send(method: string, body: Uint8Array): Promise<Reply>;
  /** Why Decide refuses the local enforcer's request, or ACCEPTED. */
  refusal(request: wire.DecideRequest): Promise<Refusal>;
  decide(request: wire.DecideRequest): Promise<wire.DecideResponse>;
  /** Token of another enforcer, `other-enforcer`. */
  readonly otherToken: string;
  /** What that enforcer gets for a request that has nothing wrong with it. */
  decideAsOther(request?: wire.DecideRequest): Promise<wire.DecideResponse>;
  /** Rows of the database, as SQL sees them. */
  rows(sql: string): readonly Readonly<Record<string, unknown>>[];
}

/** A server that one enforcer misuses while another goes on asking. */
export async function runHostileServer(settings: Partial<Config> = {}): Promise<HostileServer> {
  const directory = temporaryDirectory();
  createLocalTokens(directory.path, instant(Date.now()));
  const otherToken = addToken(directory.path, { id: "other", caller: "other-enforcer", roles: ["enforcer"] });
  const server = await runServer({ ...settings, data: directory.path });
  const raw = createRawCaller(server.address);
  const send = (method: string, body: Uint8Array): Promise<Reply> => raw.call(method, body, `Bearer ${server.token("enforcer")}`);
  const ask = (request: wire.DecideRequest): Promise<Reply> => send("Decide", toBinary(wire.DecideRequestSchema, request));
  return {
    ...server,
    raw,
    send,
    refusal: async (request) => refusalOf(await ask(request)),
    decide: async (request) => decisionOf(await ask(request)),
    otherToken,
    decideAsOther: async (request = requestOf()) =>
      decisionOf(await raw.call("Decide", toBinary(wire.DecideRequestSchema, request), `Bearer ${otherToken}`)),
    rows: (sql) => readRows(directory.path, sql),
    async close() {
      raw.close();
      await server.close();
      directory.remove();
    },
  };
}

export function readRows(dataDirectory: string, sql: string): readonly Readonly<Record<string, unknown>>[] {
  const db = new Sqlite(join(dataDirectory, DATABASE_FILE), { readonly: true });
  try {
    return db.prepare<[], Readonly<Record<string, unknown>>>(sql).all();
  } finally {
    db.close();
  }
}

type Fields<T extends DescMessage> = Exclude<MessageInitShape<T>, MessageShape<T>>;

/** A read that the starter policy allows, with these fields replaced. */
export const requestOf = (fields: Fields<typeof wire.DecideRequestSchema> = {}): wire.DecideRequest =>
  create(wire.DecideRequestSchema, { agent: { id: "reader" }, action: actionOf(), ...fields });

export const actionOf = (fields: Fields<typeof wire.ActionSchema> = {}): wire.Action =>
  create(wire.ActionSchema, {
    tool: "filesystem/read_text_file",
    argumentsForm: { case: "argumentsJson", value: '{"path":"/srv/handbook.md"}' },
    ...fields,
  });

/** The same read, with the text of its arguments, or with a Struct. */
export const withJson = (value: string): wire.DecideRequest => requestOf({ action: actionOf({ argumentsForm: { case: "argumentsJson", value } }) });
export const withStruct = (value: JsonObject): wire.DecideRequest => requestOf({ action: actionOf({ argumentsForm: { case: "arguments", value } }) });

export function bodyOf(reply: Reply): Buffer {
  if ("body" in reply) return reply.body;
  throw new Error(`refused: ${reply.code} ${reply.message}`);
}

export const decisionOf = (reply: Reply): wire.DecideResponse => fromBinary(wire.DecideResponseSchema, bodyOf(reply));

/** The outcome in words. */
export const outcomeOf = ({ outcome }: wire.DecideResponse): string =>
  Object.entries(wire.Outcome).find(([, value]) => value === outcome)?.[0] ?? String(outcome);

interface TokenEntry {
  readonly id: string;
  readonly tenant: string;
  readonly caller: string;
  readonly roles: readonly Role[];
  readonly agents?: readonly string[];
  readonly sha256: string;
}

/** Rewrites tokens.json as an operator would: whole, and in place of the old one. */
export function rewriteTokens(dataDirectory: string, change: (tokens: readonly TokenEntry[]) => readonly TokenEntry[]): void {
  const path = join(dataDirectory, "tokens.json");
  const file: { readonly tokens: readonly TokenEntry[] } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(`${path}.draft`, JSON.stringify({ tokens: change(file.tokens) }));
  renameSync(`${path}.draft`, path);
}

/** Enters one more token in tokens.json, and answers it. */
export function addToken(
  dataDirectory: string,
  entry: Pick<TokenEntry, "id" | "caller" | "roles" | "agents"> & { readonly tenant?: string },
): string {
  const token = `behest.${entry.id}.${randomBytes(32).toString("base64url")}`;
  rewriteTokens(dataDirectory, (tokens) => [...tokens, { tenant: "default", ...entry, sha256: hash("sha256", token) }]);
  return token;
}
