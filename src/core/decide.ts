import { hash } from "node:crypto";
import { coversAgent } from "./access.ts";
import { type ApprovalStanding, standingAt } from "./approvals/approval.ts";
import { askPeople } from "./approvals/asking.ts";
import { type Binding, bindingOf } from "./approvals/binding.ts";
import { approvalStandings } from "./approvals/standing.ts";
import { askCached } from "./cached-evaluation.ts";
import { ServiceError } from "./errors.ts";
import type { Evaluation } from "./evaluate.ts";
import type { InOrder } from "./in-order.ts";
import type { Intent } from "./intent/intent.ts";
import { type Consulted, consult, heeded, type Scorer } from "./intent/scorer.ts";
import { encodeStable } from "./json.ts";
import { judgeSituation, type Verdict } from "./judge.ts";
import { type KeyedDigest, maskRequest } from "./masking.ts";
import type { Policy } from "./policy.ts";
import type { Canonical, DecisionCache, Ledger, NewId, PolicySource, SecondOpinion, SteadyClock, Turn } from "./ports.ts";
import { type DecisionRecord, type LedgerEvent, RECORD_VERSION } from "./record.ts";
import type { Caller, DecisionRequest } from "./request.ts";
import { reserve, type StateLimits } from "./reserve.ts";
import { type Situation, type Subject, situate } from "./situation.ts";
import type { Attempt, StateKeys, StateView } from "./state.ts";
import { namedPrincipal, suspensionsOver } from "./suspended.ts";
import { endOf, type TaskState } from "./tasks/registered.ts";
import { assertedPrincipal } from "./tasks/self-asserted.ts";
import { chainFor, standingOf, type TaskStanding } from "./tasks/standing.ts";
import { type Validity, validityOf } from "./validity.ts";
import type { Instant } from "./words.ts";

export interface DeciderPorts {
  readonly ledger: Ledger;
  readonly cache: DecisionCache;
  readonly policies: PolicySource;
  readonly clock: SteadyClock;
  readonly newId: NewId;
  readonly canonical: Canonical;
  readonly keyedDigest: KeyedDigest;
  readonly intent: Intent;
  readonly limits: StateLimits;
  /** Told what made an evaluation fail; the answer is a DENY already. */
  readonly onEvaluationError: (error: unknown) => void;
  readonly secondOpinion?: SecondOpinion;
  /** Asked before each turn, unless there is none. */
  readonly scorer?: Scorer;
}

export interface Answer extends Validity {
  /** As recorded; for Explain, as it would have been. */
  readonly record: DecisionRecord;
  /** `sha256:` and 64 hexadecimal digits over the arguments as they came; it is answered and not kept. */
  readonly argumentsDigest: string;
  readonly recorded: boolean;
  readonly replayed: boolean;
  /** It was held back while people were asked, however long that took. */
  readonly waited?: true;
  /** How the approval that the record names stands now. */
  readonly approvalState?: ApprovalStanding;
}

/** A request as endpoints hand it over. */
export interface Asked {
  readonly caller: Caller;
  readonly request: DecisionRequest;
  /** What the request says of arguments that were cut. */
  readonly argumentsDigest?: string;
  /** What it says of arguments that were not. */
  readonly claimedDigest?: string;
  /** The decision that this call waited for people with, once they have answered; and the approval, if it is for what is asked. */
  readonly continues?: { readonly decision: string; readonly approval?: string };
  /** Shared by requests whose turns are to come in the order in which they were asked, whoever has to wait for the scorer. */
  readonly inOrder?: InOrder;
}

export interface Decider {
  /** Decides, records, and answers when the record is on disk. @throws {ServiceError} */
  decide(asked: Asked): Promise<Answer>;
  /** Answers what `decide` would, and what from, and leaves no trace. @throws {ServiceError} */
  explain(asked: Asked): Promise<{ readonly answer: Answer; readonly verdict: Verdict }>;
}

type TurnAnswer =
  | { readonly kind: "decided"; readonly record: DecisionRecord; readonly fresh?: FreshEvaluation }
  | { readonly kind: "repeated"; readonly decisionId: string }
  | { readonly kind: "reused" };

interface FreshEvaluation {
  readonly situation: Situation;
  readonly evaluation: Evaluation;
}

export function createDecider(ports: DeciderPorts): Decider {
  return {
    decide: (asked) => decideRecorded(ports, asked),
    async explain(asked) {
      const unnamed = { ...asked, request: withoutRequestId(asked.request) };
      const prepared = ports.scorer ? await prepareConsulted(ports, ports.scorer, unnamed) : prepare(ports, unnamed);
      const untouched = { ...ports, cache: looking(ports.cache) };
      const { record, verdict } = ports.ledger.peek(prepared.keys, (view) =>
        decideOnce(untouched, prepared, { view, ...pose(ports, prepared, { view }) }),
      );
      return {
        answer: { record, argumentsDigest: prepared.argumentsDigest, ...validityOf(record, ports.clock), recorded: false, replayed: false },
        verdict,
      };
    },
  };
}

/** A cache that is looked at and left as it is. */
const looking = (cache: DecisionCache): DecisionCache => ({ get: (key) => cache.peek(key), peek: (key) => cache.peek(key), put: () => undefined });

async function decideRecorded(ports: DeciderPorts, asked: Asked): Promise<Answer> {
  const prepared = ports.scorer ? await prepareConsulted(ports, ports.scorer, asked) : prepare(ports, asked);
  const answer = await ports.ledger.transact(prepared.keys, (view) => turn(ports, prepared, view));
  const { argumentsDigest } = prepared;
  switch (answer.kind) {
    case "reused":
      throw new ServiceError(
        "REQUEST_ID_REUSED",
        `\`${asked.request.requestId}\` named a request with other content; give each attempt an id of its own`,
        { field: "request_id" },
      );
    case "repeated": {
      const record = await ports.ledger.decision(answer.decisionId);
      if (!record) throw new ServiceError("LEDGER_UNAVAILABLE", `the record of decision \`${answer.decisionId}\` cannot be read`);
      // While it was read something may have been suspended, and that may have been acknowledged.
      const earlier = ports.ledger.peek(prepared.keys, (view) => findEarlier(ports, prepared, view));
      if (!earlier?.stands || earlier.attempt.decisionId !== record.id) return decideRecorded(ports, asked);
      const { approval } = record;
      const now = approval && ports.ledger.peek(prepared.keys, ({ approvals }) => approvals.get(approval.id));
      const approvalState = now && { approvalState: standingAt(now, prepared.at) };
      return { record, argumentsDigest, ...validityOf(record, ports.clock), recorded: true, replayed: true, ...approvalState };
    }
    case "decided":
      if (answer.fresh) ports.secondOpinion?.(answer.fresh.situation, answer.fresh.evaluation);
      return { record: answer.record, argumentsDigest, ...validityOf(answer.record, ports.clock), recorded: true, replayed: false };
  }
}

/** All that can be known before the state is read. */
interface Prepared {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly request: DecisionRequest;
  readonly masked: number;
  readonly at: Instant;
  readonly keys: StateKeys;
  readonly argumentsDigest: string;
  readonly attempt?: { readonly id: string; readonly content: string };
  /** Nothing masked: what an approval is bound to. */
  readonly original: DecisionRequest;
  readonly continues?: string;
  readonly consulted?: Consulted;
}

/** To wait for the scorer takes time: all else is read after it. */
async function prepareConsulted(ports: DeciderPorts, scorer: Scorer, asked: Asked): Promise<Prepared> {
  const before = prepare(ports, asked);
  const { policy, caller, request, at } = before;
  const consulting = ports.ledger.peek(before.keys, async (view) => {
    // What was answered to the attempt is answered again, or denied, whatever a scorer says.
    if (findEarlier(ports, before, view)) return undefined;
    const { task, registered, memory, approvals } = view;
    return consult(scorer, ports.canonical, { policy, caller, request, task, registered, memory, approvals, at });
  });
  const consulted = await (asked.inOrder?.(consulting) ?? consulting);
  return { ...prepare(ports, asked), ...(consulted && { consulted }) };
}

function prepare(ports: DeciderPorts, asked: Asked): Prepared {
  const { caller, request, continues } = asked;
  const policy = ports.policies.current();
  const { requestId, waitMs: _, ...content } = request;
  const original = continues?.approval !== undefined ? { ...content, approvalId: continues.approval } : content;
  const argumentsDigest = asked.argumentsDigest ?? sha256(ports.canonical(request.action.arguments));
  if (asked.claimedDigest !== undefined && asked.claimedDigest !== argumentsDigest) {
    throw new ServiceError("REQUEST_MALFORMED", `\`action.arguments_digest\` is not the digest of the arguments, which is \`${argumentsDigest}\``, {
      field: "action.arguments_digest",
    });
  }
  return {
    policy,
    caller,
    ...maskRequest(original, policy, ports.keyedDigest),
    at: ports.clock.now(),
    keys: {
      tenant: caller.tenant,
      caller: caller.id,
      agent: request.agent.id,
      principal: assertedPrincipal(request),
      session: request.session ?? "none",
      ...(requestId !== undefined && { requestId }),
      ...(request.task?.id !== undefined && { taskId: request.task.id }),
      ...(original.approvalId !== undefined && { approvalId: original.approvalId }),
    },
    argumentsDigest,
    original,
    ...(continues && { continues: continues.decision }),
    ...(requestId !== undefined && {
      attempt: { id: requestId, content: ports.keyedDigest(contentText(content, argumentsDigest)) },
    }),
  };
}

/** Everything that makes two attempts the same, and nothing that does not: credentials never reach the core. */
function contentText(content: DecisionRequest, argumentsDigest: string): string {
  const { credentialed: _, ...compared } = content;
  return encodeStable([JSON.parse(JSON.stringify(compared)), argumentsDigest]);
}

const sha256 = (text: string): string => `sha256:${hash("sha256", text)}`;

/** The task holds its statement; the request's own is kept only where it is another one. */
function withoutStatement(request: DecisionRequest): DecisionRequest {
  if (request.task?.statement === undefined) return request;
  const { task, ...rest } = request;
  return task.id === undefined ? rest : { ...rest, task: { id: task.id } };
}

function withoutRequestId(request: DecisionRequest): DecisionRequest {
  const { requestId: _, ...rest } = request;
  return rest;
}

/** The pure middle: no await, no I/O. A request id that is remembered is answered from its record; anything else is decided. */
function turn(ports: DeciderPorts, prepared: Prepared, view: StateView): Turn<TurnAnswer> {
  const earlier = findEarlier(ports, prepared, view);
  if (earlier) {
    const { attempt, stands } = earlier;
    if (attempt.content !== prepared.attempt?.content) return { events: [], answer: { kind: "reused" } };
    if (stands) return { events: [], answer: { kind: "repeated", decisionId: attempt.decisionId } };
  }
  return decided(decideOnce(ports, prepared, { view, ...pose(ports, prepared, { view, ...(earlier && { lapsed: earlier.attempt }) }) }));
}

/** What was answered to this attempt before, and whether it may be answered again. Only an ALLOW can cease to stand. */
function findEarlier(ports: DeciderPorts, prepared: Prepared, view: StateView): { readonly attempt: Attempt; readonly stands: boolean } | undefined {
  const { attempt } = view;
  const { at, policy } = prepared;
  // The call that waited with it goes on from it.
  if (attempt !== undefined && attempt.decisionId === prepared.continues) return undefined;
  if (!prepared.attempt || !attempt || at - attempt.at >= policy.settings.windows.idempotency) return undefined;
  if (attempt.outcome !== "ALLOW") return { attempt, stands: true };
  if (hasLapsed(attempt, prepared) || isTakenBack(attempt, view)) return { attempt, stands: false };
  // One that is not there any more has ended long ago.
  if (attempt.registered && (!view.registered || endOf(view.registered, at))) return { attempt, stands: false };
  if (view.suspensions.size === 0) return { attempt, stands: true };
  return { attempt, stands: pose(ports, prepared, { view, lapsed: attempt }).situation.subject.suspended === undefined };
}

/** An ALLOW ends with its time, and for a token that does not, or no longer, cover the agent. */
const hasLapsed = ({ validUntil }: Attempt, { at, caller, request }: Prepared): boolean =>
  validUntil === undefined || at > validUntil || !coversAgent(caller.agents, request.agent.id);

/** Somebody has taken back the yes. One that was used up, or asked anew, stands for what it has allowed. */
function isTakenBack({ approvedBy }: Attempt, { approvals }: StateView): boolean {
  const ended = approvedBy === undefined ? undefined : approvals.get(approvedBy)?.ended;
  return ended?.by !== undefined;
}

interface Once {
  readonly events: readonly LedgerEvent[];
  readonly record: DecisionRecord;
  readonly verdict: Verdict;
  readonly fresh?: FreshEvaluation;
}

const decided = ({ events, record, fresh }: Once): Turn<TurnAnswer> => ({
  events,
  answer: { kind: "decided", record, ...(fresh && { fresh }) },
});

interface StateReading {
  readonly view: StateView;
  /** The ALLOW that this attempt asks about again, and that no longer stands. */
  readonly lapsed?: Attempt;
}

/** What is to be decided, with all that the state says of it. */
function pose(ports: DeciderPorts, prepared: Prepared, { view, lapsed }: StateReading): Question {
  const { policy, caller, request, at } = prepared;
  const { task: joined, registered, memory } = view;
  const task = standingOf({
    policy,
    caller,
    request,
    task: joined,
    registered,
    memory,
    approvals: view.approvals,
    at,
    freshId: () => ports.newId(at),
  });
  const subject: Subject = {
    at,
    tenant: caller.tenant,
    caller: caller.id,
    ...(caller.agents && { callerAgents: caller.agents }),
    request: withChain(task.restated ? request : withoutStatement(request), task, registered),
    masked: prepared.masked,
    task,
    ...heeded(prepared.consulted, policy, task),
    ...(lapsed && { lapsed: lapsed.decisionId }),
  };
  const situation = situate(policy, subject);
  const suspended = suspensionsOver(situation, view, lapsed);
  let bound: Binding | undefined;
  const binding = (): Binding => {
    bound ??= bindingOf({ ...ports, request: prepared.original, subject, tool: situation.tool });
    return bound;
  };
  const standings = approvalStandings({ request: subject.request, subject, view, settings: policy.settings, binding });
  const { tool, effect } = situation;
  const posed: Subject = { ...subject, ...(suspended.length > 0 && { suspended }), ...standings };
  const intent = ports.intent.standing({ tool, effect, original: prepared.original, subject: posed, registered, observed: view.observed });
  return { binding, situation: { ...situation, subject: { ...posed, intent } } };
}

/** What is to be decided, and what an approval of it is bound to, which is made only where it is needed. */
interface Question {
  readonly situation: Situation;
  readonly binding: () => Binding;
}

/** A registered task's chain is Behest's own: whoever leaves it out means it. */
function withChain(request: DecisionRequest, task: TaskStanding, registered: TaskState | undefined): DecisionRequest {
  if (!task.registered || !registered || task.standing === "mismatch") return request;
  return { ...request, delegation: chainFor(registered, request) };
}

interface Posed extends Question {
  readonly view: StateView;
}

function decideOnce(ports: DeciderPorts, prepared: Prepared, { view, situation, binding }: Posed): Once {
  const id = ports.newId(prepared.at);
  const asked = askCached(ports.cache, prepared.caller.tenant, id);
  const verdict = judgeSituation(situation, { evaluate: asked.ask, onError: ports.onEvaluationError });
  const reserved = reserve({
    verdict,
    view,
    limits: ports.limits,
    newId: ports.newId,
    principal: prepared.keys.principal,
    attempted: prepared.attempt !== undefined,
  });
  const { newId } = ports;
  const people = askPeople({ verdict, view, binding, newId, decision: id, approvalsMax: ports.limits.approvalsMax });
  asked.keep();
  const { approval } = people;
  const record = recordOf(ports, prepared, { verdict, id, repeats: asked.repeats(), ...reserved, ...(approval && { approval }) });
  const evaluation = asked.fresh();
  return {
    events: [...reserved.events, ...people.events, record],
    record,
    verdict,
    ...(evaluation && { fresh: { situation: verdict.situation, evaluation } }),
  };
}

const isAllInClear = ({ masked, request }: Prepared): boolean => masked === 0 && request.action.argumentsTruncated !== true;

interface RecordParts extends Pick<DecisionRecord, "seenAfter" | "worst" | "charge" | "approval"> {
  readonly verdict: Verdict;
  readonly id: string;
  readonly repeats: string | undefined;
}

function recordOf(ports: DeciderPorts, prepared: Prepared, parts: RecordParts): DecisionRecord {
  const { situation, judgement } = parts.verdict;
  const { at, tenant, caller, ...subject } = situation.subject;
  const [resource] = situation.resources;
  return {
    kind: "decision",
    v: RECORD_VERSION,
    id: parts.id,
    at,
    tenant,
    caller,
    policy: prepared.policy.digest,
    subject,
    resolved: {
      effect: situation.effect,
      ...(resource !== undefined && { resource }),
      classification: situation.classification,
      environment: situation.environment,
      principal: namedPrincipal(situation.subject.task) ?? prepared.keys.principal,
    },
    judgement,
    cache: parts.repeats === undefined ? { hit: false } : { hit: true, repeats: parts.repeats },
    ...(prepared.attempt && { attempt: prepared.attempt }),
    arguments: isAllInClear(prepared) ? prepared.argumentsDigest : ports.keyedDigest(prepared.argumentsDigest),
    ...(parts.seenAfter && { seenAfter: parts.seenAfter }),
    ...(parts.worst && { worst: parts.worst }),
    ...(parts.charge && { charge: parts.charge }),
    ...(parts.approval && { approval: parts.approval }),
    ...(prepared.continues !== undefined && { continues: prepared.continues }),
  };
}
