import { type Attributes, type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { DecisionRecord } from "../core/record.ts";
import type { TracingSettings } from "./environment.ts";
import { createExporting, type ExportingPorts, type SpanCounts } from "./exporting.ts";
import { type Carrier, parentOf } from "./trace-context.ts";

export interface TracingOptions {
  readonly version: string;
  readonly settings: TracingSettings;
  readonly log: ExportingPorts["log"];
}

/** What a span tells of a decision. */
export interface ToldAnswer {
  readonly record: Pick<DecisionRecord, "id" | "policy" | "judgement" | "cache"> & { readonly subject: { readonly task: { readonly id?: string } } };
  readonly replayed: boolean;
}

export interface Span {
  readonly traceId?: string;
  decided(answer: ToldAnswer): void;
  end(status: string): void;
}

export interface CallSpan extends Span {
  item(): Span;
}

export interface Tracing {
  begin(method: string, carrier: Carrier): CallSpan;
  spanOf(carrier: Carrier): CallSpan | undefined;
  counts(): SpanCounts;
  /** Counts what became of spans elsewhere. */
  note(counts: SpanCounts): void;
  /** Sends what it has, as long as that takes no longer than a moment. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2_000;

/** A span for each call, sent to a collector. Where it is, and how to speak to it, the exporter and the resource read from the environment. */
export function createTracing({ version, settings, log }: TracingOptions): Tracing {
  const { processor, counts, note } = createExporting({ exporter: new OTLPTraceExporter(), log }, settings);
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": "behest", "service.version": version }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
  const provider = new TracerProvider({ resource, sampler: samplerOf(settings), spanProcessors: [processor] });
  const tracer = provider.getTracer("behest", version);
  const spans = new WeakMap<Carrier, CallSpan>();
  return {
    begin(method, carrier) {
      const parent = settings.heedsCallers ? parentOf(carrier) : ROOT_CONTEXT;
      const attributes = { "rpc.system.name": "grpc", "rpc.method": method };
      const span = callSpan(tracer, tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent), parent);
      spans.set(carrier, span);
      return span;
    },
    spanOf: (carrier) => spans.get(carrier),
    counts,
    note,
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_WITHIN_MS);
      // What the collector does not take is told already.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function samplerOf({ sampler: { root, parentBased } }: TracingSettings): Sampler {
  const own = root === "on" ? new AlwaysOnSampler() : root === "off" ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(root.ratio);
  return parentBased ? new ParentBasedSampler({ root: own }) : own;
}

function callSpan(tracer: Tracer, span: OtelSpan, parent: Context): CallSpan {
  const own = trace.setSpan(ROOT_CONTEXT, span);
  const isFound = span.isRecording() || trace.getSpanContext(parent) !== undefined;
  return {
    ...spanOver(span, isFound),
    item: () => spanOver(tracer.startSpan("decide", {}, own), isFound),
  };
}

function spanOver(span: OtelSpan, isFound: boolean): Span {
  return {
    ...(isFound && { traceId: span.spanContext().traceId }),
    decided(answer) {
      if (span.isRecording()) span.setAttributes(attributesOf(answer));
    },
    end(status) {
      if (!span.isRecording()) return;
      span.setAttribute("rpc.response.status_code", status);
      if (SERVER_ERRORS.has(status)) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", status);
      span.end();
    },
  };
}

/** Whatever else went wrong is the caller's: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#server */
const SERVER_ERRORS: ReadonlySet<string> = new Set(["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]);

/** What was decided, and never on what: arguments, statements and names of agents and tools stay in the ledger, where the decision's id finds them. */
function attributesOf({ record, replayed }: ToldAnswer): Attributes {
  const { id: task } = record.subject.task;
  return {
    "behest.decision.id": record.id,
    "behest.decision.outcome": record.judgement.outcome,
    "behest.decision.basis": record.judgement.basis,
    "behest.decision.score": record.judgement.score,
    "behest.decision.replayed": replayed,
    "behest.cache.hit": record.cache.hit,
    "behest.policy.digest": record.policy,
    ...(task !== undefined && { "behest.task.id": task }),
  };
}
