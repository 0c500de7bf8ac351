import { type DurationMs, type Instant, instant } from "../words.ts";
import { type AwaitedCalls, createAwaited, lookForEarliest, mayBeOverdue } from "./awaited.ts";
import { NOTHING_SEEN, raiseSeen, type Seen } from "./seen.ts";

/**
 * When an agent last had each thing in sight; a new self-asserted task of the agent starts with what lies within the window. Changed in place,
 * by `apply` alone.
 */
export interface AgentMemory {
  lastAt: Instant;
  readonly classifications: Map<string, Instant>;
  readonly categories: Map<string, Instant>;
  readonly systems: Map<string, Instant>;
  untrustedAt: Instant | undefined;
  /** Its allowed calls of which nothing was reported yet. */
  readonly awaited: AwaitedCalls;
}

export const createMemory = (at: Instant): AgentMemory => ({
  lastAt: at,
  classifications: new Map(),
  categories: new Map(),
  systems: new Map(),
  untrustedAt: undefined,
  awaited: createAwaited(),
});

export interface Recalling {
  readonly at: Instant;
  readonly window: DurationMs;
  readonly reportWithin: DurationMs;
}

/** What an agent has had in sight within the window. What it did not report in time counts from then on, as the worst it can have been. */
export function recall(memory: AgentMemory | undefined, { at: now, window, reportWithin }: Recalling): Seen {
  if (!memory) return NOTHING_SEEN;
  const recent = (times: ReadonlyMap<string, Instant>): string[] => {
    const values: string[] = [];
    for (const [value, at] of times) if (now - at < window) values.push(value);
    return values.sort();
  };
  let seen: Seen = {
    classifications: recent(memory.classifications),
    categories: recent(memory.categories),
    trust: memory.untrustedAt !== undefined && now - memory.untrustedAt < window ? "untrusted" : "trusted",
    systems: recent(memory.systems),
  };
  if (!mayBeOverdue(memory.awaited, { at: now, within: reportWithin })) return seen;
  for (const call of memory.awaited.calls.values()) {
    const age = now - call.at;
    if (age >= reportWithin && age < reportWithin + window) seen = raiseSeen(seen, call.worst);
  }
  return seen;
}

export interface Moment {
  readonly at: Instant;
  readonly window: DurationMs;
}

export function remember(memory: AgentMemory, seen: Seen, moment: Moment): void {
  memory.lastAt = later(memory.lastAt, moment.at);
  note(memory.classifications, seen.classifications, moment);
  note(memory.categories, seen.categories, moment);
  note(memory.systems, seen.systems, moment);
  if (seen.trust === "untrusted") memory.untrustedAt = memory.untrustedAt === undefined ? moment.at : later(memory.untrustedAt, moment.at);
}

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** Calls that were not reported in time are taken for seen, at that time, and are waited for no longer. It changes nothing that `recall` answers. */
export function settleOverdue(memory: AgentMemory, { at, window, reportWithin }: Recalling): void {
  if (!mayBeOverdue(memory.awaited, { at, within: reportWithin })) return;
  for (const [decision, call] of memory.awaited.calls) {
    if (at - call.at < reportWithin) continue;
    memory.awaited.calls.delete(decision);
    remember(memory, call.worst, { at: instant(call.at + reportWithin), window });
  }
  lookForEarliest(memory.awaited);
}

/** A memory is swept once it holds more than a task usually sees. */
const SWEEP_ABOVE = 64;

function note(times: Map<string, Instant>, values: readonly string[], { at, window }: Moment): void {
  for (const value of values) {
    const before = times.get(value);
    times.set(value, before === undefined ? at : later(before, at));
  }
  if (times.size <= SWEEP_ABOVE) return;
  for (const [value, seenAt] of times) if (at - seenAt >= window) times.delete(value);
}
