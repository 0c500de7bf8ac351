import fc from "fast-check";
import type { DecisionRequest, Hop } from "../../src/core/request.ts";
import type { Subject } from "../../src/core/situation.ts";
import type { Budget } from "../../src/core/tasks/budget.ts";
import type { Principal } from "../../src/core/tasks/registered.ts";
import type { Scope } from "../../src/core/tasks/scope.ts";
import { EFFECTS, type Effect, instant } from "../../src/core/words.ts";

/** What random registered tasks are made of. */
export interface TaskWords {
  readonly agents: readonly string[];
  readonly classifications: readonly string[];
}

const some = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const mostly = <T>(usual: T, other: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(usual) }, other);
const without = <T extends object>(parts: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T;

const unset = <T>(other: fc.Arbitrary<T>, weight = 4): fc.Arbitrary<T | undefined> => mostly<T | undefined>(undefined, other, weight);
const few = (values: readonly string[]): fc.Arbitrary<readonly string[]> => fc.uniqueArray(some(values), { maxLength: 3 });

/** Wide mostly, or nothing would be inside. */
const scopeOf = ({ agents, classifications }: TaskWords): fc.Arbitrary<Scope> =>
  fc
    .record({
      tools: unset(few(["*", "crm/*", "mail/send", "**", "files/edit", "p*"])),
      effects: unset(fc.uniqueArray(some(EFFECTS), { minLength: 4 })),
      resources: unset(few(["*", "file:/srv/**", "crm:*", "**", "/srv/reports/*"])),
      maxClassification: unset(some([...classifications, "cosmic"]), 3),
      delegates: unset(few([...agents, "*er", "*"])),
      maxDepth: unset(fc.integer({ min: 0, max: 2 })),
    })
    .map((parts) => without<Scope>(parts));

const CURRENCIES = ["EUR", "JPY", "KWD"];
const calls = (max: number): fc.Arbitrary<Partial<Record<Effect, number>>> =>
  fc.dictionary(some<string>(EFFECTS), fc.integer({ min: 0, max }), { maxKeys: 5, noNullPrototype: true });
const amounts = (max: number): fc.Arbitrary<Record<string, number>> =>
  fc.dictionary(some(CURRENCIES), fc.oneof(fc.integer({ min: 0, max }), some([0, 1, max])), { noNullPrototype: true });

const budget = (task: string): fc.Arbitrary<Budget> =>
  fc
    .record({
      calls: calls(2),
      amounts: amounts(3_000),
      maxCalls: unset(calls(4), 1),
      maxAmounts: unset(amounts(9_000), 1),
    })
    .map(({ calls: made, amounts: moved, maxCalls, maxAmounts }) => ({
      task,
      spent: { calls: made, amounts: moved },
      ...(maxCalls && { maxCalls }),
      ...(maxAmounts && { maxAmounts }),
    }));

const principal: fc.Arbitrary<Principal> = fc
  .record({ type: some(["user", "user", "service"] as const), id: some(["alice", "cron"]), text: unset(some(["a", "b", "100"]), 1) })
  .map(({ type, id, text }) => ({ type, id, ...(text !== undefined && { attributes: { text } }) }));

/** How a subject comes to belong to a registered task. */
export const registrations = (words: TaskWords) =>
  fc.record({
    principal,
    standing: mostly<Subject["task"]["standing"]>("open", some(["closed", "expired", "revoked", "mismatch"] as const), 4),
    /** Who had the task before the acting agent. */
    before: fc.array(some(words.agents), { maxLength: 3 }),
    /** How many of those, and the acting agent, the caller added below the task's own chain. */
    added: mostly(0, fc.integer({ min: 1, max: 2 }), 2),
    scopeKind: mostly("issued" as const, some(["proposed"] as const), 2),
    boundary: unset(scopeOf(words), 1),
    budgets: unset(fc.tuple(budget("root"), budget("leaf")), 1),
    restated: fc.boolean(),
    reworded: fc.boolean(),
    statementExpired: fc.boolean(),
    unreported: mostly(0, fc.integer({ min: 1, max: 3 }), 1),
    lastsMs: some([1, 60_000, 60_001, 30_000, 9_000_000]),
    repeated: fc.boolean(),
  });
export type Registration = ReturnType<typeof registrations> extends fc.Arbitrary<infer T> ? T : never;

/** The same question about the same action, asked for a registered task. */
export function underTask(subject: Subject, registration: Registration): Subject {
  const { principal: whom, standing, before, scopeKind, boundary, budgets, restated, reworded, statementExpired, unreported } = registration;
  const { request, at } = subject;
  const agents = [...before, request.agent.id];
  const added = Math.min(registration.added, agents.length - 1);
  const own = agents.length - added;
  const chain: readonly Hop[] = [
    { type: whom.type, id: whom.id },
    ...agents.map((id, index): Hop => ({ type: "agent", id, ...(index < own && { taskId: `task-${index}` }) })),
  ];
  const asked: DecisionRequest = standing === "mismatch" ? request : { ...request, delegation: chain };
  return {
    ...subject,
    request: asked,
    task: {
      ...subject.task,
      standing,
      id: `task-${own - 1}`,
      restated,
      ...(unreported > 0 && { unreported }),
      registered: {
        root: "task-0",
        depth: own - 1,
        principal: whom,
        issuer: "user:pat",
        scopeKind,
        ...(boundary && { boundary }),
        hops: own + 1,
        ...(budgets && { budgets }),
        ...(reworded && { reworded }),
        ...(statementExpired && { statementExpired }),
        until: instant(at + registration.lastsMs),
        ...(standing !== "open" && standing !== "mismatch" && { endedTask: registration.repeated ? "task-0" : `task-${own - 1}` }),
      },
    },
  };
}
