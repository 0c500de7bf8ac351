import { encodeStable, isList, isObject } from "../../core/json.ts";
import type { Policy } from "../../core/policy.ts";
import type { Instant, Json } from "../../core/words.ts";
import { sourceOf } from "../compile.ts";
import { type Complaint, orMean } from "../complaints.ts";
import { FRAMEWORKS, KNOWN_CONTROLS } from "../controls.ts";
import type { Document } from "../document.ts";
import type { LoadedPolicy } from "../load.ts";
import type { StatedRule } from "../rules.ts";
import { declaredFrameworks, nodeAt } from "../settings.ts";
import { scoreMax } from "./bands.ts";
import { COMBINATIONS_MAX, type Effort, type Examined, examine, isHelping } from "./examine.ts";
import type { Vocabulary } from "./model.ts";
import { nameComplaints } from "./names.ts";
import { principalComplaints } from "./principals.ts";
import { quorumComplaints } from "./quorums.ts";
import { pinNote, registryComplaints } from "./registry.ts";
import { findShadows, type Shadow } from "./shadows.ts";
import { splitFactsOf } from "./spelling.ts";
import { complaintsAbout, nameNodeOf } from "./verdicts.ts";

export interface LintReport {
  /** What the loader warns of and all that is found here, by place. */
  readonly complaints: readonly Complaint[];
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
}

export interface LintOptions {
  /** Names of the rules that some case makes stand. Undefined: there are no cases, or they could not be read. */
  readonly standing?: ReadonlySet<string> | undefined;
  /** When it is looked at. Undefined: no review is told to be overdue. */
  readonly at?: Instant | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Asking so many parts of conditions takes a few seconds. */
const EFFORT_MAX = 200_000_000;

/**
 * Looks for what the loader has no reason to refuse, and its author every reason to change. No complaint is a false alarm: where something
 * cannot be told for sure, nothing is said.
 */
export function lintPolicy(loaded: LoadedPolicy, { standing, at, onProgress }: LintOptions = {}): LintReport {
  const { policy, stated, documents } = loaded;
  const notes: string[] = [];
  const effort: Effort = { left: EFFORT_MAX };
  const vocabulary: Vocabulary = { slots: policy.slots, classifications: policy.settings.classification.order };
  const examined = policy.rules.map((rule, done) => {
    if (done % 256 === 0) onProgress?.(done, policy.rules.length);
    return examine(rule, vocabulary, effort);
  });
  const unexamined = examined.filter((one) => one === undefined).length;
  if (unexamined > 0) {
    notes.push(
      `whether ${counted(unexamined, "rule")} can fire is not known: at most ${COMBINATIONS_MAX} combinations of facts are tried for one rule, and so many for all that it takes seconds`,
    );
  }
  const { shadows, cutShort } = findShadows({ policy, examined, vocabulary, effort });
  if (cutShort)
    notes.push("some rules may be shadowed by a `deny` without being told: there are more pairs, or combinations of facts, than are tried");
  const rules: readonly Both[] = stated.map((rule, index) => ({ stated: rule, examined: examined[index] }));
  const duplicates = duplicatesOf(rules);
  const told = new Set<string>();
  const complaints = [
    ...loaded.warnings,
    ...rules.flatMap((rule) => (rule.examined ? complaintsAbout(rule.stated, rule.examined, told) : [])),
    ...duplicates.map(({ rule, first }) =>
      rule.document.complaintAt(
        "duplicate-rule",
        nameNodeOf(rule),
        `rule \`${rule.name}\` has the same conditions and the same event as \`${first.name}\`, at ${first.document.positionOf(nameNodeOf(first))}`,
      ),
    ),
    ...shadowComplaints(shadows, rules, new Set(duplicates.map(({ rule }) => rule.name))),
    ...bandComplaints(loaded, examined, shadows),
    ...controlComplaints(loaded),
    ...registryComplaints(loaded, at),
    ...quorumComplaints(loaded),
    ...principalComplaints(loaded, { vocabulary, effort }),
    ...nameComplaints(loaded),
    ...[...documents.values()].filter(isRuleFile).flatMap(spellingComplaints),
    ...(standing ? stated.filter(({ name }) => !standing.has(name)).map(withoutCase) : []),
  ];
  return { complaints: complaints.sort(byPlace), notes: [...notes, ...pinNote(policy)] };
}

interface Both {
  readonly stated: StatedRule;
  readonly examined: Examined | undefined;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const isRuleFile = ({ file }: Document): boolean => file.endsWith(".rules.json");

function byPlace(a: Complaint, b: Complaint): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0) || a.id.localeCompare(b.id);
}

interface Duplicate {
  readonly rule: StatedRule;
  readonly first: StatedRule;
}

function duplicatesOf(rules: readonly Both[]): readonly Duplicate[] {
  const first = new Map<string, StatedRule>();
  const found: Duplicate[] = [];
  // In the order in which they are written, so that the later one is complained of.
  for (const { stated: rule } of rules) {
    const key = encodeStable([rule.event, distinguishing(rule), plain(sourceOf(rule.condition))]);
    const known = first.get(key);
    if (known) found.push({ rule, first: known });
    else first.set(key, rule);
  }
  return found;
}

/** Two holds ask different people, and two obligations demand different things: neither makes the other superfluous. */
function distinguishing({ event, params }: StatedRule): Json {
  if (event === "require-approval") return [...(params.approvers ?? [])].sort();
  return event === "oblige" && params.obligation ? { ...params.obligation } : null;
}

/** A condition in one spelling: what is listed under `all` and `any`, or as a value, has no order and no repetition. */
function plain(value: Json): Json {
  if (isList(value))
    return [...new Map(value.map((item) => [encodeStable(plain(item)), plain(item)] as const))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, item]) => item);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function shadowComplaints(shadows: readonly Shadow[], rules: readonly Both[], duplicates: ReadonlySet<string>): readonly Complaint[] {
  const statedOf = new Map(rules.flatMap(({ stated, examined }) => (examined ? [[examined, stated] as const] : [])));
  return shadows.flatMap(({ rule, deny }) => {
    const [shadowed, by] = [statedOf.get(rule), statedOf.get(deny)];
    if (!shadowed || !by || (shadowed.event === "deny" && duplicates.has(shadowed.name))) return [];
    const message = `rule \`${shadowed.name}\` decides nothing: whenever it stands, the \`deny\` of \`${by.name}\` stands as well, at ${by.document.positionOf(nameNodeOf(by))}`;
    return [shadowed.document.complaintAt("shadowed-by-deny", nameNodeOf(shadowed), message)];
  });
}

function bandComplaints(
  { policy, documents }: LoadedPolicy,
  examined: readonly (Examined | undefined)[],
  shadows: readonly Shadow[],
): readonly Complaint[] {
  const document = documents.get("policy.json");
  if (!document || !usesPoints(policy) || examined.some((one) => one?.fires === "always" && one.rule.event === "deny")) return [];
  const byRule = new Map(examined.flatMap((one) => (one ? [[one.rule, one] as const] : [])));
  const shadowed = new Set(shadows.map(({ rule }) => rule.rule));
  const max = scoreMax(policy, (rule) => {
    const fires = byRule.get(rule)?.fires;
    if (rule.event === "deny" || fires === "never" || shadowed.has(rule)) return 0;
    return isHelping(rule) && fires === "always" ? rule.points : Math.max(0, rule.points);
  });
  const { middle, top } = policy.settings.bands;
  const band = max < middle ? "middle" : max < top ? "top" : undefined;
  if (!band) return [];
  const which =
    band === "middle" ? `neither the middle band, from ${middle}, nor the top one, from ${top}, can` : `the top band, from ${top}, cannot`;
  const message = `${which} be reached: where no \`deny\` stands, the points of all rules come to at most ${Math.max(0, max)}`;
  return [document.complaintAt("unreachable-band", nodeAt(document.root, ["bands", band]), message)];
}

/** A policy that gives no points has no use for bands, and nothing to be told of them. */
const usesPoints = ({ rules }: Policy): boolean => rules.some(({ event, points }) => event !== "deny" && points > 0);

function controlComplaints({ documents, stated }: LoadedPolicy): readonly Complaint[] {
  const settings = documents.get("policy.json");
  const declared = settings ? declaredFrameworks(settings) : [];
  return stated.flatMap(({ node, document }) =>
    (nodeAt(node, ["event", "params", "controls"]).children ?? []).flatMap((child) => {
      const control = String(child.value);
      const framework = control.slice(0, control.indexOf(":"));
      if (KNOWN.has(control) || (!Object.hasOwn(FRAMEWORKS, framework) && declared.includes(framework))) return [];
      const why = Object.hasOwn(FRAMEWORKS, framework)
        ? `\`${framework}\` has no control \`${control.slice(framework.length + 1)}\``
        : `the framework \`${framework}\` of \`${control}\` is not known; declare it under \`controls\` of policy.json`;
      return [document.complaintAt("unknown-control", child, orMean(why, control, KNOWN_CONTROLS))];
    }),
  );
}

const KNOWN: ReadonlySet<string> = new Set(KNOWN_CONTROLS);

const spellingComplaints = (document: Document): readonly Complaint[] =>
  [...splitFactsOf(document)].map(({ factNode, joined }) =>
    document.complaintAt("path-spelling", factNode, { message: `\`fact\` and \`path\` are one name: write \`${joined}\``, suggestion: joined }),
  );

const withoutCase = (rule: StatedRule): Complaint =>
  rule.document.complaintAt("rule-without-case", nameNodeOf(rule), `no case makes rule \`${rule.name}\` stand`);
