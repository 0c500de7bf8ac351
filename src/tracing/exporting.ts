import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { TracingSettings } from "./environment.ts";

/** What has become of the spans that were to be exported. */
export interface SpanCounts {
  readonly exported: number;
  /** The collector did not take them. */
  readonly failed: number;
  /** More waited for the collector than may. */
  readonly dropped: number;
}

export interface ExportingPorts {
  readonly exporter: SpanExporter;
  /** Told once that the collector takes nothing, and why, and once that it does again. */
  readonly log: { told(what: string): void; failing(why: string): void };
}

export interface Exporting {
  readonly processor: SpanProcessor;
  counts(): SpanCounts;
  /** Counts what became of spans elsewhere. */
  note(counts: SpanCounts): void;
}

/** A collector that is down, or slow, costs spans and nothing else: what waits for it is bounded, and what is beyond is dropped and counted. */
export function createExporting({ exporter, log }: ExportingPorts, settings: TracingSettings): Exporting {
  const counts = { exported: 0, failed: 0, dropped: 0 };
  let waiting = 0;
  let isFailing = false;
  const batches = new BatchSpanProcessor({
    exporter: {
      export(spans, done) {
        waiting -= spans.length;
        exporter.export(spans, (result) => {
          // 0 is success.
          const isTaken = result.code === 0;
          counts[isTaken ? "exported" : "failed"] += spans.length;
          if (isTaken && isFailing) log.told("the collector takes spans again");
          if (!isTaken && !isFailing) log.failing(`the collector takes no spans: ${result.error?.message ?? "it does not say why"}; decisions go on`);
          isFailing = !isTaken;
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    },
    maxQueueSize: settings.queueSpansMax,
    maxExportBatchSize: settings.batchSpansMax,
    scheduledDelayMillis: settings.everyMs,
    exportTimeoutMillis: settings.timeoutMs,
  });
  return {
    counts: () => ({ ...counts }),
    note({ exported, failed, dropped }) {
      counts.exported += exported;
      counts.failed += failed;
      counts.dropped += dropped;
    },
    processor: {
      onStart: () => undefined,
      onEnd(span: ReadableSpan) {
        if (waiting >= settings.queueSpansMax) {
          counts.dropped++;
          return;
        }
        waiting++;
        batches.onEnd(span);
      },
      forceFlush: () => batches.forceFlush(),
      shutdown: () => batches.shutdown(),
    },
  };
}
