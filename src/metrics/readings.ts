import { Counter, Gauge, type Registry } from "prom-client";
import { busySeconds } from "./event-loop.ts";
import type { LedgerFiles } from "./files.ts";

/** What is remembered, each up to a bound of its own. */
export type StateEntry = "self_asserted_tasks" | "registered_tasks" | "agents" | "request_ids" | "approvals" | "suspensions" | "cache_rows";

/** What is read only when somebody looks. */
export interface Readings {
  readonly queue: { readonly turns: number; readonly oldestMs: number };
  /** Undefined while the ledger cannot be written. */
  readonly state: { readonly entries: Readonly<Record<StateEntry, number>>; readonly approvalsPending: number } | undefined;
  readonly waiting: number;
  readonly files: LedgerFiles;
  /** Absent where no calls are followed in traces. */
  readonly spans?: { readonly exported: number; readonly failed: number; readonly dropped: number };
  readonly policy: { readonly ageMs: number; readonly isRefused: boolean };
}

export interface ReadingMetrics {
  show(readings: Readings): void;
}

/** What there is at present, each with a name and what it means. */
export function createReadingMetrics(registry: Registry, entriesMax: Readonly<Record<StateEntry, number>>): ReadingMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  const turns = gauge("behest_ledger_queue_turns", "Turns that wait for the disk.");
  const oldest = gauge("behest_ledger_queue_age_seconds", "How long the oldest turn that waits for the disk has waited.");
  const ready = gauge("behest_ledger_ready", "1 if the ledger can be written; 0: nothing is decided.");
  const wal = gauge("behest_ledger_wal_bytes", "Size of the write-ahead log.");
  const database = gauge("behest_ledger_database_bytes", "Size of the database file.");
  const free = gauge("behest_ledger_disk_free_bytes", "What the file system of the ledger has left.");
  const policyAge = gauge("behest_policy_age_seconds", "Since when the policy in force decides.");
  const policyRefused = gauge("behest_policy_refused", "1 if the rules directory holds what was refused, so that an older policy decides.");
  const pending = gauge("behest_approvals_pending", "Approvals that people have not answered.");
  const waiting = gauge("behest_waits", "Calls that wait for people.");
  const entries = new Gauge({ name: "behest_state_entries", help: "What is remembered, by kind.", labelNames: ["of"], registers });
  const bounds = new Gauge({ name: "behest_state_entries_max", help: "How much of it may be remembered.", labelNames: ["of"], registers });
  for (const [of, max] of Object.entries(entriesMax)) bounds.set({ of }, max);
  const spans = new Counter({
    name: "behest_trace_spans_total",
    help: "What became of the spans of traces; failed: the collector did not take them, dropped: too many waited for it.",
    labelNames: ["result"],
    registers,
  });
  const busy = new Counter({ name: "behest_event_loop_busy_seconds_total", help: "How long the decisions' thread has worked.", registers });
  return {
    show({ queue, state, files, policy, waiting: waits, spans: became = {} }) {
      turns.set(queue.turns);
      oldest.set(queue.oldestMs / 1_000);
      ready.set(state ? 1 : 0);
      wal.set(files.walBytes);
      database.set(files.databaseBytes);
      free.set(files.freeBytes);
      policyAge.set(policy.ageMs / 1_000);
      policyRefused.set(policy.isRefused ? 1 : 0);
      waiting.set(waits);
      // Nobody knows while it is read anew: none is not zero.
      entries.reset();
      pending.remove();
      for (const [of, count] of Object.entries(state?.entries ?? {})) entries.set({ of }, count);
      if (state) pending.set(state.approvalsPending);
      spans.reset();
      for (const [result, count] of Object.entries(became)) spans.inc({ result }, count);
      busy.reset();
      busy.inc(busySeconds());
    },
  };
}
