import { identifiersIn } from "../intent/identifiers.ts";
import type { Settings } from "../policy.ts";
import type { DecisionRequest } from "../request.ts";
import type { Subject } from "../situation.ts";
import type { StateView } from "../state.ts";
import { chainOf } from "../tasks/registered.ts";
import type { Hold, Instant } from "../words.ts";
import { type ApprovalState, areSameHolds, type GivenAnswer, isOpen, isSameHold, openUntil, standingAt } from "./approval.ts";
import { type Asking, isAnswered } from "./approvers.ts";
import { type Binding, isWithinAmounts } from "./binding.ts";
import { ASKING_WINDOW_MS } from "./register.ts";
import { identifiersOf } from "./texts.ts";

/** What the approvals say of a request, as far as its decision reads it. It is recorded with the decision. */
export interface ApprovalStandings {
  /** The approval that covers this very request, or one like it; or the one that the request names, and why that covers nothing. */
  readonly approval?: CoveringApproval | NamedApproval;
  /** A person said no to this very request, or to more questions of this agent. */
  readonly refused?: RefusedApproval;
  /** How often people were asked in the last hour; of a request that they were asked about, in the hour before. Absent: never. */
  readonly asked?: { readonly byAgent: number; readonly forTask: number };
  /** What people endorsed for the task. */
  readonly endorsed?: { readonly values: readonly string[]; readonly sources: readonly string[] };
}

export interface CoveringApproval {
  readonly standing: "covers";
  readonly id: string;
  /** By a wider yes, which the request need not name. */
  readonly alike: boolean;
  readonly holds: readonly Hold[];
  readonly score: number;
  readonly answers: readonly Pick<GivenAnswer, "by" | "verified" | "verdict" | "holds" | "at">[];
  readonly until: Instant;
}

export interface NamedApproval {
  readonly standing: "pending" | "not_applicable";
  readonly id: string;
  /** Why it covers nothing, in words that tell nothing of other tenants. */
  readonly why: string;
}

export interface RefusedApproval {
  readonly id: string;
  readonly kind: "action" | "flood";
  readonly at: Instant;
}

export interface StandingsQuestion {
  readonly request: DecisionRequest;
  readonly subject: Subject;
  readonly view: StateView;
  readonly settings: Settings;
  /** Made only where something has to be compared with it. */
  readonly binding: () => Binding;
}

/** All that the approvals say of a request. */
export function approvalStandings(question: StandingsQuestion): ApprovalStandings {
  const { request, subject, view } = question;
  const { tenant, at, task } = subject;
  if (view.approvals.size === 0 && request.approvalId === undefined) return {};
  const bearing = task.id === undefined ? [] : view.approvals.bearingOn(task.id);
  const flood = view.approvals.floodOf(tenant, request.agent.id);
  const endorsed = endorsedFor(question, at);
  const asked = askedNow(question, flood);
  // What is open for exactly this belongs to this task.
  const isAsked = task.id !== undefined && view.approvals.isAwaited(task.id, at);
  const isCompared = request.approvalId !== undefined || bearing.length > 0 || flood?.standing === "denied" || isAsked;
  if (!isCompared) return { ...(asked && { asked }), ...(endorsed && { endorsed }) };
  const own = view.approvals.boundTo(question.binding().digest);
  const refused = refusalOf(own, question) ?? (own && isOpenAt(own, at) ? undefined : floodRefusal(flood, question));
  const approval = named(question, own) ?? alike(question, bearing, endorsed) ?? unfit(question);
  const answered = approval?.standing === "covers" ? view.approvals.get(approval.id) : own && isOpenAt(own, at) ? own : undefined;
  const counted = answered ? askedBefore(question, answered) : asked;
  return {
    ...(approval && { approval }),
    ...(refused && { refused }),
    ...(counted && { asked: counted }),
    ...(endorsed && { endorsed }),
  };
}

const isOpenAt = (state: ApprovalState, at: Instant): boolean => isOpen(standingAt(state, at));

function refusalOf(own: ApprovalState | undefined, { subject, settings }: StandingsQuestion): RefusedApproval | undefined {
  if (own?.standing !== "denied" || !own.ended) return undefined;
  const { at } = own.ended;
  const { reaskAfter } = settings;
  return reaskAfter !== undefined && subject.at - at >= reaskAfter ? undefined : { id: own.approval.id, kind: "action", at };
}

function floodRefusal(flood: ApprovalState | undefined, { subject }: StandingsQuestion): RefusedApproval | undefined {
  if (flood?.standing !== "denied" || !flood.ended || subject.at - flood.ended.at >= ASKING_WINDOW_MS) return undefined;
  return { id: flood.approval.id, kind: "flood", at: flood.ended.at };
}

/** The approval that the request names, if it was given for exactly this. */
function named({ request, subject }: StandingsQuestion, own: ApprovalState | undefined): CoveringApproval | NamedApproval | undefined {
  const { approvalId } = request;
  if (approvalId === undefined || own?.approval.id !== approvalId) return undefined;
  const standing = standingAt(own, subject.at);
  if (standing === "approved") return covering(own, "exactly");
  return standing === "pending" ? { standing: "pending", id: approvalId, why: "nobody has completed it yet" } : undefined;
}

/** A wider yes of this task that holds for what is asked. */
function alike(
  question: StandingsQuestion,
  bearing: readonly ApprovalState[],
  endorsed: ApprovalStandings["endorsed"],
): CoveringApproval | undefined {
  const { subject } = question;
  const found = bearing.find(
    (state) => (state.granted?.uses ?? 1) > 1 && standingAt(state, subject.at) === "approved" && isAlike(question, state, endorsed),
  );
  return found && covering(found, "alike");
}

function isAlike(question: StandingsQuestion, { approval }: ApprovalState, endorsed: ApprovalStandings["endorsed"]): boolean {
  const shown = approval.pattern;
  const asked = question.binding().pattern();
  if (!shown || shown.digest !== asked.digest || !isWithinAmounts(shown, asked)) return false;
  const known = new Set([...shown.identifiers, ...strongIdentifiers(question, endorsed)]);
  return asked.identifiers.every((identifier) => known.has(identifier));
}

/** What a person named: in the words of the registered task, as an endorsed value, or as an attribute of whom the task is for. */
function strongIdentifiers({ view, subject }: StandingsQuestion, endorsed: ApprovalStandings["endorsed"]): readonly string[] {
  const { registered } = subject.task;
  const root = view.registered && !registered?.statementExpired ? chainOf(view.registered)[0]?.task : undefined;
  return [
    ...(root ? identifiersIn(root.statement) : []),
    ...identifiersOf(registered?.principal.attributes ?? {}),
    ...(endorsed?.values ?? []).flatMap(identifiersIn),
  ];
}

function covering(state: ApprovalState, how: "exactly" | "alike"): CoveringApproval {
  const { approval, answers } = state;
  return {
    standing: "covers",
    id: approval.id,
    alike: how === "alike",
    holds: approval.holds,
    score: approval.score,
    answers: answers.map(({ by, verified, verdict, holds, at }) => ({ by, verified, verdict, holds, at })),
    until: openUntil(state),
  };
}

/** The same words whether there is none, another tenant's, or one for something else. */
function unfit({ request, subject, view }: StandingsQuestion): NamedApproval | undefined {
  const { approvalId: id } = request;
  if (id === undefined) return undefined;
  const state = view.approvals.get(id);
  const isOwn = state?.approval.tenant === subject.tenant && state.approval.parties.caller === subject.caller;
  const standing = isOwn ? standingAt(state, subject.at) : undefined;
  const why =
    standing === undefined || standing === "pending" || standing === "approved"
      ? "no approval of this id was given for this request"
      : `it is ${standing}`;
  return { standing: "not_applicable", id, why };
}

/** Endorsed for the task, or for one above it, by people who may still do so. */
function endorsedFor({ view, subject, settings }: StandingsQuestion, at: Instant): ApprovalStandings["endorsed"] {
  const { task } = subject;
  const tasks = view.registered ? chainOf(view.registered).map(({ task: { id } }) => id) : task.id === undefined ? [] : [task.id];
  const granted = tasks
    .flatMap((id) => view.approvals.bearingOn(id))
    .filter(({ approval: { holds, parties }, answers }) => holds.every((hold) => isAnswered(hold, answers, { parties, settings })))
    .flatMap(({ granted: wider }) => (wider && at < wider.until ? wider : []));
  const values = [...new Set(granted.flatMap((grant) => grant.values))].sort();
  const sources = [...new Set(granted.flatMap((grant) => grant.sources))].sort();
  return values.length + sources.length === 0 ? undefined : { values, sources };
}

function askedNow({ view, request, subject }: StandingsQuestion, flood: ApprovalState | undefined): ApprovalStandings["asked"] {
  const { tenant, at, task } = subject;
  const held = flood && standingAt(flood, at) === "pending" ? flood.asked : 0;
  const byAgent = view.approvals.askedBy({ tenant, agent: request.agent.id }, at) + held;
  const forTask = task.id === undefined ? 0 : view.approvals.askedBy({ tenant, task: task.id }, at);
  return countsOf(byAgent, forTask);
}

/** As it was when people were asked this: what was asked since must not raise a score that they were shown, or no yes would last in a busy hour. */
function askedBefore({ view, subject }: StandingsQuestion, { approval }: ApprovalState): ApprovalStandings["asked"] {
  const { tenant, request, task } = subject;
  const byAgent = view.approvals.askedBefore({ tenant, agent: request.agent.id }, approval.askedAt);
  const forTask = task.id === undefined ? 0 : view.approvals.askedBefore({ tenant, task: task.id }, approval.askedAt);
  return countsOf(byAgent, forTask);
}

const countsOf = (byAgent: number, forTask: number): ApprovalStandings["asked"] => (byAgent + forTask === 0 ? undefined : { byAgent, forTask });

/** Whether an approval answers every hold that stands: none is new, the score is not higher, and enough of those who may answer now said yes. */
export function covers({ holds, score }: Judged, approval: CoveringApproval, asking: Asking): boolean {
  if (score > approval.score) return false;
  return holds.every(
    (hold) => approval.holds.some((shown) => isSameHold(shown, hold)) && isAnswered(hold, approval.answers as readonly GivenAnswer[], asking),
  );
}

export interface Judged {
  readonly holds: readonly Hold[];
  readonly score: number;
}

/** Whether people were shown all of it. */
export const wasShown = ({ holds, score }: Judged, { approval }: ApprovalState): boolean =>
  areSameHolds(approval.holds, holds) && score <= approval.score;
