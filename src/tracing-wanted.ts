import type { Logger } from "pino";
import { type Environment, isTracingWanted, readTracing } from "./tracing/environment.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { VERSION } from "./version.ts";

/** Follows calls in traces, if the environment says that somebody wants them: nothing of it is loaded otherwise. */
export async function followCalls(environment: Environment, log: Pick<Logger, "info" | "warn">): Promise<Tracing | undefined> {
  if (!isTracingWanted(environment)) return undefined;
  const settings = readTracing(environment);
  for (const problem of settings.problems) log.warn(problem);
  const { createTracing } = await import("./tracing/tracing.ts");
  log.info("calls are followed in traces, as the variables of OpenTelemetry say");
  return createTracing({ version: VERSION, settings, log: { told: (what) => log.info(what), failing: (why) => log.warn(why) } });
}
