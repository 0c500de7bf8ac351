import { coversAgent } from "../access.ts";
import { ServiceError } from "../errors.ts";
import { isoOf } from "../instants.ts";
import { encodeStable } from "../json.ts";
import type { Clock, Ledger, NewId, PolicySource, Turn } from "../ports.ts";
import { type ApprovalAnswered, type ApprovalEnded, type DecisionRecord, RECORD_VERSION } from "../record.ts";
import type { Caller } from "../request.ts";
import type { StateKeys, StateView } from "../state.ts";
import { chainOf } from "../tasks/registered.ts";
import type { Instant, Json } from "../words.ts";
import { type Approval, type ApprovalStanding, type ApprovalState, type Endorsement, type GivenAnswer, type Granted, isOpen } from "./approval.ts";
import { type Asking, holdsFor, isAnswered, isParty, isVerified } from "./approvers.ts";
import { checkEndorsement, grantedBy } from "./endorsing.ts";
import { withAnswer, withEnd } from "./register.ts";
import { type ApprovalStatus, type LookedAt, statusAt, TASK_ENDED } from "./status.ts";

export interface ApprovalKeeperPorts {
  readonly ledger: Pick<Ledger, "transact" | "peek" | "decision">;
  readonly policies: PolicySource;
  readonly clock: Clock;
  readonly newId: NewId;
}

export interface ResolveRequest {
  readonly id: string;
  readonly verdict: "approve" | "deny" | "revoke";
  readonly comment?: string;
  readonly endorsement?: Endorsement;
}

export interface ListApprovalsQuestion {
  /** Absent: those that are open. */
  readonly standings?: readonly ApprovalStanding[];
  readonly agent?: string;
  readonly task?: string;
  readonly limit: number;
}

export interface ListedApprovals {
  readonly approvals: readonly ApprovalStatus[];
  readonly total: number;
}

/** Everything that whoever answers should have seen. */
export interface ShownApproval {
  readonly status: ApprovalStatus;
  /** Of the decision that asked first. */
  readonly record: DecisionRecord;
  /** The words of the registered task at the root. */
  readonly rootStatement?: string;
  /** The last approved one of this agent for this tool, to compare with. */
  readonly last?: { readonly approval: Approval; readonly record: DecisionRecord };
}

/** Shows people what they are asked, and takes their answers. */
export interface ApprovalKeeper {
  /**
   * The riskiest first, then those that end soonest. Enforcers see their own. Answers when all of it is on disk.
   * @throws {ServiceError} LEDGER_UNAVAILABLE, OVERLOADED
   */
  list(caller: Caller, question: ListApprovalsQuestion): Promise<ListedApprovals>;
  /** @throws {ServiceError} APPROVAL_UNKNOWN, LEDGER_UNAVAILABLE */
  status(caller: Caller, id: string): ApprovalStatus;
  /** @throws {ServiceError} APPROVAL_UNKNOWN, LEDGER_UNAVAILABLE */
  show(caller: Caller, id: string): Promise<ShownApproval>;
  /**
   * Takes one person's answer; the same yes twice is taken once.
   * @throws {ServiceError} APPROVAL_UNKNOWN; APPROVAL_SETTLED; CALLER_FORBIDDEN for whoever may answer none of its holds; REQUEST_MALFORMED for a no without a
   * comment and an endorsement that goes too far
   */
  resolve(caller: Caller, asked: ResolveRequest): Promise<ApprovalStatus>;
  /** Writes down what time or the end of a task has ended, so many at a time. Answers how many that were. */
  sweep(): Promise<number>;
}

const SWEPT_MAX = 256;
/** It shares its time with the decisions, every second; and what is over is over before it is written down. */
const LOOKED_AT_MAX = 5_000;

export function createApprovalKeeper(ports: ApprovalKeeperPorts): ApprovalKeeper {
  const { ledger, clock } = ports;
  const sweeping = createSweeping(ports.newId);
  const look = <A>(read: (view: StateView, at: Instant) => A): A => ledger.peek(NOBODY, (view) => read(view, clock.now()));
  const keeper: ApprovalKeeper = {
    list: (caller, question) => ledger.transact(NOBODY, (view) => ({ events: [], answer: listed(view, { caller, question, at: clock.now() }) })),
    status: (caller, id) => look((view, at) => statusAt(found(view, caller, id), view, at)),
    async show(caller, id) {
      const status = keeper.status(caller, id);
      const { tenant, agent, tool, root } = status.state.approval;
      const rootStatement = look(({ registeredTasks }) => registeredTasks.get(root))?.task.statement;
      const words = rootStatement === undefined ? {} : { rootStatement };
      const last = look(({ approvals }) => approvals.lastApproved(tenant, agent, tool))?.approval;
      const record = await recordOf(ports, status.state.approval);
      // What another enforcer asked is not shown for comparison either.
      if (!last || last.id === id || !maySee(caller, last)) return { status, record, ...words };
      return { status, record, ...words, last: { approval: last, record: await recordOf(ports, last) } };
    },
    async resolve(caller, asked) {
      const { approval } = keeper.status(caller, asked.id).state;
      if (asked.endorsement) checkEndorsement(asked.endorsement, { record: await recordOf(ports, approval), policy: ports.policies.current() });
      return ledger.transact(keysOf(approval), (view) => resolving(ports, { caller, view, at: clock.now() }, asked));
    },
    sweep: () =>
      ledger.transact(NOBODY, (view) => {
        const events = sweeping(view, clock.now());
        return { events, answer: events.length };
      }),
  };
  return keeper;
}

/** A look at all approvals names no agent and no task. */
export const NOBODY: StateKeys = { tenant: "none", caller: "none", agent: "none", principal: "none", session: "none" };

const keysOf = ({ tenant, agent, task, id, parties }: Approval): StateKeys => ({
  tenant,
  caller: parties.caller,
  agent,
  principal: parties.principal ?? "none",
  session: "none",
  taskId: task,
  approvalId: id,
});

async function recordOf({ ledger }: ApprovalKeeperPorts, { decision }: Approval): Promise<DecisionRecord> {
  const record = await ledger.decision(decision);
  if (!record) throw new ServiceError("LEDGER_UNAVAILABLE", `the record of decision \`${decision}\` cannot be read`);
  return record;
}

/** Whether another tenant, or another enforcer, has one of this id is nobody's business. */
function found({ approvals }: Pick<StateView, "approvals">, caller: Caller, id: string): ApprovalState {
  const state = approvals.get(id);
  if (state && maySee(caller, state.approval)) return state;
  throw new ServiceError("APPROVAL_UNKNOWN", `no approval \`${id}\` is remembered for \`${caller.id}\`; ListApprovals names those that are`, {
    field: "approval_id",
  });
}

const SEES_ALL: readonly string[] = ["approver", "auditor", "operator"];

const maySee = ({ tenant, id, roles }: Caller, approval: Approval): boolean =>
  approval.tenant === tenant && (roles.some((role) => SEES_ALL.includes(role)) || approval.parties.caller === id);

/** Whose approvals are asked for, and by whom. */
export interface Asker {
  readonly caller: Caller;
  readonly question: Pick<ListApprovalsQuestion, "agent" | "task">;
}

/** Whether it is one of those that are asked for, and the caller's to see. */
export function isMeant({ approval }: ApprovalState, view: LookedAt, { caller, question: { agent, task } }: Asker): boolean {
  if (!maySee(caller, approval) || (agent !== undefined && approval.agent !== agent)) return false;
  if (task === undefined || approval.task === task) return true;
  const own = view.registeredTasks.get(approval.task);
  return own ? chainOf(own).some((above) => above.task.id === task) : approval.root === task;
}

interface Listing extends Asker {
  readonly question: ListApprovalsQuestion;
  readonly at: Instant;
}

function listed(view: LookedAt, { caller, question, at }: Listing): ListedApprovals {
  const { standings = ["pending", "approved"], limit } = question;
  const fitting: ApprovalStatus[] = [];
  for (const state of view.approvals.all()) {
    if (!isMeant(state, view, { caller, question })) continue;
    const status = statusAt(state, view, at);
    if (standings.includes(status.standing)) fitting.push(status);
  }
  fitting.sort((a, b) => place(a) - place(b) || b.state.approval.score - a.state.approval.score || when(a) - when(b));
  return { approvals: fitting.slice(0, limit), total: fitting.length };
}

const place = ({ standing }: ApprovalStatus): number => (standing === "pending" ? 0 : 1);
const when = ({ standing, until }: ApprovalStatus): number => (isOpen(standing) ? until : -until);

interface Resolving {
  readonly caller: Caller;
  readonly view: StateView;
  readonly at: Instant;
}

function resolving(ports: ApprovalKeeperPorts, { caller, view, at }: Resolving, asked: ResolveRequest): Turn<ApprovalStatus> {
  const state = found(view, caller, asked.id);
  const { standing } = statusAt(state, view, at);
  const { settings } = ports.policies.current();
  const { approval } = state;
  const holds = answerable(caller, approval, { parties: approval.parties, settings });
  if (asked.verdict === "revoke") return revoking(ports, { state, standing, view, caller, at }, asked);
  const said = { caller, verdict: asked.verdict, holds, asking: { parties: approval.parties, settings } };
  if ((isOpen(standing) || standing === "denied") && repeats(state, said)) {
    refuseOther(state, caller, asked);
    return { events: [], answer: statusAt(state, view, at) };
  }
  if (standing !== "pending") throw settled(approval, standing);
  const { comment, endorsement } = asked;
  if (asked.verdict === "deny" && (comment ?? "").trim() === "") {
    throw new ServiceError("REQUEST_MALFORMED", "`comment` is missing: say why, for whoever asked", { field: "comment" });
  }
  if (endorsement) refuseLate(endorsement, approval, { at, usesMax: settings.endorsementUsesMax });
  const answer: GivenAnswer = {
    by: caller.id,
    verified: caller.verified ?? "local_file",
    at,
    verdict: asked.verdict,
    ...(comment !== undefined && { comment }),
    holds,
    ...(asked.verdict === "approve" && endorsement && { endorsement }),
  };
  const event = answered(ports, { state, answer, asking: { parties: approval.parties, settings } });
  return { events: [event], answer: statusAt(withAnswer(state, event), view, at) };
}

/** A wider yes cannot take the place of one that others may have seen already. */
function refuseOther({ answers }: ApprovalState, { id }: Caller, { endorsement }: ResolveRequest): void {
  if (endorsement === undefined) return;
  const isSame = answers.some((one) => one.by === id && encodeStable(asJson(one.endorsement)) === encodeStable(asJson(endorsement)));
  if (isSame) return;
  throw new ServiceError(
    "REQUEST_MALFORMED",
    `\`${id}\` has said yes already, and not with this endorsement; revoke the approval, and it can be asked anew`,
    {
      field: "endorsement",
    },
  );
}

const asJson = (endorsement: Endorsement = {}): Json => JSON.parse(JSON.stringify(endorsement)) as Json;

interface Repeating {
  readonly caller: Caller;
  readonly verdict: ResolveRequest["verdict"];
  readonly holds: readonly string[];
  readonly asking: Asking;
}

/** Whether somebody said the same before, and it would change nothing to hear it again: not under another policy either. */
function repeats({ approval, standing, answers }: ApprovalState, { caller, verdict, holds, asking }: Repeating): boolean {
  const said = answers.some((one) => one.by === caller.id && one.verdict === verdict && holds.every((hold) => one.holds.includes(hold)));
  return said && !(standing === "pending" && approval.holds.every((hold) => isAnswered(hold, answers, asking)));
}

/** Names of the holds that the caller may answer. @throws {ServiceError} CALLER_FORBIDDEN if that is none */
function answerable(caller: Caller, approval: Approval, asking: Asking): readonly string[] {
  const refuse = (why: string): ServiceError => new ServiceError("CALLER_FORBIDDEN", why, { field: "approval_id" });
  if (isParty(caller.id, asking.parties)) throw refuse(`\`${caller.id}\` asks for this action, or hands it on, and so cannot approve it`);
  if (speaksForOne(caller, asking.parties.agents)) {
    throw refuse(`\`${caller.id}\` has a token to ask for an agent of this action's chain, and an agent cannot approve what it does`);
  }
  if (!isVerified(caller.verified ?? "local_file", asking.settings)) {
    throw refuse(`\`${caller.id}\` is known by a token file alone, and \`approvers.require_verified\` of policy.json asks for more`);
  }
  const holds = holdsFor(caller.id, approval.holds, asking);
  if (holds.length > 0) return holds.map(({ name }) => name);
  const asked = approval.holds.map(({ name, approvers }) => `\`${name}\` asks ${approvers.map((one) => `\`${one}\``).join(", ")}`).join("; ");
  const isPrincipal = caller.id === asking.parties.principal;
  throw refuse(`\`${caller.id}\` may answer none of the holds: ${asked}${isPrincipal ? "; the principal answers only what asks `principal`" : ""}`);
}

/** The token of an agent: it covers some, and may ask for them. */
const speaksForOne = ({ roles, agents }: Caller, ofChain: readonly string[]): boolean =>
  agents !== undefined && roles.includes("enforcer") && ofChain.some((agent) => coversAgent(agents, agent));

function settled({ id }: Approval, standing: ApprovalStanding): ServiceError {
  const next = standing === "approved" ? "; it can be revoked until it is used" : "";
  return new ServiceError("APPROVAL_SETTLED", `approval \`${id}\` is ${standing}${next}`, { field: "approval_id" });
}

interface Bounds {
  readonly at: Instant;
  readonly usesMax: number;
}

function refuseLate({ uses = 1, until, values = [], sources = [] }: Endorsement, { endorsableUntil, kind }: Approval, { at, usesMax }: Bounds): void {
  const refuse = (field: string, why: string): ServiceError =>
    new ServiceError("REQUEST_MALFORMED", `\`endorsement.${field}\` ${why}`, { field: `endorsement.${field}` });
  if (kind === "flood") throw refuse("uses", "is for an action; this approval stands for many that nobody was shown");
  if (uses > usesMax) throw refuse("uses", `is ${uses}; \`endorsement_uses_max\` of policy.json lets it be ${usesMax} at most`);
  if (until === undefined) return;
  // It would hold as long as any yes, and whoever said it believes otherwise.
  if (uses === 1 && values.length + sources.length === 0)
    throw refuse("until", "says how long a wider yes holds; say which: `uses`, `values` or `sources`");
  if (until <= at) throw refuse("until", `is \`${isoOf(until)}\`, which is over`);
  if (until > endorsableUntil) throw refuse("until", `is \`${isoOf(until)}\`; the task lasts until \`${isoOf(endorsableUntil)}\``);
}

interface Answering {
  readonly state: ApprovalState;
  readonly answer: GivenAnswer;
  readonly asking: Asking;
}

function answered({ newId }: ApprovalKeeperPorts, { state, answer, asking }: Answering): ApprovalAnswered {
  const { id, tenant, task, root, holds } = state.approval;
  const answers = [...state.answers, answer];
  const isComplete = holds.every((hold) => isAnswered(hold, answers, asking));
  const standing = answer.verdict === "deny" ? "denied" : isComplete ? "approved" : "pending";
  const granted: Granted | undefined = standing === "approved" ? grantedBy(state.approval, answers) : undefined;
  const { at } = answer;
  return {
    kind: "approval_answered",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    approval: id,
    tenant,
    task,
    root,
    answer,
    standing,
    ...(granted && { granted }),
  };
}

interface Revoking extends Resolving {
  readonly state: ApprovalState;
  readonly standing: ApprovalStanding;
}

function revoking(
  { newId }: ApprovalKeeperPorts,
  { state, standing, view, caller, at }: Revoking,
  { comment }: ResolveRequest,
): Turn<ApprovalStatus> {
  const { approval, granted } = state;
  const endorses = granted !== undefined && at < granted.until;
  if (!isOpen(standing) && !endorses) throw settled(approval, standing);
  const because = comment === undefined ? {} : { reason: comment };
  const event = ended(approval, { id: newId(at), at, how: "cancelled", by: caller.id, ...because });
  return { events: [event], answer: statusAt(withEnd(state, event), view, at) };
}

const ended = ({ id: approval, tenant, task, root }: Approval, what: Pick<ApprovalEnded, "id" | "at" | "how" | "by" | "reason">): ApprovalEnded => ({
  kind: "approval_ended",
  v: RECORD_VERSION,
  approval,
  tenant,
  task,
  root,
  ...what,
});

/** Goes on where it stopped. */
function createSweeping(newId: NewId): (view: StateView, at: Instant) => readonly ApprovalEnded[] {
  let rest: Iterator<ApprovalState> | undefined;
  return (view, at) => {
    const events: ApprovalEnded[] = [];
    for (let looked = 0; looked < LOOKED_AT_MAX && events.length < SWEPT_MAX; looked++) {
      rest ??= view.approvals.all()[Symbol.iterator]();
      const next = rest.next();
      if (next.done) {
        rest = undefined;
        break;
      }
      // The ledger may have been read anew since: what counts is how it stands now.
      const state = view.approvals.get(next.value.approval.id);
      const event = state && overdue(state, view, { at, newId });
      if (event) events.push(event);
    }
    return events;
  };
}

interface Overdue {
  readonly at: Instant;
  readonly newId: NewId;
}

function overdue(state: ApprovalState, view: LookedAt, { at, newId }: Overdue): ApprovalEnded | undefined {
  if (!isOpen(state.standing)) return undefined;
  const { standing } = statusAt(state, view, at);
  if (standing === "expired") return ended(state.approval, { id: newId(at), at, how: "expired" });
  return standing === "cancelled" ? ended(state.approval, { id: newId(at), at, how: "cancelled", reason: TASK_ENDED }) : undefined;
}
