import type { OnShed } from "../endpoints/grpc/shedding.ts";
import { createDeskCalls, type PassedPorts } from "./desk-calls.ts";
import { createDeskDecisions, type DeciderPorts } from "./desk-decisions.ts";
import type { SpanCounts, ToDoor, ToOwner } from "./messages.ts";

export interface DeskPorts extends DeciderPorts, PassedPorts {
  readonly onShed: OnShed;
  readonly onWarning: (why: string) => void;
  readonly onTold: (what: string) => void;
  readonly onSpans: (counts: SpanCounts) => void;
}

/** Answers what one door asks. */
export interface Desk {
  take(message: ToOwner): void;
  /** The door is not there any more: what it asked is decided and recorded, and nobody waits for people on its behalf. */
  leave(): void;
}

export type Say = (message: ToDoor, moved?: readonly ArrayBuffer[]) => void;

/** Of whatever may wait long, by its id: aborted when nobody waits for it any more. */
export type Leaving = Map<number, AbortController>;

export function createDesk(ports: DeskPorts, say: Say): Desk {
  const leaving: Leaving = new Map();
  const decisions = createDeskDecisions(ports, leaving, say);
  const calls = createDeskCalls(ports, leaving, say);
  const gone = (id: number): void => {
    leaving.get(id)?.abort();
    calls.endWatch(id);
  };
  return {
    take(message) {
      if (message.kind === "decide") decisions.take(message.text);
      else if (message.kind === "call") calls.call(message);
      else if (message.kind === "watch") calls.watch(message);
      else if (message.kind === "next") calls.next(message.id);
      else if (message.kind === "gone") gone(message.id);
      else if (message.kind === "problem") ports.onInternalError(message.error);
      else if (message.kind === "warning") ports.onWarning(message.why);
      else if (message.kind === "spans") ports.onSpans(message.counts);
      else if (message.kind === "told") ports.onTold(message.what);
      else if (message.kind === "shed") {
        for (const [reason, count] of message.counts) for (let told = 0; told < count; told++) ports.onShed(reason);
      }
    },
    leave() {
      for (const id of [...leaving.keys()]) gone(id);
    },
  };
}
