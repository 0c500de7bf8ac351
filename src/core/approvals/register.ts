import type { ApprovalAnswered, ApprovalEnded, ApprovalUsed, DecisionRecord } from "../record.ts";
import type { DurationMs, Instant } from "../words.ts";
import { type Approval, type ApprovalState, isOpen, standingAt } from "./approval.ts";

/** How often people may be asked is counted over this time. */
export const ASKING_WINDOW_MS = 3_600_000;

/** The approvals, as a turn or a reader sees them. */
export interface ApprovalsView {
  /** How many are remembered. */
  readonly size: number;
  get(id: string): ApprovalState | undefined;
  /** The last that was opened for exactly this. */
  boundTo(binding: string): ApprovalState | undefined;
  /** Those of a task that bear on more than the request they were opened for: denied ones, and those with a wider yes. */
  bearingOn(task: string): readonly ApprovalState[];
  /** Whether people are asked for a task, or have agreed to what it has not done yet. */
  isAwaited(task: string, at: Instant): boolean;
  /** The last flood of an agent. */
  floodOf(tenant: string, agent: string): ApprovalState | undefined;
  /** How many approvals were opened for it in the last hour. */
  askedBy(asker: Asker, at: Instant): number;
  /** How many were opened for it in the hour before that instant. */
  askedBefore(asker: Asker, at: Instant): number;
  /** The last approved one of this agent for this tool, unless that was taken back. */
  lastApproved(tenant: string, agent: string, tool: string): ApprovalState | undefined;
  /** In the order in which they were opened. */
  all(): Iterable<ApprovalState>;
}

export interface Asker {
  readonly tenant: string;
  /** An agent, or a task. */
  readonly agent?: string;
  readonly task?: string;
}

const askerKey = ({ tenant, agent, task }: Asker): string => JSON.stringify([tenant, agent ?? null, task ?? null]);

/** The approvals by what they are found by. Changed by `apply` alone. */
export class Approvals implements ApprovalsView {
  readonly #byId = new Map<string, ApprovalState>();
  readonly #byBinding = new Map<string, string>();
  readonly #bearing = new Map<string, Set<string>>();
  /** By task, those that were not over when they were last written of. */
  readonly #open = new Map<string, Set<string>>();
  readonly #floods = new Map<string, string>();
  readonly #asked = new Map<string, Instant[]>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): ApprovalState | undefined {
    return this.#byId.get(id);
  }

  boundTo(binding: string): ApprovalState | undefined {
    return this.#found(this.#byBinding.get(binding));
  }

  bearingOn(task: string): readonly ApprovalState[] {
    return [...(this.#bearing.get(task) ?? [])].flatMap((id) => this.#byId.get(id) ?? []);
  }

  isAwaited(task: string, at: Instant): boolean {
    for (const id of this.#open.get(task) ?? []) {
      const state = this.#byId.get(id);
      if (state && isOpen(standingAt(state, at))) return true;
    }
    return false;
  }

  floodOf(tenant: string, agent: string): ApprovalState | undefined {
    return this.#found(this.#floods.get(askerKey({ tenant, agent })));
  }

  askedBy(asker: Asker, at: Instant): number {
    const asked = this.#asked.get(askerKey(asker)) ?? [];
    return asked.filter((then) => at - then < ASKING_WINDOW_MS).length;
  }

  askedBefore(asker: Asker, at: Instant): number {
    const asked = this.#asked.get(askerKey(asker)) ?? [];
    return asked.filter((then) => then < at && at - then < ASKING_WINDOW_MS).length;
  }

  lastApproved(tenant: string, agent: string, tool: string): ApprovalState | undefined {
    let last: ApprovalState | undefined;
    for (const state of this.#byId.values()) {
      const { approval } = state;
      const isLike = approval.kind === "action" && approval.tenant === tenant && approval.agent === agent && approval.tool === tool;
      if (isLike && isStillApproved(state) && (!last || answeredAt(state) >= answeredAt(last))) last = state;
    }
    return last;
  }

  all(): Iterable<ApprovalState> {
    return this.#byId.values();
  }

  #found(id: string | undefined): ApprovalState | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  open(approval: Approval): void {
    const { id, tenant, agent, task, askedAt } = approval;
    this.#byId.set(id, { approval, standing: "pending", answers: [], asked: 0, lastAskedAt: askedAt, used: 0 });
    addTo(this.#open, task, id);
    if (approval.kind === "flood") {
      this.#floods.set(askerKey({ tenant, agent }), id);
      return;
    }
    this.#byBinding.set(approval.binding, id);
    this.#count({ tenant, agent }, askedAt);
    this.#count({ tenant, task }, askedAt);
  }

  #count(asker: Asker, at: Instant): void {
    const key = askerKey(asker);
    const asked = this.#asked.get(key);
    if (asked) asked.push(at);
    else this.#asked.set(key, [at]);
  }

  answer(event: ApprovalAnswered): void {
    const { approval: id, standing, granted } = event;
    const state = this.#byId.get(id);
    if (!state) return;
    const { approval } = state;
    this.#byId.set(id, withAnswer(state, event));
    if (standing === "approved" && approval.kind === "flood") this.#forgetAsked(approval);
    if (standing === "denied" || granted) addTo(this.#bearing, approval.task, id);
    if (standing === "denied") takeFrom(this.#open, approval.task, id);
  }

  /** Somebody said that the agent may go on asking. */
  #forgetAsked({ tenant, agent, task }: Approval): void {
    this.#asked.delete(askerKey({ tenant, agent }));
    this.#asked.delete(askerKey({ tenant, task }));
  }

  use({ approval: id, at, standing }: ApprovalUsed): void {
    const state = this.#byId.get(id);
    if (!state) return;
    this.#byId.set(id, { ...state, standing, used: state.used + 1, ...(standing === "consumed" && { ended: { at } }) });
    if (standing === "consumed") takeFrom(this.#open, state.approval.task, id);
  }

  end(event: ApprovalEnded): void {
    const { approval: id } = event;
    const state = this.#byId.get(id);
    if (!state) return;
    const ended = withEnd(state, event);
    this.#byId.set(id, ended);
    takeFrom(this.#open, state.approval.task, id);
    if (ended.standing !== "denied" && !ended.granted) takeFrom(this.#bearing, state.approval.task, id);
  }

  /** The decision waits for it. */
  await({ approval, at }: DecisionRecord): void {
    const state = approval && this.#byId.get(approval.id);
    if (state) this.#byId.set(state.approval.id, { ...state, asked: state.asked + 1, lastAskedAt: at });
  }

  /** Drops what has long been over, unless it bears on a task that is remembered. */
  forget(now: Instant, window: DurationMs, isRemembered: (task: string) => boolean): void {
    // A no to more questions holds as long as they are counted.
    const kept = Math.max(window, ASKING_WINDOW_MS);
    for (const [key, asked] of this.#asked) {
      const recent = asked.filter((then) => now - then < ASKING_WINDOW_MS);
      if (recent.length === 0) this.#asked.delete(key);
      else if (recent.length < asked.length) this.#asked.set(key, recent);
    }
    for (const [id, state] of this.#byId) {
      const { approval } = state;
      // One that nobody has written down as over yet stays, so that somebody does.
      const over = isOpen(state.standing) ? undefined : state.ended?.at;
      if (over === undefined || now - over < kept) continue;
      const bears = this.#bearing.get(approval.task)?.has(id) === true;
      if (bears && isRemembered(approval.task)) continue;
      this.#drop(approval);
    }
  }

  #drop({ id, tenant, agent, task, binding }: Approval): void {
    this.#byId.delete(id);
    takeFrom(this.#bearing, task, id);
    takeFrom(this.#open, task, id);
    if (this.#byBinding.get(binding) === id) this.#byBinding.delete(binding);
    if (this.#floods.get(askerKey({ tenant, agent })) === id) this.#floods.delete(askerKey({ tenant, agent }));
  }
}

/** How it stands once somebody has answered. */
export const withAnswer = (state: ApprovalState, { answer, standing, granted }: ApprovalAnswered): ApprovalState => ({
  ...state,
  standing,
  answers: [...state.answers, answer],
  ...(granted && { granted }),
  ...(standing === "denied" && { ended: { at: answer.at, by: answer.by, ...(answer.comment !== undefined && { reason: answer.comment }) } }),
});

/** What was used up stays used up. A wider yes has a time of its own, and ends before that only if somebody or its task ends it. */
export function withEnd({ granted, ...rest }: ApprovalState, { how, at, by, reason }: ApprovalEnded): ApprovalState {
  return {
    ...rest,
    ...(how === "expired" && granted && { granted }),
    standing: isOpen(rest.standing) ? how : rest.standing,
    ended: { at, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) },
  };
}

const isStillApproved = ({ standing }: ApprovalState): boolean => standing === "approved" || standing === "consumed";

const answeredAt = ({ answers }: ApprovalState): number => answers.at(-1)?.at ?? 0;

function addTo(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  if (set) set.add(id);
  else sets.set(key, new Set([id]));
}

function takeFrom(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  set?.delete(id);
  if (set?.size === 0) sets.delete(key);
}
