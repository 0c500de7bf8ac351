import type { Approval } from "../../core/approvals/approval.ts";
import { ServiceError } from "../../core/errors.ts";
import type {
  ApprovalEvents,
  ApprovalEventsQuestion,
  EndedSuspensionsQuestion,
  KeptPolicy,
  Ledger,
  NumberedApprovalEvent,
  Turn,
} from "../../core/ports.ts";
import {
  type ApprovalEvent,
  type ControlEvent,
  type DecisionRecord,
  decodeEvent,
  encodeEvent,
  isApprovalEvent,
  type Reported,
  type Resumed,
} from "../../core/record.ts";
import { apply, createState, observe, type State, type StateKeys, type StateView, view } from "../../core/state.ts";
import { concerns, type EndedSuspension, holds, type Suspension } from "../../core/suspensions.ts";
import type { Instant } from "../../core/words.ts";

/** A ledger that forgets everything when the process ends: for tests, and to measure what durability costs. */
export interface MemoryLedger extends Ledger {
  /** The texts that a durable ledger would hold, in order. */
  readonly written: readonly string[];
}

/** Over a state of its own, or over one that its maker looks at as well. */
export function createMemoryLedger(state: State = createState()): MemoryLedger {
  const written: string[] = [];
  const decisions = new Map<string, number>();
  const policies = new Map<string, KeptPolicy>();
  const reports = new Map<string, Reported>();

  let closed = false;
  const refuseClosed = (): void => {
    if (closed) throw new ServiceError("LEDGER_UNAVAILABLE", "the ledger is closed; nothing was decided");
  };

  const listeners: ((event: ApprovalEvent) => void)[] = [];
  const write = (turn: Turn<unknown>): void => {
    for (const event of turn.events) {
      const text = encodeEvent(event);
      apply(state, event);
      if (event.kind === "decision") decisions.set(event.id, written.length);
      if (event.kind === "reported") reports.set(event.decision, event);
      written.push(text);
    }
    if (turn.observed) observe(state, turn.observed);
    for (const event of turn.events) if (isApprovalEvent(event)) for (const listener of listeners) listener(event);
  };

  const past = createPastSuspensions();

  return {
    written,
    get ready() {
      return !closed;
    },
    onReadyChange: () => undefined,
    onApprovalChange: (listener) => listeners.push(listener),
    async transact<A>(keys: StateKeys, run: (view: StateView) => Turn<A>): Promise<A> {
      refuseClosed();
      const turn = run(view(state, keys));
      write(turn);
      return turn.answer;
    },
    peek(keys, read) {
      refuseClosed();
      return read(view(state, keys));
    },
    async control(run) {
      refuseClosed();
      const turn = run({ suspensions: state.suspensions, tasks: state.registered });
      write(turn);
      for (const event of turn.events) past.note(event);
      return { answer: turn.answer, durable: true };
    },
    suspensions: () => state.suspensions,
    tasks() {
      refuseClosed();
      return state.registered;
    },
    async report(decisionId) {
      refuseClosed();
      return reports.get(decisionId);
    },
    async endedSuspensions(question) {
      refuseClosed();
      return past.ended(question);
    },
    async approvalEvents(question) {
      refuseClosed();
      return approvalEventsIn(written, question);
    },
    async decision(id): Promise<DecisionRecord | undefined> {
      const at = decisions.get(id);
      const text = at === undefined ? undefined : written[at];
      const event = text === undefined ? undefined : decodeEvent(text);
      return event?.kind === "decision" ? event : undefined;
    },
    async recordPolicy({ event, files }) {
      refuseClosed();
      if (!policies.has(event.policy)) policies.set(event.policy, { files, firstLoadedAt: event.at });
      write({ events: [event], answer: undefined });
    },
    async policy(digest) {
      return policies.get(digest);
    },
    async close() {
      closed = true;
    },
  };
}

function approvalEventsIn(written: readonly string[], { after, limit }: ApprovalEventsQuestion): ApprovalEvents {
  const opened = new Map<string, Approval>();
  const events: NumberedApprovalEvent[] = [];
  for (const [at, text] of written.entries()) {
    const event = decodeEvent(text);
    if (!isApprovalEvent(event)) continue;
    if (event.kind === "approval_opened") opened.set(event.id, event.approval);
    const approval = opened.get(event.kind === "approval_opened" ? event.id : event.approval);
    const seq = at + 1;
    if (approval && seq > after && events.length < limit) events.push({ seq, event, approval });
  }
  return { events, last: written.length };
}

/** Every suspension that was ever made, and the end of those that were resumed. */
function createPastSuspensions() {
  const made = new Map<string, Suspension>();
  const resumed = new Map<string, Resumed>();
  const endOf = (suspension: Suspension, now: Instant): readonly EndedSuspension[] => {
    const end = resumed.get(suspension.id);
    if (end) return [{ suspension, endedAt: end.at, endedBy: end.by, ...(end.reason !== undefined && { endedBecause: end.reason }) }];
    const { until } = suspension;
    return until === undefined || holds(suspension, now) ? [] : [{ suspension, endedAt: until }];
  };
  return {
    note(event: ControlEvent): void {
      if (event.kind === "suspended") made.set(event.id, event.suspension);
      else if (event.kind === "resumed") resumed.set(event.suspension, event);
    },
    ended({ tenant, now, limit }: EndedSuspensionsQuestion): readonly EndedSuspension[] {
      const ended = [...made.values()].filter((suspension) => concerns(suspension, tenant)).flatMap((suspension) => endOf(suspension, now));
      return ended.reverse().slice(0, limit);
    },
  };
}
