import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { BehestClient } from "../client/client.ts";
import { Effect, PrincipalType, Trust } from "../gen/behest/v1/decision_pb.ts";
import { type Scope, ScopeKind, type Task, type TaskPrincipal, type TaskSeen, TaskState } from "../gen/behest/v1/task_pb.ts";
import { nameOf } from "./answers.ts";
import type { ConnectOptions } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedTo } from "./hint.ts";
import { decimalOf } from "./money.ts";
import { paint, visible } from "./output.ts";

export const JSON_OPTIONS = { useProtoFieldName: true, alwaysEmitImplicit: true };

export const stateWord = (state: TaskState): string => nameOf(TaskState, state).toLowerCase();

/** With the colour of a state: what can be used, what was taken back, and what is simply over. */
export function stateMark(state: TaskState): string {
  if (state === TaskState.OPEN) return paint("green", "● open");
  if (state === TaskState.REVOKED) return paint("red", "■ revoked");
  return paint("dim", `○ ${stateWord(state)}`);
}

export const effectWord = (effect: Effect): string => nameOf(Effect, effect).toLowerCase();

export const principalWord = (principal: TaskPrincipal | undefined): string =>
  principal ? `${nameOf(PrincipalType, principal.type).toLowerCase()}:${visible(principal.id)}` : "nobody";

/** To the second, as people read it. */
export const momentOf = (at: Timestamp | undefined): string =>
  at
    ? timestampDate(at)
        .toISOString()
        .replace(/\.\d+Z$/, "Z")
    : "";

const SHOWN_MAX = 4;

function few(list: readonly string[]): string {
  const shown = list.slice(0, SHOWN_MAX).map(visible).join(", ");
  return list.length > SHOWN_MAX ? `${shown} and ${list.length - SHOWN_MAX} more` : shown;
}

/** What a task may be used for, in few words. */
export const scopeWords = ({ scope, scopeKind }: Task): string => asKind(scopeKind, scopeParts(scope).join("; ") || "anything within reach");

/** The same, without what the task above it says too. */
export function narrowerWords(task: Task, above: Task): string {
  const known = scopeParts(above.scope);
  const own = scopeParts(task.scope).filter((part) => !known.includes(part));
  return asKind(task.scopeKind, own.join("; ") || "all that the task above it may be used for");
}

const asKind = (kind: ScopeKind, words: string): string => (kind === ScopeKind.PROPOSED ? `proposed: ${words}` : words);

function scopeParts(scope: Scope | undefined): readonly string[] {
  const { tools = [], effects = [], resources = [], maxClassification = "", delegates = [], maxDepth, nothing = [] } = scope ?? {};
  const list = (name: string, items: readonly string[], word = name): readonly string[] =>
    nothing.includes(name) ? [`no ${word}`] : items.length === 0 ? [] : [`${word} ${few(items)}`];
  return [
    ...list("tools", tools),
    ...list("effects", effects.map(effectWord)),
    ...list("resources", resources),
    ...(maxClassification === "" ? [] : [`up to ${visible(maxClassification)}`]),
    ...(nothing.includes("max_amounts") ? ["no money"] : []),
    ...(maxDepth === 0n || nothing.includes("delegates") ? ["not to be handed on"] : handedOnWords(delegates, maxDepth)),
  ];
}

function handedOnWords(delegates: readonly string[], maxDepth: bigint | undefined): readonly string[] {
  if (delegates.length === 0 && maxDepth === undefined) return [];
  const whom = delegates.length === 0 ? "" : ` to ${few(delegates)}`;
  const times = maxDepth === undefined ? "" : ` at most ${maxDepth === 1n ? "once" : `${maxDepth} times`}`;
  return [`may be handed on${whom}${times}`];
}

/** What its caps leave; undefined where nothing is capped. */
export function leftWords({ left, scope }: Task): string | undefined {
  const calls = (left?.calls ?? []).map(({ effect, calls: count }) => {
    const cap = scope?.maxCalls.find((own) => own.effect === effect)?.calls;
    return `${effectWord(effect)} ${count}${cap === undefined ? "" : ` of ${cap}`}`;
  });
  const amounts = (left?.amounts ?? []).map(({ currency, amountMinor }) => {
    const cap = scope?.maxAmounts.find((own) => own.currency === currency)?.amountMinor;
    return `${visible(currency)} ${decimalOf(currency, amountMinor)}${cap === undefined ? "" : ` of ${decimalOf(currency, cap)}`}`;
  });
  const all = [...calls, ...amounts];
  return all.length === 0 ? undefined : `left: ${all.join(", ")}`;
}

export const decisionWords = (task: Task): string => decisionsOf(task) ?? "nothing decided yet";

/** How many decisions came out how; undefined if there were none. */
export function decisionsOf({ decisions }: Task): string | undefined {
  const { allowed = 0, denied = 0, held = 0 } = decisions ?? {};
  const counts = [
    { count: allowed, word: "allowed" },
    { count: denied, word: "denied" },
    { count: held, word: "held" },
  ].filter(({ count }) => count > 0);
  return counts.length === 0 ? undefined : counts.map(({ count, word }) => `${count} ${word}`).join(", ");
}

export function seenWords(seen: TaskSeen | undefined): string {
  const { classifications = [], categories = [], trust, systems: all = [] } = seen ?? {};
  // Tools without a server in their name.
  const systems = all.filter((system) => system !== "none");
  const parts = [
    ...(classifications.length > 0 ? [`${few(classifications)} data`] : []),
    ...(categories.length > 0 ? [few(categories)] : []),
    ...(trust === Trust.UNTRUSTED ? ["untrusted content"] : []),
    ...(systems.length > 0 ? [`from ${few(systems)}`] : []),
  ];
  return parts.length === 0 ? "has seen nothing yet" : `has seen ${parts.join("; ")}`;
}

export const unreportedWords = (count: number): string =>
  `${count} allowed call${count === 1 ? " was" : "s were"} not reported in time, and count${count === 1 ? "s" : ""} as the worst that could come back`;

/** How a task ended; undefined while it is open. */
export function endWords({ state, endedAt, endedBy, endedReason, endedTaskId, taskId }: Task): string | undefined {
  if (state === TaskState.OPEN) return undefined;
  const by = endedBy === "" ? "" : ` by ${visible(endedBy)}`;
  const why = endedReason === "" ? "" : `: ${visible(endedReason)}`;
  const with_ = endedTaskId === "" || endedTaskId === taskId ? "" : `, with ${endedTaskId} above it`;
  return `${stateWord(state)} at ${momentOf(endedAt)}${by}${with_}${why}`;
}

const WHOLE_ID_LENGTH = 36;

/** The task with an id like this. @throws {CommandFailed} */
export async function wholeTaskId(client: BehestClient, id: string, options: ConnectOptions): Promise<string> {
  if (id.length >= WHOLE_ID_LENGTH) return id;
  const { tasks } = await client.listTasks({ includeEnded: true });
  const ids = tasks.map(({ taskId }) => taskId).filter((whole) => whole.startsWith(id) || whole.endsWith(id));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  const why = only === undefined ? `no task has an id like \`${visible(id)}\`` : `${ids.length} tasks have an id like \`${visible(id)}\``;
  throw new CommandFailed(EXIT.usage, `${why}; look with ${asTypedTo("tasks list --ended", options)}`);
}
