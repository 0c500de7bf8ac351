/** What the variables of OpenTelemetry say, as far as no library reads them: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export interface TracingSettings {
  readonly sampler: { readonly root: "on" | "off" | { readonly ratio: number }; readonly parentBased: boolean };
  /** Whether traces of callers go on here. */
  readonly heedsCallers: boolean;
  readonly queueSpansMax: number;
  readonly batchSpansMax: number;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** What they say that cannot be done. */
  readonly problems: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const SWITCHES = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"];

/** An empty variable is none, as the specification has it. */
const said = (environment: Environment, name: string): string | undefined => environment[name]?.trim() || undefined;

/** Whether anybody wants traces; nothing of them is loaded otherwise. */
export const isTracingWanted = (environment: Environment): boolean =>
  SWITCHES.some((name) => said(environment, name) !== undefined) &&
  said(environment, "OTEL_TRACES_EXPORTER") !== "none" &&
  said(environment, "OTEL_SDK_DISABLED")?.toLowerCase() !== "true";

export function readTracing(environment: Environment): TracingSettings {
  const problems: string[] = [];
  const integer = (name: string, otherwise: number): number => {
    const text = said(environment, name);
    if (text === undefined) return otherwise;
    if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
    problems.push(`\`${name}\` is \`${text.slice(0, 100)}\`, no integer above 0; \`${otherwise}\` is used`);
    return otherwise;
  };
  refuseUnspoken(environment, problems);
  const queueSpansMax = integer("OTEL_BSP_MAX_QUEUE_SIZE", 2_048);
  return {
    sampler: readSampler(environment, problems),
    heedsCallers: (said(environment, "OTEL_PROPAGATORS") ?? "tracecontext").split(",").some((one) => one.trim() === "tracecontext"),
    queueSpansMax,
    batchSpansMax: Math.min(integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512), queueSpansMax),
    everyMs: integer("OTEL_BSP_SCHEDULE_DELAY", 5_000),
    timeoutMs: integer("OTEL_BSP_EXPORT_TIMEOUT", 30_000),
    problems,
  };
}

/** One protocol is spoken, and one exporter is there. */
function refuseUnspoken(environment: Environment, problems: string[]): void {
  const exporter = said(environment, "OTEL_TRACES_EXPORTER") ?? "otlp";
  if (exporter !== "otlp") problems.push(`\`OTEL_TRACES_EXPORTER\` is \`${exporter.slice(0, 100)}\`; there is \`otlp\`, which is used, and \`none\``);
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
    const protocol = said(environment, name);
    if (protocol !== undefined && protocol !== "http/protobuf") {
      problems.push(`\`${name}\` is \`${protocol.slice(0, 100)}\`; only \`http/protobuf\` is spoken, and is used: a collector takes it on port 4318`);
    }
  }
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
    const url = said(environment, name);
    if (url !== undefined && !URL.canParse(url)) problems.push(`\`${name}\` is no URL; \`http://localhost:4318\` is used`);
  }
}

const ROOTS = ["always_on", "always_off", "traceidratio"];

function readSampler(environment: Environment, problems: string[]): TracingSettings["sampler"] {
  const name = said(environment, "OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const root = name.replace(/^parentbased_/, "");
  if (!ROOTS.includes(root)) {
    problems.push(`\`OTEL_TRACES_SAMPLER\` is \`${name.slice(0, 100)}\`, which is not known; \`parentbased_always_on\` is used`);
    return { root: "on", parentBased: true };
  }
  const parentBased = name !== root;
  if (root !== "traceidratio") return { root: root === "always_on" ? "on" : "off", parentBased };
  const text = said(environment, "OTEL_TRACES_SAMPLER_ARG") ?? "1";
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return { root: { ratio }, parentBased };
  problems.push(`\`OTEL_TRACES_SAMPLER_ARG\` is \`${text.slice(0, 100)}\`, no number from 0 to 1; \`1\` is used`);
  return { root: { ratio: 1 }, parentBased };
}
