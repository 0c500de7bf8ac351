import { isoOf } from "../instants.ts";
import type { Grade } from "../intent/grades.ts";
import { isObject } from "../json.ts";
import type { Policy } from "../policy.ts";
import type { DecisionRecord } from "../record.ts";
import { subjectOf } from "../record.ts";
import { type Situation, situate } from "../situation.ts";
import type { Json, JsonObject } from "../words.ts";
import { deceptionsIn } from "./deceptions.ts";
import type { ShownApproval } from "./keeper.ts";
import { type GradedIdentifier, type Grading, gradingOf, knownOf } from "./provenance.ts";

/** An approval as whoever answers should see it. */
export interface Shown {
  readonly situation: Situation;
  readonly arguments: readonly ShownArgument[];
  /** From the last approved request of this agent for this tool. */
  readonly differences: readonly Difference[];
  /** What is meant to deceive a reader. */
  readonly warnings: readonly string[];
  /** What happens on a yes, in words. */
  readonly onApproval: string;
}

export interface ShownArgument {
  readonly name: string;
  /** A secret as `{kind, length, digest}`. */
  readonly value: Json;
  readonly role?: string;
  readonly provenance: Grade;
  readonly identifiers: readonly GradedIdentifier[];
}

export interface Difference {
  /** Dotted: `action.arguments.amount`. */
  readonly field: string;
  readonly before?: Json;
  readonly now?: Json;
}

/** Under the present policy: what the catalog says of the tool may have changed since it was asked. */
export function shown({ status, record, last, rootStatement }: ShownApproval, policy: Policy): Shown {
  const subject = subjectOf(record);
  const situation = situate(policy, subject);
  const { action } = subject.request;
  const grading = gradingOf(knownOf(subject, rootStatement));
  const differences = last && status.state.approval.kind === "action" ? differencesOf(comparable(last.record), comparable(record)) : [];
  const more = differences.length - DIFFERENCES_MAX;
  // Whoever fills the list could hide in it what matters.
  const unlisted = more > 0 ? [`${more} more differences from what was approved last are not listed: read every argument`] : [];
  return {
    situation,
    arguments: Object.entries(action.arguments).map(([name, value]) =>
      shownArgument(name, value, { grading, role: situation.tool?.roles.get(name) }),
    ),
    differences: differences.slice(0, DIFFERENCES_MAX),
    warnings: [...deceptionsIn(plain(comparable(record)), "request").map((warning) => warning.replace("`request.", "`")), ...unlisted],
    onApproval: onApproval(status),
  };
}

interface Judging {
  readonly grading: Grading;
  readonly role: string | undefined;
}

const shownArgument = (name: string, value: Json, { grading, role }: Judging): ShownArgument => ({
  name,
  value,
  ...(role !== undefined && { role }),
  provenance: grading.gradeOf(name, value),
  identifiers: grading.identifiersOf(name, value),
});

const plain = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

/** Everything that an approval is bound to and that a reader would miss if it had changed: not which task it is, which is another each time. */
function comparable({ subject }: DecisionRecord): JsonObject {
  const { task: named, approvalId: _, ...request } = subject.request;
  const { statement } = subject.task;
  return plain({
    ...request,
    task: {
      ...(statement !== undefined && { statement }),
      ...(named?.statement !== undefined && { stated: named.statement }),
    },
  });
}

const DIFFERENCES_MAX = 200;

/** Leaf by leaf, in the order in which they stand. */
function differencesOf(before: JsonObject, now: JsonObject): readonly Difference[] {
  const earlier = new Map(leavesOf(before, ""));
  const later = new Map(leavesOf(now, ""));
  const differences: Difference[] = [];
  for (const field of new Set([...later.keys(), ...earlier.keys()])) {
    const [was, is] = [earlier.get(field), later.get(field)];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    differences.push({ field, ...(was !== undefined && { before: was }), ...(is !== undefined && { now: is }) });
  }
  return differences;
}

function leavesOf(value: Json, place: string): readonly (readonly [string, Json])[] {
  if (isObject(value) && Object.keys(value).length === 0) return [];
  if (!isObject(value) || isMasked(value)) return [[place, value]];
  return Object.entries(value).flatMap(([key, item]) => leavesOf(item, place === "" ? key : `${place}.${partOf(key)}`));
}

/** One that holds a dot would look like two, and could stand for another's place. */
const partOf = (key: string): string => (/^[^."]+$/.test(key) ? key : JSON.stringify(key));

const isMasked = (value: JsonObject): boolean => Object.keys(value).sort().join() === "digest,kind,length";

function onApproval({ state, until }: ShownApproval["status"]): string {
  const { approval } = state;
  if (approval.kind === "flood") {
    return `agent \`${approval.agent}\` may have people asked again; nothing that it asked meanwhile is allowed by that`;
  }
  const missing = approval.holds.filter(({ quorum }) => quorum > 1);
  const quorum =
    missing.length > 0 ? `, once ${missing.map(({ name, quorum: people }) => `${people} people agree to \`${name}\``).join(" and ")}` : "";
  return (
    `\`${approval.parties.caller}\` may let agent \`${approval.agent}\` do exactly this, once, until ${isoOf(until)}${quorum}, ` +
    "if no rule denies it by then; any other request is asked anew"
  );
}
