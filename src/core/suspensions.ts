import { ServiceError } from "./errors.ts";
import { compileGlob, type Matcher } from "./globs.ts";
import { EFFECTS, type Instant, isEffect } from "./words.ts";

/** What a suspension can stop, the widest first. */
export const SUSPENSION_KINDS = ["all", "tenant", "agent", "principal", "tool", "effect", "task"] as const;
export type SuspensionKind = (typeof SUSPENSION_KINDS)[number];

/** What is stopped. */
export interface SuspensionTarget {
  readonly kind: SuspensionKind;
  /** Empty for `all`; a tenant, an agent's id, `user:…`, a tool's name or glob, an effect, a task's id. */
  readonly value: string;
}

/** A stop that an operator has pulled. It holds until it is resumed or its time is over. */
export interface Suspension extends SuspensionTarget {
  /** UUIDv7: the id of the event that made it. */
  readonly id: string;
  /** Whose it is: what it stops lies in this tenant, unless its kind is `all` or `tenant`. */
  readonly tenant: string;
  readonly reason: string;
  /** The caller that made it. */
  readonly by: string;
  readonly at: Instant;
  /** The first instant at which it no longer holds; absent: it holds until it is resumed. */
  readonly until?: Instant;
}

/** What a decision records of a suspension that covers it. */
export type AppliedSuspension = Pick<Suspension, "id" | "kind" | "value" | "reason">;

/** A suspension that no longer holds. */
export interface EndedSuspension {
  readonly suspension: Suspension;
  readonly endedAt: Instant;
  /** The caller that resumed it; absent: its time was over. */
  readonly endedBy?: string;
  readonly endedBecause?: string;
}

/** All that a suspension can name in one action. */
export interface SuspensionSubject {
  readonly tenant: string;
  /** Every agent of the chain. */
  readonly agents: readonly string[];
  /** `type:id` of everybody in the chain, and of whom the task is for. */
  readonly principals: readonly string[];
  readonly tool: string;
  readonly effects: readonly string[];
  /** The task and its ancestors. */
  readonly tasks: readonly string[];
}

/** The suspensions, as a turn sees them. */
export interface SuspensionsView {
  /** How many are remembered, also of those whose time is over. */
  readonly size: number;
  get(id: string): Suspension | undefined;
  /** Those that hold, in the order in which they were made. */
  inForce(at: Instant): readonly Suspension[];
  /** Those that hold and cover the subject: at most `APPLIED_MAX`, for each of them is enough. */
  covering(subject: SuspensionSubject, at: Instant): readonly AppliedSuspension[];
}

/** They are kept in each decision that they deny. */
export const APPLIED_MAX = 4;

/** Nothing looks at when it was made: a clock that steps back must not lift it. */
export const holds = ({ until }: Suspension, at: Instant): boolean => until === undefined || at < until;

/** What a tenant made, and what stops it. */
export const concerns = (suspension: Suspension, tenant: string): boolean =>
  suspension.tenant === tenant || suspension.kind === "all" || (suspension.kind === "tenant" && suspension.value === tenant);

/** The suspensions by what they name, so that a decision looks only at those that may cover it. Changed by `apply` alone. */
export class Suspensions implements SuspensionsView {
  readonly #byId = new Map<string, Suspension>();
  readonly #byTarget = new Map<string, Map<string, Suspension>>();
  /** By tenant: tools that are named by a pattern. */
  readonly #patterns = new Map<string, Map<string, { readonly suspension: Suspension; readonly matches: Matcher }>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Suspension | undefined {
    return this.#byId.get(id);
  }

  inForce(at: Instant): readonly Suspension[] {
    return [...this.#byId.values()].filter((suspension) => holds(suspension, at));
  }

  covering(subject: SuspensionSubject, at: Instant): readonly AppliedSuspension[] {
    if (this.#byId.size === 0) return [];
    const applied = new Map<string, AppliedSuspension>();
    for (const suspension of this.#candidates(subject)) {
      if (!holds(suspension, at)) continue;
      const { id, kind, value, reason } = suspension;
      applied.set(id, { id, kind, value, reason });
      if (applied.size === APPLIED_MAX) break;
    }
    return [...applied.values()];
  }

  *#candidates({ tenant, agents, principals, tool, effects, tasks }: SuspensionSubject): Generator<Suspension> {
    const named: readonly (readonly [SuspensionKind, readonly string[]])[] = [
      ["all", [""]],
      ["tenant", [tenant]],
      ["agent", agents],
      ["principal", principals],
      ["tool", [tool]],
      // Nobody knows what an unknown effect is: it may be the very one.
      ["effect", effects.includes("unknown") ? EFFECTS : effects],
      ["task", tasks],
    ];
    for (const [kind, values] of named) {
      for (const value of values) yield* this.#byTarget.get(targetKey(tenant, { kind, value }))?.values() ?? [];
    }
    for (const { suspension, matches } of this.#patterns.get(tenant)?.values() ?? []) if (matches(tool)) yield suspension;
  }

  add(suspension: Suspension): void {
    const { id, tenant, kind, value } = suspension;
    this.#byId.set(id, suspension);
    if (kind === "tool" && value.includes("*")) nested(this.#patterns, tenant).set(id, { suspension, matches: compileGlob(value) });
    else nested(this.#byTarget, targetKey(tenant, suspension)).set(id, suspension);
  }

  remove(id: string): void {
    const suspension = this.#byId.get(id);
    if (!suspension) return;
    this.#byId.delete(id);
    dropFrom(this.#patterns, suspension.tenant, id);
    dropFrom(this.#byTarget, targetKey(suspension.tenant, suspension), id);
  }

  /** Drops those whose time is over, which nothing that decides looks at any more. */
  forget(now: Instant): void {
    for (const suspension of this.#byId.values()) if (!holds(suspension, now)) this.remove(suspension.id);
  }
}

/** Injective. What stops everything or a whole tenant is found from every tenant. */
const targetKey = (tenant: string, { kind, value }: SuspensionTarget): string =>
  JSON.stringify(kind === "all" || kind === "tenant" ? [kind, value] : [kind, tenant, value]);

function nested<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const known = maps.get(key);
  if (known) return known;
  const fresh = new Map<string, T>();
  maps.set(key, fresh);
  return fresh;
}

function dropFrom<T>(maps: Map<string, Map<string, T>>, key: string, id: string): void {
  const inner = maps.get(key);
  inner?.delete(id);
  if (inner?.size === 0) maps.delete(key);
}

/** In words, for findings and for people. */
export const targetInWords = ({ kind, value }: SuspensionTarget): string => (kind === "all" ? "everything" : `${kind} \`${value}\``);

/** @throws {ServiceError} REQUEST_MALFORMED for a value that could never name anything of its kind */
export function checkTarget({ kind, value }: SuspensionTarget): void {
  const refuse = (why: string): never => {
    throw new ServiceError("REQUEST_MALFORMED", `\`value\` ${why}`, { field: "value" });
  };
  if (kind === "all") {
    if (value !== "") refuse(`is \`${value}\`: a suspension of everything names nothing; leave it out, or choose another kind`);
    return;
  }
  if (value === "") refuse(`is missing: name the ${kind} to suspend`);
  if (kind === "effect" && !isEffect(value)) refuse(`is \`${value}\`, which is no effect; write one of ${EFFECTS.join(", ")}`);
  if (kind === "principal" && !/^(user|service|agent):./.test(value)) {
    refuse(`is \`${value}\`, which is no principal; write \`user:ID\`, \`service:ID\` or \`agent:ID\``);
  }
}
