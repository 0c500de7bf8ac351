import { ServiceError } from "../errors.ts";
import type { Verdict } from "../judge.ts";
import type { Policy } from "../policy.ts";
import type { NewId } from "../ports.ts";
import { type ApprovalEnded, type ApprovalOpened, type ApprovalUsed, type LedgerEvent, RECORD_VERSION } from "../record.ts";
import type { StateView } from "../state.ts";
import { type Hold, instant } from "../words.ts";
import { type Approval, type ApprovalState, type AwaitedApproval, isOpen, openUntil, standingAt } from "./approval.ts";
import type { Binding } from "./binding.ts";
import { partiesOf } from "./parties.ts";
import { ASKING_WINDOW_MS } from "./register.ts";
import { wasShown } from "./standing.ts";

/** What a decision does to approvals, and the one that its answer names. */
export interface Asked {
  readonly events: readonly LedgerEvent[];
  readonly approval?: AwaitedApproval;
}

export interface AskInput {
  readonly verdict: Verdict;
  readonly view: StateView;
  readonly binding: () => Binding;
  readonly newId: NewId;
  readonly decision: string;
  /** Approvals that are remembered at most. */
  readonly approvalsMax: number;
}

/**
 * Opens the approval that a REQUIRE_APPROVAL asks for, or finds the one that was opened for the same request; uses up the one by which an action is
 * allowed.
 * @throws {ServiceError} STATE_FULL
 */
export function askPeople(input: AskInput): Asked {
  const { verdict, view } = input;
  const { judgement } = verdict;
  if (judgement.outcome === "REQUIRE_APPROVAL") return ask(input);
  const used = judgement.approvedBy === undefined ? undefined : view.approvals.get(judgement.approvedBy);
  return used ? use(input, used) : { events: [] };
}

function use({ verdict, newId, decision }: AskInput, state: ApprovalState): Asked {
  const { approval, granted, used } = state;
  const { at } = verdict.situation.subject;
  const standing = used + 1 >= (granted?.uses ?? 1) ? "consumed" : "approved";
  const event: ApprovalUsed = { kind: "approval_used", v: RECORD_VERSION, id: newId(at), at, ...placeOf(approval), decision, standing };
  return { events: [event], approval: { id: approval.id, state: standing, expiresAt: openUntil(state) } };
}

const placeOf = ({ id: approval, tenant, task, root }: Approval) => ({ approval, tenant, task, root });

function ask(input: AskInput): Asked {
  const { verdict, view, binding } = input;
  const { situation, judgement } = verdict;
  const { at, approval: named } = situation.subject;
  const own = view.approvals.boundTo(binding().digest);
  const standing = own && standingAt(own, at);
  // One that was to be used and does not cover any more would be offered again and again.
  const isStale = named?.standing === "covers" && named.id === own?.approval.id;
  if (own && standing && isOpen(standing) && !isStale && wasShown(judgement, own)) {
    return { events: [], approval: { id: own.approval.id, state: standing, expiresAt: openUntil(own) } };
  }
  const over = own && isOpen(own.standing) ? [ended(input, own, standing === "expired" ? "expired" : "cancelled")] : [];
  const opened = isFlooding(situation.policy, input) ? floodOf(input) : { open: approvalFor(input, "action", over[0]?.approval) };
  if ("open" in opened) refuseOverfull(input);
  const approval = "open" in opened ? opened.open : opened.known;
  return {
    events: "open" in opened ? [...over, openedEvent(opened.open)] : over,
    approval: { id: approval.id, state: "pending", expiresAt: approval.expiresAt, ...(approval.kind === "flood" && { kind: "flood" }) },
  };
}

const openedEvent = (approval: Approval): ApprovalOpened => ({
  kind: "approval_opened",
  v: RECORD_VERSION,
  id: approval.id,
  at: approval.askedAt,
  approval,
});

function ended({ verdict, newId }: AskInput, { approval }: ApprovalState, how: ApprovalEnded["how"]): ApprovalEnded {
  const { at } = verdict.situation.subject;
  const because = how === "cancelled" ? { reason: "what it would have to answer has changed; it was asked anew" } : {};
  return { kind: "approval_ended", v: RECORD_VERSION, id: newId(at), at, ...placeOf(approval), how, ...because };
}

function isFlooding({ settings }: Policy, { verdict, view }: AskInput): boolean {
  const { tenant, at, request, task } = verdict.situation.subject;
  const { byAgent, forTask } = settings.askedPerHour;
  if (view.approvals.askedBy({ tenant, agent: request.agent.id }, at) >= byAgent) return true;
  return task.id !== undefined && view.approvals.askedBy({ tenant, task: task.id }, at) >= forTask;
}

/** The one that stands for everything that this agent asks beyond what people can be asked. */
function floodOf(input: AskInput): { readonly known: Approval } | { readonly open: Approval } {
  const { subject } = input.verdict.situation;
  const known = input.view.approvals.floodOf(subject.tenant, subject.request.agent.id);
  if (known && standingAt(known, subject.at) === "pending") return { known: known.approval };
  return { open: approvalFor(input, "flood", undefined) };
}

function approvalFor({ verdict, newId, decision, binding }: AskInput, kind: Approval["kind"], replaces: string | undefined): Approval {
  const { situation, judgement } = verdict;
  const { subject, policy } = situation;
  const { at, tenant, task, request } = subject;
  const { approvers, lifetimes } = policy.settings;
  const flood: Hold = { name: "behest:flood", approvers: approvers.default, quorum: approvers.quorum };
  const end = task.registered?.until ?? instant(at + lifetimes.approval);
  const lifetime = Math.min(...judgement.holds.map((hold) => hold.lifetime ?? lifetimes.approval));
  const { digest, pattern } = binding();
  const id = newId(at);
  // A decision that asks has a task: without one it is denied.
  const taskId = task.id ?? "none";
  return {
    id,
    tenant,
    kind,
    decision,
    binding: kind === "action" ? digest : `flood:${id}`,
    ...(kind === "action" && { pattern: pattern() }),
    task: taskId,
    root: task.registered?.root ?? taskId,
    parties: partiesOf(situation),
    agent: request.agent.id,
    tool: request.action.tool,
    effect: situation.effect,
    holds: kind === "action" ? judgement.holds : [flood],
    score: judgement.score,
    askedAt: at,
    expiresAt: instant(Math.min(at + (kind === "action" ? lifetime : ASKING_WINDOW_MS), end)),
    endorsableUntil: end,
    ...(replaces !== undefined && { replaces }),
  };
}

function refuseOverfull({ view, approvalsMax }: AskInput): void {
  if (view.approvals.size < approvalsMax) return;
  throw new ServiceError(
    "STATE_FULL",
    `${approvalsMax} approvals are remembered, those that are over for \`windows.memory\`; raise \`approvals_max\``,
    { limit: "approvals" },
  );
}
