import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Suspension, SuspensionKind } from "../gen/behest/v1/control_pb.ts";
import { visible } from "./output.ts";

/** The kinds as they are typed, and what suspending one stops. */
export const KINDS = {
  all: { kind: SuspensionKind.ALL, stops: "every action of every agent of every tenant" },
  tenant: { kind: SuspensionKind.TENANT, stops: "every action in this tenant" },
  agent: { kind: SuspensionKind.AGENT, stops: "every action with this agent in its chain" },
  principal: { kind: SuspensionKind.PRINCIPAL, stops: "every action at this principal's behest" },
  tool: { kind: SuspensionKind.TOOL, stops: "every call of this tool" },
  effect: { kind: SuspensionKind.EFFECT, stops: "every action that has this effect, or one that nobody knows" },
  task: { kind: SuspensionKind.TASK, stops: "every action of this task and of those below it" },
} as const;
export type KindWord = keyof typeof KINDS;

export const kindWord = (kind: SuspensionKind): string => Object.entries(KINDS).find(([, known]) => known.kind === kind)?.[0] ?? String(kind);
export const stopsOf = (kind: SuspensionKind): string => Object.values(KINDS).find((known) => known.kind === kind)?.stops ?? "what it names";

export const targetOf = ({ kind, value }: Suspension): string => (kind === SuspensionKind.ALL ? "everything" : `${kindWord(kind)} ${visible(value)}`);

export const isoOf = (at: Timestamp | undefined): string => (at ? timestampDate(at).toISOString() : "");
