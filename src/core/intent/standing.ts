import { matchesAnyGlob } from "../globs.ts";
import { ARGUMENT_ROLES, type ArgumentRole, type Tool } from "../policy.ts";
import type { DecisionRequest } from "../request.ts";
import type { Subject } from "../situation.ts";
import { chainOf, type TaskState } from "../tasks/registered.ts";
import type { Effect, Instant, Json } from "../words.ts";
import { GRADES, type Grade, isContained, isWeak, type Provenance, worseOf } from "./grades.ts";
import type { Language } from "./language.ts";
import type { ObservedView } from "./observed.ts";
import type { StatementWords } from "./observing.ts";
import { type Grading, gradingOf, textsOf } from "./provenance.ts";
import { ALIGNMENTS, type Alignment, matchOf, reachedBy, type ToolWords } from "./scope.ts";
import { plainly } from "./spelling.ts";

export const SCOPE_STANDINGS = ["inside", "outside"] as const;
export const OBJECT_STANDINGS = ["bound", "none", "unbound"] as const;

/** What was found of an action beside the words of its task. It is recorded with the decision, which is made again from it. */
export interface IntentStanding {
  readonly scope: (typeof SCOPE_STANDINGS)[number];
  readonly alignment: Alignment;
  /** What is deleted, booked, moved or paid is what the task speaks of. */
  readonly object: (typeof OBJECT_STANDINGS)[number];
  /** The words by which it lies inside; `scope.tools` for a tool that was issued or proposed. */
  readonly words: readonly string[];
  /** By role; absent: none. */
  readonly provenance: Readonly<Partial<Record<ArgumentRole, Grade>>>;
  /** For whoever is asked: the grade of each argument with a role, and of each address in free text. */
  readonly graded?: Readonly<Record<string, Grade>>;
}

/** Where nothing was looked for: in records of before it was. */
export const NOTHING_FOUND: IntentStanding = {
  scope: "outside",
  alignment: "none",
  object: "unbound",
  words: [],
  provenance: Object.fromEntries(ARGUMENT_ROLES.map((role) => [role, "unseen"])),
};

export interface IntentQuestion {
  readonly toolWords: ToolWords;
  readonly tool: Tool | undefined;
  readonly effect: Effect;
  /** Nothing masked. */
  readonly original: DecisionRequest;
  readonly subject: Subject;
  readonly registered: TaskState | undefined;
  readonly observed: ObservedView | undefined;
  readonly read: (statement: string) => StatementWords;
  readonly registrableOf: Language["registrableOf"];
}

/** More are left out of the record, the best first. */
const GRADED_MAX = 16;

/** Where an action stands to the words of its task, and where its values come from. */
export function intentOf(question: IntentQuestion): IntentStanding {
  const { tool, effect, original, subject, registered, observed } = question;
  const root = registered && rootStatement(registered, subject.at);
  const grading = gradingOf(
    {
      ...(root !== undefined && { statement: question.read(root) }),
      endorsed: subject.endorsed ?? { values: [], sources: [] },
      own: ownOf(subject),
      observed,
    },
    question.registrableOf,
  );
  const graded = gradeArguments({ tool, effect, arguments: original.action.arguments, masked: subject.request.action.arguments, grading, observed });
  const object = objectOf(question, grading);
  return { ...scopeOf(question, object), object, ...graded };
}

/** Of the task that an initiator opened, while its words hold. */
export function rootStatement(leaf: TaskState, at: Instant): string | undefined {
  const root = chainOf(leaf)[0]?.task;
  if (!root || (root.statementExpiresAt !== undefined && at >= root.statementExpiresAt)) return undefined;
  return root.statement;
}

function ownOf({ task }: Subject): readonly string[] {
  const principal = task.registered?.principal;
  if (!principal) return NOTHING_OWN;
  const known = owned.get(principal);
  if (known) return known;
  const own = [principal.id, ...attributesOf(principal.attributes ?? {})];
  owned.set(principal, own);
  return own;
}

const NOTHING_OWN: readonly string[] = [];
/** A task's principal is the same object in all its decisions, and never changes. */
const owned = new WeakMap<object, readonly string[]>();

const attributesOf = (value: Json): readonly string[] =>
  value !== null && typeof value === "object" ? Object.values(value).flatMap(attributesOf) : value === null ? [] : [String(value)];

/** Every statement that bears on the action: those of the chain, and what the request says instead; the worst match counts. */
function statementsOf({ registered, subject, original }: IntentQuestion): readonly string[] {
  const own = registered ? chainOf(registered).map(({ task }) => task.statement) : [];
  const standing = subject.task.statement;
  if (standing === undefined) return [];
  const restated = subject.task.restated ? original.task?.statement : undefined;
  return [...new Set([...own, standing, ...(restated === undefined ? [] : [restated])])];
}

function scopeOf(question: IntentQuestion, object: IntentStanding["object"]): Pick<IntentStanding, "scope" | "alignment" | "words"> {
  const { tool, effect, registered, original, read, toolWords, subject } = question;
  const named = scopeNames(registered, original.action.tool);
  const statements = statementsOf(question);
  if (!tool || statements.length === 0) return { scope: named ? "inside" : "outside", alignment: "none", words: named ? ["scope.tools"] : [] };
  const matches = statements.map((statement) => matchOf(read(statement).reading, effect, toolWords(tool)));
  const alignment = ALIGNMENTS[Math.max(...matches.map((match) => ALIGNMENTS.indexOf(match.alignment)))] ?? "none";
  const words = [...new Set(matches.flatMap(({ verb, objects }) => [...(verb === undefined ? [] : [verb]), ...objects]))].slice(0, WORDS_SHOWN);
  const reached = matches.map((match) => reachedBy(match, tool, effect));
  const asked = reached.every((one) => one === "inside" || (one === "inside_if_bound" && object === "bound"));
  if (asked) return { scope: "inside", alignment, words };
  // What the words refuse no planner can propose.
  if (statements.some((statement) => isForbidden(read(statement).reading, effect, toolWords(tool))) && !isIssued(registered))
    return { scope: "outside", alignment, words };
  // What a planner proposed is a signal like the words, and another statement of the request narrows them all.
  const narrowed = subject.task.restated && subject.task.registered?.scopeKind !== "issued";
  if (named && !narrowed) return { scope: "inside", alignment, words: ["scope.tools", ...words] };
  const followed = followedMatch(question);
  return { scope: followed ? "inside" : "outside", alignment, words: followed ?? words };
}

/** `book it, but do not pay`. */
const isForbidden = ({ forbids }: StatementWords["reading"], effect: Effect, words: ReadonlySet<string>): boolean =>
  forbids?.some((ask) => ask.effect === effect && [...ask.objects.keys()].some((stem) => words.has(stem))) ?? false;

const isIssued = (registered: TaskState | undefined): boolean => registered?.task.scopeKind === "issued";

const WORDS_SHOWN = 8;
/** What a text that the task says to follow can ask for; what it cannot, only the task itself can. */
const FOLLOWED: ReadonlySet<Effect> = new Set(["create", "update", "send"]);

/** The words by which a source that the task says to follow asks for the action. */
function followedMatch({ tool, effect, observed, read, toolWords }: IntentQuestion): readonly string[] | undefined {
  if (!tool || !FOLLOWED.has(effect)) return undefined;
  for (const text of observed?.followed ?? []) {
    const { alignment, verb, objects } = matchOf(read(text).reading, effect, toolWords(tool));
    if (alignment === "full") return [...(verb === undefined ? [] : [verb]), ...objects].slice(0, WORDS_SHOWN);
  }
  return undefined;
}

/** Every scope of the chain lists the tool: what was issued, or what was proposed before the task had seen anything. */
function scopeNames(registered: TaskState | undefined, tool: string): boolean {
  if (!registered) return false;
  return chainOf(registered).every(({ task: { scope, scopeKind } }) => {
    if (scope.tools) return matchesAnyGlob(scope.tools, tool);
    // What an initiator bounds by effects or resources is bound by them, whichever the tool: what lies outside is no question of intent.
    return scopeKind === "issued" && (scope.effects !== undefined || scope.resources !== undefined);
  });
}

interface Graded {
  readonly tool: Tool | undefined;
  readonly effect: Effect;
  readonly arguments: Readonly<Record<string, Json>>;
  /** The same as they are recorded. */
  readonly masked: Readonly<Record<string, Json>>;
  readonly grading: Grading;
  readonly observed: ObservedView | undefined;
}

function gradeArguments({ tool, effect, arguments: stated, masked, grading, observed }: Graded): Pick<IntentStanding, "provenance" | "graded"> {
  const provenance: Partial<Record<ArgumentRole, Provenance>> = {};
  const graded: [string, Grade][] = [];
  const note = (what: string, found: Provenance): void => {
    if (found !== "none") graded.push([what, found]);
  };
  const raise = (role: ArgumentRole, found: Provenance): void => {
    provenance[role] = worseOf(provenance[role] ?? "none", found);
  };
  for (const name of Object.keys(stated)) {
    const value = stated[name] as Json;
    const role = tool?.roles.get(name);
    const its = gradeAs(role, value, { grading, observed });
    if (role !== undefined && namesSomething(value)) raise(role, its);
    note(name, its);
    if (role === "destination" || role === "secret") continue;
    const addresses = grading.addressesOf(value);
    if (addresses.length === 0) continue;
    // What is masked stands in no record, a key that looks like an address neither.
    const shown = masked[name] === value ? addresses : grading.addressesOf(masked[name] ?? null);
    const readable = new Set(shown.map(([address]) => address));
    for (const [address, found] of addresses) {
      raise("free_text", found);
      if (readable.has(address)) note(address, found);
    }
  }
  for (const role of tool ? tool.roles.values() : UNKNOWN_ROLES) provenance[role] ??= missing(tool, stated, role);
  return { provenance: withoutNone(provenance), ...shownGrades(effect, graded) };
}

function withoutNone(provenance: Partial<Record<ArgumentRole, Provenance>>): IntentStanding["provenance"] {
  const found: Partial<Record<ArgumentRole, Grade>> = {};
  for (const role of ARGUMENT_ROLES) {
    const grade = provenance[role];
    if (grade !== undefined && grade !== "none") found[role] = grade;
  }
  return found;
}

/** That something of a name exists, a list says as well as its id does; whether it is what the task means, is another question. */
function gradeAs(role: ArgumentRole | undefined, value: Json, { grading, observed }: Binding): Provenance {
  if (role === undefined || role === "free_text") return "none";
  if (role === "amount") return grading.amountOf(value);
  const found = grading.gradeOf(value);
  const exists = (leaf: string): boolean =>
    ["stated", "endorsed", "own", "attested"].includes(grading.gradeOf(leaf)) || observedValue(leaf, observed)?.naming === true;
  return role === "target" && (isWeak(found) || found === "named_source") && textsOf(value).every(exists) ? "attested" : found;
}

/** Nobody is asked about what only reads. */
function shownGrades(effect: Effect, graded: readonly (readonly [string, Grade])[]): Pick<IntentStanding, "graded"> {
  if (effect === "read" || graded.length === 0) return {};
  const bestFirst = [...graded].sort(([, a], [, b]) => GRADES.indexOf(a) - GRADES.indexOf(b));
  // An argument that is called like an address makes it none the better: of two under one name the worse is kept.
  const worst = Object.entries(Object.fromEntries(bestFirst)).sort(([, a], [, b]) => GRADES.indexOf(b) - GRADES.indexOf(a));
  return { graded: Object.fromEntries(worst.slice(0, GRADED_MAX)) };
}

/** Of a tool that nobody has listed anything may be addressed. */
const UNKNOWN_ROLES: readonly ArgumentRole[] = ["destination", "target"];

/** A role without a value: nothing of the kind is meant where the call names something else, and nobody knows what is where it names nothing. */
const missing = (tool: Tool | undefined, stated: Readonly<Record<string, Json>>, role: ArgumentRole): Provenance =>
  tool && (!POINTING.has(role) || [...tool.roles.keys()].some((name) => namesSomething(stated[name]))) ? "none" : "unseen";

const POINTING: ReadonlySet<ArgumentRole> = new Set(["destination", "target"]);

/** An empty text or list names as little as none: who knows what is deleted at the path of no characters. */
const namesSomething = (value: Json | undefined): boolean => value !== undefined && textsOf(value).some((text) => text.trim() !== "");

/** Whether what the call names is what the task means. */
function objectOf({ tool, original, observed, effect }: IntentQuestion, grading: Grading): IntentStanding["object"] {
  if (!tool || effect === "read") return "none";
  const stated = original.action.arguments;
  const targets = [...tool.roles].flatMap(([name, role]) => (role === "target" && namesSomething(stated[name]) ? [stated[name] as Json] : []));
  if (targets.length > 0) return targets.every((value) => isBound(value, { grading, observed })) ? "bound" : "unbound";
  // Without a target, what is named by any other argument: a hotel, a film, a dish.
  const names = Object.entries(stated).filter(([name]) => !NOT_OBJECTS.has(tool.roles.get(name) ?? "none"));
  const leaves = names.flatMap(([, value]) => textsOf(value)).filter((leaf) => NAMING.test(leaf) && !DATED.test(leaf));
  const known = leaves.map((leaf) => (grading.gradeOf(leaf) === "stated" ? "bound" : observedAs(leaf, observed)));
  if (known.includes("bound")) return "bound";
  return known.includes("unbound") ? "unbound" : "none";
}

/** A word or two; numbers, dates and times are of many things. */
const NAMING = /\p{L}{2}/u;
const DATED = /^\d{4}-\d{2}-\d{2}|^\d{1,2}:\d{2}/u;
const NOT_OBJECTS: ReadonlySet<string> = new Set(["destination", "amount", "currency", "secret"]);

interface Binding {
  readonly grading: Grading;
  readonly observed: ObservedView | undefined;
}

function isBound(value: Json, { grading, observed }: Binding): boolean {
  return textsOf(value).every((leaf) => {
    const grade = grading.gradeOf(leaf);
    return grade === "none" || grade === "stated" || grade === "endorsed" || grade === "own" || observedValue(leaf, observed)?.bound === true;
  });
}

const observedValue = (leaf: string, observed: ObservedView | undefined) => observed?.get(plainly(leaf));

function observedAs(leaf: string, observed: ObservedView | undefined): IntentStanding["object"] {
  const found = observedValue(leaf, observed);
  if (!found?.naming) return "none";
  return found.bound ? "bound" : "unbound";
}

/** Whether a provenance is too weak for an action: what leaves, moves money, grants or destroys takes no value out of free text. */
export const isTooWeak = (provenance: Provenance, effect: Effect): boolean =>
  isWeak(provenance) || (provenance === "named_source" && !isContained(effect));
