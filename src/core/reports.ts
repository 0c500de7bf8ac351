import { coversAgent } from "./access.ts";
import { ServiceError } from "./errors.ts";
import type { Intent } from "./intent/intent.ts";
import type { ObservedInTree } from "./intent/observed-trees.ts";
import { rootStatement } from "./intent/standing.ts";
import { encodeStable } from "./json.ts";
import type { KeyedDigest } from "./masking.ts";
import type { Policy } from "./policy.ts";
import type { Clock, Ledger, NewId, PolicySource } from "./ports.ts";
import { type DecisionRecord, RECORD_VERSION, type Reported, type ReportLabels, type ReportStatus, subjectOf } from "./record.ts";
import type { Caller } from "./request.ts";
import { whatItShows } from "./reserve.ts";
import { rankOf, situate } from "./situation.ts";
import type { StateView } from "./state.ts";
import { isOverdue } from "./tasks/awaited.ts";
import { recall } from "./tasks/memory.ts";
import type { TaskState } from "./tasks/registered.ts";
import { NOTHING_SEEN, raiseSeen, type Seen } from "./tasks/seen.ts";
import type { Instant } from "./words.ts";

export interface ReportPorts {
  readonly ledger: Pick<Ledger, "transact" | "decision" | "report">;
  readonly policies: PolicySource;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly keyedDigest: KeyedDigest;
  readonly intent: Intent;
  readonly limits: { readonly categoriesSeenMax: number; readonly agentsRememberedMax: number };
}

/** What became of a decision, read and checked by an endpoint. */
export interface ReportRequest {
  readonly decision: string;
  readonly status: ReportStatus;
  /** Unset: it may have. */
  readonly tookEffect?: boolean;
  /** What the tool returned, as text; it is measured, compared, and read for its values, and not kept. */
  readonly result: string;
  readonly truncated: boolean;
  /** `sha256:` and 64 hexadecimal digits, over the arguments with which it ran. */
  readonly argumentsDigest?: string;
  readonly labels?: ReportLabels;
}

export interface Reports {
  /**
   * Records what became of a decision, once. The same report is answered again, as it was recorded.
   * @throws {ServiceError} DECISION_UNKNOWN for a decision that the caller did not get, REPORT_CONFLICT for another report than the first
   */
  report(caller: Caller, asked: ReportRequest): Promise<{ readonly report: Reported; readonly repeated: boolean }>;
}

export function createReports(ports: ReportPorts): Reports {
  /** Reports of one decision are taken one after the other: the later one finds the earlier on disk. */
  const underWay = new Map<string, Promise<unknown>>();
  return {
    async report(caller, asked) {
      refuseContradiction(asked);
      const before = underWay.get(asked.decision);
      const mine = (before ?? Promise.resolve()).then(
        () => reportOnce(ports, caller, asked),
        () => reportOnce(ports, caller, asked),
      );
      underWay.set(asked.decision, mine);
      try {
        return await mine;
      } finally {
        if (underWay.get(asked.decision) === mine) underWay.delete(asked.decision);
      }
    },
  };
}

function refuseContradiction({ status, tookEffect }: ReportRequest): void {
  const happens = status === "executed";
  if (tookEffect === undefined || status === "failed" || tookEffect === happens) return;
  throw new ServiceError(
    "REQUEST_MALFORMED",
    `\`took_effect\` is \`${tookEffect}\`, and what was \`${status}\` ${happens ? "took" : "had no"} effect; leave it out, or report \`failed\``,
    {
      field: "took_effect",
    },
  );
}

async function reportOnce(ports: ReportPorts, caller: Caller, asked: ReportRequest) {
  const record = await ports.ledger.decision(asked.decision);
  // Whether another caller got a decision of this id is nobody's business.
  if (!record || record.tenant !== caller.tenant || record.caller !== caller.id) {
    throw new ServiceError(
      "DECISION_UNKNOWN",
      `\`${caller.id}\` got no decision \`${asked.decision}\`; a decision is reported by the caller that asked for it, under its whole id`,
      { field: "decision_id" },
    );
  }
  const content = ports.keyedDigest(contentText(asked));
  const earlier = await ports.ledger.report(asked.decision);
  if (earlier) {
    if (earlier.content === content) return { report: earlier, repeated: true };
    throw new ServiceError(
      "REPORT_CONFLICT",
      `decision \`${asked.decision}\` was reported as \`${earlier.status}\` before; the first report stands`,
      {
        field: "decision_id",
      },
    );
  }
  const { subject } = record;
  const { id: taskId } = subject.task;
  const keys = {
    tenant: caller.tenant,
    caller: caller.id,
    agent: subject.request.agent.id,
    principal: record.resolved.principal,
    session: subject.request.session ?? "none",
    ...(taskId !== undefined && { taskId }),
  };
  const report = await ports.ledger.transact(keys, (view) => {
    const at = ports.clock.now();
    const event = reportedOf(ports, { record, asked, content, at, view });
    refuseOverfull(ports, view, event);
    const observed = observedIn(ports, { record, asked, view, event });
    return { events: [event], ...(observed && { observed }), answer: event };
  });
  return { report, repeated: false };
}

const contentText = ({ decision: _, ...said }: ReportRequest): string => encodeStable(JSON.parse(JSON.stringify(said)));

interface Reporting {
  readonly record: DecisionRecord;
  readonly asked: ReportRequest;
  readonly content: string;
  readonly at: Instant;
  readonly view: StateView;
}

function reportedOf({ policies, newId, keyedDigest }: ReportPorts, { record, asked, content, at, view }: Reporting): Reported {
  const policy = policies.current();
  const { subject, judgement, charge } = record;
  const { status, tookEffect, truncated, labels, argumentsDigest, result } = asked;
  const nothingHappened = status === "blocked" || status === "abandoned" || tookEffect === false;
  const isAllowed = judgement.outcome === "ALLOW";
  const bypassed = !isAllowed && !nothingHappened;
  const awaited = (view.registered?.tree ?? view.task)?.awaited.calls.get(record.id);
  const late = isOverdue(awaited ?? { at: record.at, worst: NOTHING_SEEN }, { at, within: policy.settings.windows.reportWithin });
  const shows = shownBy(policy, record, { labels, bypassed, late });
  const { registered } = subject.task;
  const task = isForeign(record, view.registered) ? undefined : subject.task.id;
  return {
    kind: "reported",
    v: RECORD_VERSION,
    id: newId(at),
    at,
    tenant: record.tenant,
    caller: record.caller,
    decision: record.id,
    agent: subject.request.agent.id,
    ...(task !== undefined && { task, root: registered?.root ?? task }),
    status,
    ...(tookEffect !== undefined && { tookEffect }),
    mutated: argumentsDigest !== undefined && argumentsDigest !== record.arguments && keyedDigest(argumentsDigest) !== record.arguments,
    bypassed,
    late,
    ...(labels && { labels }),
    resultBytes: Buffer.byteLength(result),
    truncated,
    content,
    ...(shows !== NOTHING_SEEN && { shows }),
    ...(isAllowed && nothingHappened && charge && { refund: charge }),
  };
}

interface Observing {
  readonly record: DecisionRecord;
  readonly asked: ReportRequest;
  readonly view: StateView;
  readonly event: Reported;
}

/**
 * What the report adds to what the task's values can be known from. What ran without leave attests nothing, nor does what ran with other arguments than
 * those that were decided: nobody knows what it was asked for.
 */
function observedIn({ policies, intent }: ReportPorts, { record, asked, view, event }: Observing): ObservedInTree | undefined {
  const { action } = record.subject.request;
  const root = event.root;
  if (root === undefined || asked.result === "") return undefined;
  const tool = policies.current().tools.get(action.tool);
  const statement = view.registered && rootStatement(view.registered, event.at);
  const attests = !event.bypassed && !event.mutated && !asked.truncated;
  const seen = intent.observe(
    { text: asked.result, toolName: action.tool, tool, arguments: action.arguments },
    { statement, observed: view.observed },
  );
  const entries = attests ? seen.entries : seen.entries.map((entry) => ({ ...entry, grade: "free_text" as const, bound: false }));
  return attests ? { root, ...seen } : { root, entries, amounts: [], followed: [] };
}

/** Naming a task that is another agent's, whom the caller's token does not cover either, gives no say in what that task has seen. */
const isForeign = ({ subject }: DecisionRecord, named: TaskState | undefined): boolean =>
  subject.task.standing === "mismatch" && !(named && coversAgent(subject.callerAgents, named.task.agent));

interface Shown {
  readonly labels: ReportLabels | undefined;
  readonly bypassed: boolean;
  readonly late: boolean;
}

/** What has to be taken for seen from now on: what the caller says, what ran without leave, and what had to be assumed because nobody said anything. */
function shownBy(policy: Policy, record: DecisionRecord, { labels, bypassed, late }: Shown): Seen {
  // Whoever may not ask for an agent has no say in what it has seen: it could stop it by that.
  if (record.judgement.reasonCodes.includes("CALLER_NOT_ENTITLED")) return NOTHING_SEEN;
  const stated: Seen = {
    classifications: labels?.classification === undefined ? [] : [nameOf(policy, labels.classification)],
    categories: [...new Set(labels?.categories ?? [])].sort(),
    trust: labels?.trust ?? "trusted",
    systems: [],
  };
  let shows = raiseSeen(NOTHING_SEEN, stated);
  if (bypassed) shows = raiseSeen(shows, whatItShows(situate(policy, subjectOf(record))));
  if (late && record.worst) shows = raiseSeen(shows, record.worst);
  return shows;
}

/** One that the policy does not list counts as the highest: under its own name there could be any number of them. */
function nameOf(policy: Policy, classification: string): string {
  return policy.settings.classification.order[rankOf(policy, classification)] ?? classification;
}

function refuseOverfull({ limits, policies }: ReportPorts, view: StateView, { at, shows }: Reported): void {
  const { memory, agentsRemembered, task, registered } = view;
  if (!shows) return;
  if (!memory && agentsRemembered >= limits.agentsRememberedMax) {
    throw new ServiceError("STATE_FULL", `${limits.agentsRememberedMax} agents are remembered; raise \`agents_remembered_max\``, {
      limit: "agents_remembered",
    });
  }
  const { memory: window, reportWithin } = policies.current().settings.windows;
  // Also where there is no task, or one that has closed, it is kept with the agent.
  const before = registered?.tree.seen ?? raiseSeen(task?.seen ?? NOTHING_SEEN, recall(memory, { at, window, reportWithin }));
  if (raiseSeen(before, shows).categories.length > limits.categoriesSeenMax) {
    throw new ServiceError("STATE_FULL", `a task may see ${limits.categoriesSeenMax} different categories`, { limit: "categories_seen" });
  }
}
