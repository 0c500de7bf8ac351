import type { GlobIndex, Matcher } from "./globs.ts";
import type { Known } from "./json.ts";
import type { Kleene } from "./kleene.ts";
import type { Obligation } from "./obligations.ts";
import type {
  AgentStatus,
  AgentTrust,
  Basis,
  DurationMs,
  Effect,
  Finding,
  Instant,
  Json,
  JsonObject,
  Reversibility,
  RuleEvent,
  Trust,
} from "./words.ts";

/** Everything in `rules/` that can change a decision, compiled once and never changed afterwards. */
export interface Policy {
  /** `sha256:` and 64 hexadecimal digits over every file it was read from. */
  readonly digest: string;
  readonly settings: Settings;
  /** Catalogued tools by exact name. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** What the catalog says of resources, by glob; looked up in their plain spelling. */
  readonly resourceLabels: GlobIndex<ResourceLabel>;
  /** Registered agents by exact id. */
  readonly agents: ReadonlyMap<string, RegisteredAgent>;
  /** In the order of their evaluation: highest priority first, then as the files have them. */
  readonly rules: readonly CompiledRule[];
  /** The facts that the rules read, each once. */
  readonly slots: readonly Slot[];
  /** Finds the rules that could stand. */
  readonly index: RuleIndex;
}

/**
 * Rules by what they demand of one fact, so that a decision costs what the rules that could stand cost, not what the rules there are do. Every
 * rule stands either in `always` or under exactly one guard, there under each value with which it could stand.
 */
export interface RuleIndex {
  readonly always: RuleGroup;
  readonly guards: readonly RuleGuard[];
}

export interface RuleGuard {
  /** Of a total fact that is one word. */
  readonly slot: number;
  readonly type: "string" | "boolean";
  readonly groups: ReadonlyMap<Known, RuleGroup>;
  /** All of the groups: for a value that is not of the type, with which nothing can be left out. */
  readonly whole: RuleGroup;
}

export interface RuleGroup {
  /** Indexes into `Policy.rules`, ascending. */
  readonly rules: readonly number[];
  /** The slots that these rules read beside those of all guards and, under a guard, beside those of `always`. */
  readonly slots: readonly number[];
}

/** What `policy.json` says. */
export interface Settings {
  readonly classification: { readonly order: readonly string[]; readonly default: string };
  readonly environmentDefault: string;
  readonly bands: { readonly middle: number; readonly top: number };
  readonly basis: Readonly<Record<Exclude<Basis, "NONE">, BasisRow>>;
  readonly reachDefault: Reach;
  readonly approvers: {
    readonly default: readonly string[];
    readonly quorum: number;
    /** Answers of people known by a token file alone do not count. */
    readonly requireVerified: boolean;
  };
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** How long a no holds; unset: as long as the task lives. */
  readonly reaskAfter?: DurationMs;
  /** How often an action may be taken that a person approved with others like it. */
  readonly endorsementUsesMax: number;
  /** How many approvals are opened in an hour; what is asked beyond is one summary. */
  readonly askedPerHour: { readonly byAgent: number; readonly forTask: number };
  readonly outsideIssuedScope: "deny" | "ask";
  readonly lifetimes: Lifetimes;
  readonly windows: Windows;
}

export interface Lifetimes {
  /** How long an ALLOW may be acted upon. */
  readonly decision: DurationMs;
  /** After how long without a decision a self-asserted task closes. */
  readonly selfAssertedIdle: DurationMs;
  readonly approval: DurationMs;
}

export interface Windows {
  /** How long an agent's new self-asserted tasks start with what it has seen before. */
  readonly memory: DurationMs;
  readonly reportWithin: DurationMs;
  /** How long a request id is remembered. */
  readonly idempotency: DurationMs;
}

export type BasisAnswer = "allow" | "ask" | "deny";
/** For every effect; what policy.json does not mention is `deny`. */
export type BasisRow = Readonly<Record<Effect, BasisAnswer>>;

/** What policy grants an agent whatever the task. An unset list grants nothing. */
export interface Reach {
  readonly tools: Matcher;
  readonly effects: ReadonlySet<Effect>;
  readonly resources: Matcher;
  /** The globs as they are written. */
  readonly stated: { readonly tools: readonly string[]; readonly resources: readonly string[] };
  /** `resources` holds `*`: the only glob that covers an action which names no resource, or one in an obscured spelling. */
  readonly anyResource: boolean;
  /** Index into `classification.order`; -1 grants nothing. */
  readonly classificationRankMax: number;
}

export const ARGUMENT_ROLES = ["destination", "target", "secret", "amount", "currency", "free_text"] as const;
export type ArgumentRole = (typeof ARGUMENT_ROLES)[number];

/** One catalogued tool. */
export interface Tool {
  readonly name: string;
  readonly effect: Effect;
  /** Effect per operation; a tool that has any is `unknown` for an operation not listed. */
  readonly operations?: ReadonlyMap<string, Effect>;
  readonly reversibility: Reversibility;
  /** Role by top-level argument name. */
  readonly roles: ReadonlyMap<string, ArgumentRole>;
  /** What its actions are done to: nouns in lower case, as somebody wrote them. Unset: nobody has said. */
  readonly objects?: readonly string[];
  readonly classification?: string;
  readonly categories: readonly string[];
  /** What a call brings back into the task. */
  readonly output: {
    readonly trust: Trust;
    /** Who may write what stands in a field, by the field's name: over what its name alone would say. */
    readonly fields?: ReadonlyMap<string, Trust>;
    readonly categories: readonly string[];
    /** The highest that a call can return; unset: anything. */
    readonly classificationMax?: string;
  };
  readonly owner?: string;
  /** `sha256:` and 64 hexadecimal digits, of the definition that was reviewed; see `definitionDigest`. */
  readonly definitionDigest?: string;
}

/** Labels that the catalog puts on resources. */
export interface ResourceLabel {
  readonly classification?: string;
  readonly categories: readonly string[];
}

/** One entry of `agents.json`. */
export interface RegisteredAgent {
  readonly id: string;
  readonly owner?: string;
  readonly trust: AgentTrust;
  /** One that is not active has no reach, whatever `reach` says. */
  readonly status: Exclude<AgentStatus, "unregistered">;
  /** The first instant at which its review is overdue: the end of its `review_by` day, UTC. Unset: nobody has said when it is due. */
  readonly overdueFrom?: Instant;
  /** Only callers of this tenant may ask for the agent. */
  readonly tenant?: string;
  /** Only these callers may ask for the agent. */
  readonly callers?: ReadonlySet<string>;
  readonly reach: Reach;
}

/** One fact, or one path into an open map, that some rule reads. */
export interface Slot {
  /** `action.effect`, `action.arguments.to[0]`. */
  readonly name: string;
  /** The declared name. */
  readonly fact: string;
  /** What follows it, into an open map. */
  readonly path: readonly (string | number)[];
}

export interface CompiledRule {
  readonly name: string;
  readonly event: RuleEvent;
  readonly points: number;
  readonly reason: string;
  readonly controls: readonly string[];
  /** For a hold; undefined leaves it to `approvers.default`. */
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly lifetime?: DurationMs;
  /** For an `oblige`. */
  readonly obligation?: Obligation;
  readonly condition: CompiledCondition;
  /** What the rule says when it stands, made once so that a decision allocates nothing for it. */
  readonly matched: Finding;
  readonly unknown: Finding;
  /** Its conditions with every fact under its one dotted name, for the reference evaluator. */
  readonly source: JsonObject;
  /** `file:line:column`. */
  readonly position: string;
}

/** Reads only `values`, by the policy's slots; never throws, never waits. */
export type Test = (values: readonly Known[]) => Kleene;

/** A condition with its parts, each of which can be asked by itself: the decision, its explanation and coverage all ask these. */
export interface CompiledCondition {
  readonly kind: "all" | "any" | "not" | "compare";
  readonly test: Test;
  readonly parts: readonly CompiledCondition[];
  /** `file:line:column`. */
  readonly position: string;
  /** Of kind `compare` only. */
  readonly comparison?: Comparison;
}

/** Every slot that a condition reads, each once. */
export function slotsOf({ parts, comparison }: CompiledCondition, into = new Set<number>()): ReadonlySet<number> {
  for (const part of parts) slotsOf(part, into);
  if (comparison) into.add(comparison.slot);
  if (comparison && "slot" in comparison.value) into.add(comparison.value.slot);
  return into;
}

export interface Comparison {
  readonly slot: number;
  readonly operator: string;
  readonly value: { readonly literal: Json } | { readonly slot: number };
}
