import { parentPort, workerData } from "node:worker_threads";
import { setLogger } from "@grpc/grpc-js";
import { createLedgerClock, machineClock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Instant } from "./core/words.ts";
import { createOwner, type Owner } from "./doors/owner.ts";
import { createDecideHandlers } from "./endpoints/grpc/handler-decide.ts";
import { passOn } from "./endpoints/grpc/handlers.ts";
import { serveGrpc } from "./endpoints/grpc/server.ts";
import { callLimits, wireLimits } from "./grpc-limits.ts";
import { watchTokens } from "./identity/tokens.ts";
import type { Environment } from "./tracing/environment.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { followCalls } from "./tracing-wanted.ts";

export interface DoorSettings {
  readonly config: Config;
  /** HOST:PORT, which other doors share. */
  readonly address: string;
  /** Where it says whether calls are followed. */
  readonly environment: Environment;
  /** The owner's time: this thread's is not before it, so that no token lasts longer here. */
  readonly at: Instant;
}

const SPANS_EVERY_MS = 1_000;

/** Has the owner know what became of spans. */
function tellSpans(tracing: Tracing, owner: Owner): { close(): void } {
  let told = tracing.counts();
  const tell = (): void => {
    const now = tracing.counts();
    const counts = { exported: now.exported - told.exported, failed: now.failed - told.failed, dropped: now.dropped - told.dropped };
    if (counts.exported + counts.failed + counts.dropped > 0) owner.say({ kind: "spans", counts });
    told = now;
  };
  const timer = setInterval(tell, SPANS_EVERY_MS).unref();
  return {
    close() {
      clearInterval(timer);
      tell();
    },
  };
}

/** The composition root of a door's thread: it knows who calls and what their messages say, and has the owner decide. */
async function serveDoor({ config, address, environment, at }: DoorSettings, owner: Owner): Promise<void> {
  const clock = createLedgerClock({ machine: machineClock, elapsedMs: () => performance.now() });
  clock.notBefore(at);
  // The owner watches them as well, and says what is wrong with them.
  const tokens = watchTokens(config.data, { now: clock.now, onProblem: () => undefined });
  let serves = false;
  const tracing = await followCalls(environment, {
    // That calls are followed is said by the owner.
    info: (what: string) => serves && owner.say({ kind: "told", what }),
    warn: (why: string) => owner.say({ kind: "warning", why }),
  });
  const spans = tracing && tellSpans(tracing, owner);
  const limits = callLimits(config);
  const { authenticate } = tokens;
  const { decide, onInternalError } = owner;
  const grpc = await serveGrpc(
    {
      address,
      shared: true,
      wire: wireLimits(config),
      connectionIdleMs: config.connection_idle_ms,
      limits,
      queuedForMs: owner.queuedForMs,
      onShed: owner.onShed,
      onInternalError,
      ...(tracing && { tracing }),
    },
    (shedding) =>
      passOn(owner, { authenticate }, createDecideHandlers({ authenticate, limits, shedding, decide, onInternalError, ...(tracing && { tracing }) })),
  );
  serves = true;
  owner.onTold((told) => {
    if (told.kind === "serving") return grpc.setServing(told.what, told.serving);
    tokens.close();
    void grpc
      .close(told.graceMs)
      .then(() => tracing?.close())
      .then(() => spans?.close())
      .finally(end);
  });
}

/** What was said last is still to leave. */
const LEAVES_WITHIN_MS = 1_000;

/** By itself once the connections are closed, and else soon. */
function end(): void {
  port?.close();
  setTimeout(() => process.exit(0), LEAVES_WITHIN_MS).unref();
}

const port = parentPort;
if (!port) throw new Error("a door is a thread of the process that decides");
// What goes wrong comes back to us, and is told once.
const quietly = (): void => undefined;
setLogger({ error: quietly, info: quietly, debug: quietly });
const settings: DoorSettings = workerData;
const owner = createOwner(port);
serveDoor(settings, owner).then(
  () => owner.say({ kind: "listening" }),
  (error: unknown) => {
    owner.say({ kind: "refused", why: error instanceof Error ? error.message : String(error) });
    port.close();
  },
);
