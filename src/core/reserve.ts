import { chargeOf } from "./charges.ts";
import { ServiceError } from "./errors.ts";
import { serverOf } from "./facts.ts";
import type { Verdict } from "./judge.ts";
import type { NewId } from "./ports.ts";
import { type DecisionRecord, type LedgerEvent, RECORD_VERSION, type TaskClosed } from "./record.ts";
import { rankOf, type Situation } from "./situation.ts";
import type { StateView } from "./state.ts";
import { crowdedOut } from "./tasks/awaited.ts";
import { chainOf } from "./tasks/registered.ts";
import { NOTHING_SEEN, raiseSeen, type Seen } from "./tasks/seen.ts";
import { isIdle, type Task } from "./tasks/self-asserted.ts";

/** Bounds on what is remembered. */
export interface StateLimits {
  readonly openTasksMax: number;
  readonly agentsRememberedMax: number;
  readonly requestIdsMax: number;
  /** Different categories one task may have seen. */
  readonly categoriesSeenMax: number;
  /** Approvals, also of those that are over. */
  readonly approvalsMax: number;
}

export interface Reservation extends Pick<DecisionRecord, "seenAfter" | "worst" | "charge"> {
  readonly events: readonly LedgerEvent[];
}

export interface ReserveInput {
  readonly verdict: Verdict;
  readonly view: StateView;
  readonly limits: StateLimits;
  readonly newId: NewId;
  readonly principal: string;
  /** The request carries an id that will have to be remembered. */
  readonly attempted: boolean;
}

/**
 * What a decision changes beside its own record: the task it opens, those it closes to make room or finds expired, what the task will have seen if the
 * allowed call happens, and what that takes from its budgets, all of it counted before anybody acts on it.
 * @throws {ServiceError} STATE_FULL: forgetting would make later decisions kinder, so nothing more is taken.
 */
export function reserve(input: ReserveInput): Reservation {
  const { verdict, limits } = input;
  const { situation, judgement } = verdict;
  refuseOverfull(input);
  const { task } = situation.subject;
  const events: LedgerEvent[] = task.standing === "new" ? [...makeRoom(input), opened(input)] : expiries(input);
  if (judgement.outcome !== "ALLOW") return { events, ...(task.registered && risen(input, task.seen)) };
  const seenAfter = raiseSeen(raiseSeen(task.seen, whatItShows(situation)), crowdedOutOf(input));
  if (seenAfter.categories.length > limits.categoriesSeenMax) {
    throw new ServiceError("STATE_FULL", `a task may see ${limits.categoriesSeenMax} different categories`, { limit: "categories_seen" });
  }
  const worst = worstOf(situation);
  return {
    events,
    ...risen(input, seenAfter),
    ...(raiseSeen(seenAfter, worst) !== seenAfter && { worst }),
    ...(task.registered && { charge: chargeOf(situation) }),
  };
}

/** What the task has to be told: also what was found not to have been reported in time, which stays seen from then on. */
function risen({ view: { registered, task }, verdict }: ReserveInput, seen: Seen): Pick<Reservation, "seenAfter"> {
  const { standing, seen: before } = verdict.situation.subject.task;
  const kept = registered?.tree.seen ?? (standing === "open" && task ? task.seen : before);
  return raiseSeen(kept, seen) === kept ? {} : { seenAfter: seen };
}

/** One more awaited report than may be waited for: the oldest call counts as what its tool can return at worst. */
function crowdedOutOf({ view: { task, registered } }: ReserveInput): Seen {
  const awaited = registered?.tree.awaited ?? task?.awaited;
  return (awaited && crowdedOut(awaited)?.worst) ?? NOTHING_SEEN;
}

/** Tasks that are found to have expired stay so, even if the clock is put back. */
function expiries({ view: { registered }, verdict, newId }: ReserveInput): LedgerEvent[] {
  const { at, tenant, task } = verdict.situation.subject;
  if (!registered || task.standing !== "expired") return [];
  return chainOf(registered)
    .filter(({ task: { expiresAt }, ended }) => !ended && at >= expiresAt)
    .map(({ task: { id, root } }) => ({ kind: "task_ended", v: RECORD_VERSION, id: newId(at), at, tenant, task: id, root, how: "expired" }));
}

function refuseOverfull({ view, limits, attempted }: ReserveInput): void {
  if (!view.memory && view.agentsRemembered >= limits.agentsRememberedMax) {
    throw new ServiceError("STATE_FULL", `${limits.agentsRememberedMax} agents are remembered; raise \`agents_remembered_max\``, {
      limit: "agents_remembered",
    });
  }
  if (attempted && !view.attempt && view.attemptsRemembered >= limits.requestIdsMax) {
    throw new ServiceError("STATE_FULL", `${limits.requestIdsMax} request ids are remembered; raise \`request_ids_max\` or send fewer`, {
      limit: "request_ids",
    });
  }
}

/** What a call may bring back at worst, for when nobody says what it did. */
function worstOf({ policy, tool, subject }: Situation): Seen {
  const { order } = policy.settings.classification;
  const worst = tool?.output.classificationMax ?? (order.at(-1) as string);
  return {
    classifications: [order[rankOf(policy, worst)] as string],
    categories: tool?.output.categories ?? [],
    trust: tool?.output.trust ?? "untrusted",
    systems: [systemOf(tool !== undefined, subject.request.action.tool)],
  };
}

/** The highest of what the action touches, and what the catalog says the tool brings back; an unlisted tool brings back untrusted data. */
export function whatItShows({ subject, tool, classification, categories }: Situation): Seen {
  return {
    classifications: [classification],
    categories: tool ? [...categories, ...tool.output.categories] : categories,
    trust: tool?.output.trust ?? "untrusted",
    systems: [systemOf(tool !== undefined, subject.request.action.tool)],
  };
}

const systemOf = (isListed: boolean, tool: string): string => (isListed ? serverOf(tool) : "unlisted");

function opened({ verdict, newId, principal }: ReserveInput): LedgerEvent {
  const { subject } = verdict.situation;
  const { at, request, task } = subject;
  const opens: Task = {
    id: task.id ?? newId(at),
    tenant: subject.tenant,
    caller: subject.caller,
    agent: request.agent.id,
    principal,
    session: request.session ?? "none",
    ...(task.statement !== undefined && { statement: task.statement }),
    openedAt: at,
    lastUsedAt: at,
    seen: task.seen,
  };
  return { kind: "task_opened", v: RECORD_VERSION, id: newId(at), at, task: opens };
}

/** Closes the idle task that this one replaces, and the least recently used one if it is idle or in the way. */
function makeRoom({ verdict, view, limits, newId }: ReserveInput): TaskClosed[] {
  const { policy, subject } = verdict.situation;
  const { at } = subject;
  const close = (task: Task, reason: TaskClosed["reason"]): TaskClosed => ({
    kind: "task_closed",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    tenant: task.tenant,
    task: task.id,
    reason,
  });
  const closed = view.task ? [close(view.task, "idle")] : [];
  const { leastUsedTask } = view;
  if (leastUsedTask && leastUsedTask.id !== view.task?.id) {
    if (isIdle(leastUsedTask, { policy, at, approvals: view.approvals })) closed.push(close(leastUsedTask, "idle"));
    else if (view.openTasks >= limits.openTasksMax) closed.push(close(leastUsedTask, "evicted"));
  }
  return closed;
}
