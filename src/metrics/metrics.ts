import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Answer } from "../core/decide.ts";
import { createDecisionCounts } from "./decision-counts.ts";
import { watchEventLoop } from "./event-loop.ts";
import { createHistogram } from "./histogram.ts";
import { createReadingMetrics, type Readings, type StateEntry } from "./readings.ts";

export interface MetricsOptions {
  readonly version: string;
  /** For which something may be turned away. */
  readonly shedReasons: readonly string[];
  readonly entriesMax: Readonly<Record<StateEntry, number>>;
}

/** What is counted as it happens takes the decisions' thread some 30 ns each time; all else is read when somebody looks. */
export interface Metrics {
  decided(answer: Answer, durationMs: number): void;
  /** There was no answer, for this reason: a code of an error. */
  undecided(code: string): void;
  /** A group is on disk. */
  written(group: { readonly events: number; readonly commitMs: number }): void;
  /** Something was turned away because there is too much of it, or it took too long. */
  shed(reason: string): void;
  /** All of it, with what was read just now, in the text format of Prometheus. */
  text(readings: Readings): Promise<string>;
  readonly contentType: string;
  close(): void;
}

/** 0.1 ms to 1 s. */
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const EVENTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/** No label is the name of an agent, a tool, a tenant or anything else of which there is no end. */
export function createMetrics({ version, entriesMax, shedReasons }: MetricsOptions): Metrics {
  const registry = new Registry();
  const histograms = createHistograms();
  const counts = createDecisionCounts();
  // What has not happened yet is there as well, or its first time would be no rise.
  const shed = new Map(shedReasons.map((reason) => [reason, 0]));
  const undecided = new Map(["LEDGER_UNAVAILABLE", "OVERLOADED", "STATE_FULL", "INTERNAL"].map((code) => [code, 0]));
  let replayed = 0;
  const counters = createCounters(registry);
  const readings = createReadingMetrics(registry, entriesMax);
  const eventLoop = watchEventLoop(histograms.lag);
  new Gauge({ name: "behest_build_info", help: "Which Behest this is.", labelNames: ["version"], registers: [registry] }).set({ version }, 1);
  collectOfProcess(registry);
  return {
    decided({ record, replayed: isReplayed, waited }, durationMs) {
      if (isReplayed) replayed++;
      else counts.add(record);
      // How long people take is theirs.
      if (!waited) histograms.duration.observe(durationMs / 1_000);
    },
    undecided: (code) => undecided.set(code, (undecided.get(code) ?? 0) + 1),
    written({ events, commitMs }) {
      histograms.group.observe(events);
      histograms.commit.observe(commitMs / 1_000);
    },
    shed: (reason) => shed.set(reason, (shed.get(reason) ?? 0) + 1),
    async text(now) {
      readings.show(now);
      counters.show({ decisions: counts.all(), replayed, undecided, shed });
      const texts = [await registry.metrics(), ...Object.values(histograms).map((histogram) => histogram.text())];
      return texts.join("\n");
    },
    contentType: registry.contentType,
    close: () => eventLoop.close(),
  };
}

/** A second, because what it watches is not shown. */
const PRECISION_MS = 1_000;

/** Memory, CPU time, descriptors and the like, under the names that every Node process has. Its event loop's lag forgets all when somebody looks, and is no number then. */
function collectOfProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: PRECISION_MS });
  for (const { name } of registry.getMetricsAsArray()) if (name.startsWith("nodejs_eventloop_lag_")) registry.removeSingleMetric(name);
}

interface Counted {
  readonly decisions: ReturnType<ReturnType<typeof createDecisionCounts>["all"]>;
  readonly replayed: number;
  readonly undecided: ReadonlyMap<string, number>;
  readonly shed: ReadonlyMap<string, number>;
}

/** They are counted elsewhere, where it takes less, and told to prom-client when somebody looks. */
function createCounters(registry: Registry): { show(counted: Counted): void } {
  const registers = [registry];
  const decisions = new Counter({
    name: "behest_decisions_total",
    help: "Decisions that were answered.",
    labelNames: ["outcome", "basis", "cache"],
    registers,
  });
  const replays = new Counter({
    name: "behest_decisions_replayed_total",
    help: "Answers that repeat what was recorded under the same request id.",
    registers,
  });
  const failures = new Counter({
    name: "behest_decisions_failed_total",
    help: "Requests that were read, and got an error instead of a decision.",
    labelNames: ["code"],
    registers,
  });
  const shedding = new Counter({
    name: "behest_shed_total",
    help: "What was turned away, or cut, because there was too much of it or it took too long.",
    labelNames: ["reason"],
    registers,
  });
  return {
    show({ decisions: counts, replayed, undecided, shed }) {
      for (const counter of [decisions, replays, failures, shedding]) counter.reset();
      for (const { labels, count } of counts) decisions.inc(labels, count);
      replays.inc(replayed);
      for (const [code, count] of undecided) failures.inc({ code }, count);
      for (const [reason, count] of shed) shedding.inc({ reason }, count);
    },
  };
}

const createHistograms = () => ({
  duration: createHistogram({
    name: "behest_decision_duration_seconds",
    help: "From a request to its answer; without calls that waited for people.",
    bounds: SECONDS,
  }),
  group: createHistogram({ name: "behest_ledger_group_events", help: "Events written in one transaction.", bounds: EVENTS }),
  commit: createHistogram({
    name: "behest_ledger_commit_seconds",
    help: "COMMIT of one transaction: the fsync of the write-ahead log.",
    bounds: SECONDS,
  }),
  lag: createHistogram({
    name: "behest_event_loop_lag_seconds",
    help: "How late the decisions' thread is, looked at 20 times a second.",
    bounds: SECONDS,
  }),
});
