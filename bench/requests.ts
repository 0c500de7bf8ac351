import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { MARKER } from "./numbered-bodies.ts";

/**
 * What differs from one request to the next. `distinct`: everything, also what the rules read, so that each is evaluated. `same_facts`: what
 * is acted upon, not what the rules read. `identical`: nothing.
 */
export type Variety = "distinct" | "same_facts" | "identical";
export type ArgumentsForm = "json" | "struct";

export interface RequestKind {
  readonly variety: Variety;
  readonly form: ArgumentsForm;
}

/** Each evaluated, its arguments as JSON text: what costs most, and what most callers send. */
export const DISTINCT: RequestKind = { variety: "distinct", form: "json" };

/** Whose action it is, and in which task. */
export interface Asked {
  readonly agent: string;
  /** A registered task; absent: the conversation of `session`. */
  readonly taskId?: string;
  readonly session?: string;
}

const AGENTS = 100;

export const agentName = (number: number): string => `agent-${String(number % AGENTS).padStart(3, "0")}`;

/** A hundred agents with ten conversations each, which no initiator opened. */
export const CONVERSATIONS: readonly Asked[] = Array.from({ length: 1_000 }, (_, number) => ({
  agent: agentName(number),
  session: `conversation-${Math.floor(number / AGENTS)}`,
}));

/** What most calls of agents look like: a read of a file. */
export const TOOL = "filesystem/read_text_file";

type DecideRequestInit = MessageInitShape<typeof wire.DecideRequestSchema>;

/** Templates of one kind, see `numberedBodies`. */
export const requestTemplates = (kind: RequestKind, asked: readonly Asked[]): readonly Uint8Array[] =>
  asked.map((who) => toBinary(wire.DecideRequestSchema, create(wire.DecideRequestSchema, requestOf(kind, who))));

export function requestOf(kind: RequestKind, { agent, taskId, session }: Asked): DecideRequestInit {
  const action = { tool: TOOL, argumentsForm: formOf(kind) };
  const request = { agent: { id: agent }, action, context: { environment: "development" } };
  if (taskId !== undefined) return { ...request, task: { id: taskId } };
  return {
    ...request,
    task: { statement: `Summarise what the handbook says, for ${agent}` },
    delegation: [{ principal: { type: wire.PrincipalType.USER, id: "person" } }, { principal: { type: wire.PrincipalType.AGENT, id: agent } }],
    ...(session !== undefined && { session }),
  };
}

function formOf({ variety, form }: RequestKind): NonNullable<MessageInitShape<typeof wire.ActionSchema>["argumentsForm"]> {
  const values = {
    path: `/srv/handbook/chapter-12/section-${variety === "identical" ? 1 : MARKER}.md`,
    encoding: "utf-8",
    head: 200,
    line_numbers: true,
    follow_links: false,
    reason: "looks for what the handbook says",
    // A fact that a starter rule reads: below its bound, and with `distinct` never the same twice.
    limit: variety === "distinct" ? -MARKER : 1,
  };
  return form === "json" ? { case: "argumentsJson", value: JSON.stringify(values) } : { case: "arguments", value: values };
}
