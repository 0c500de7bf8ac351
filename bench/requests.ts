import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";

/**
 * What differs from one request to the next. `distinct`: everything, also what the rules read, so that each is evaluated. `same_facts`: what
 * is acted upon and for whom, not what the rules read. `identical`: nothing.
 */
export type Variety = "distinct" | "same_facts" | "identical";
export type ArgumentsForm = "json" | "struct";

export interface RequestKind {
  readonly variety: Variety;
  readonly form: ArgumentsForm;
}

const AGENTS = 100;
const SESSIONS_PER_AGENT = 10;

/** Requests of one kind, encoded already; the numbers after `first` make no two alike, unless the kind is `identical`. */
export function encodeRequests(kind: RequestKind, first: number, count: number): readonly Buffer[] {
  return Array.from({ length: kind.variety === "identical" ? 1 : count }, (_, at) => encodeRequest(kind, first + at));
}

/** Each once. */
export const once = (bodies: readonly Buffer[]): Iterator<Buffer, undefined> => bodies.values();

/** Over and over. */
export function* again(bodies: readonly Buffer[]): Generator<Buffer, undefined> {
  if (bodies.length === 0) return undefined;
  while (true) yield* bodies;
}

function encodeRequest(kind: RequestKind, number: number): Buffer {
  const body = toBinary(wire.DecideRequestSchema, create(wire.DecideRequestSchema, requestOf(kind, number)));
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** A read of a file by one of a hundred agents, in one of its ten conversations: what most calls of agents look like. */
function requestOf(kind: RequestKind, number: number): MessageInitShape<typeof wire.DecideRequestSchema> {
  const agent = number % AGENTS;
  const session = Math.floor(number / AGENTS) % SESSIONS_PER_AGENT;
  const id = `agent-${String(agent).padStart(3, "0")}`;
  return {
    agent: { id },
    task: { statement: `Summarise what the handbook says on topic ${session}, for team ${agent}` },
    session: `conversation-${session}`,
    delegation: [{ principal: { type: wire.PrincipalType.USER, id: `person-${agent}` } }, { principal: { type: wire.PrincipalType.AGENT, id } }],
    action: { tool: "filesystem/read_text_file", argumentsForm: formOf(kind, number) },
    context: { environment: "development" },
  };
}

function formOf({ variety, form }: RequestKind, number: number): NonNullable<MessageInitShape<typeof wire.ActionSchema>["argumentsForm"]> {
  const values = {
    path: `/srv/handbook/chapter-${number % 40}/section-${number}.md`,
    encoding: "utf-8",
    head: 200,
    line_numbers: true,
    follow_links: false,
    reason: "looks for what the handbook says",
    // A fact that a starter rule reads: below its bound, and with `distinct` never the same twice.
    limit: variety === "distinct" ? 1 + number / 1_000_000_000 : 1,
  };
  return form === "json" ? { case: "argumentsJson", value: JSON.stringify(values) } : { case: "arguments", value: values };
}
