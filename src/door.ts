import { parentPort, workerData } from "node:worker_threads";
import { setLogger } from "@grpc/grpc-js";
import type { Config } from "./config.ts";
import { instant } from "./core/words.ts";
import { createOwner, type Owner } from "./doors/owner.ts";
import { createDecideHandlers } from "./endpoints/grpc/handler-decide.ts";
import { passOn } from "./endpoints/grpc/handlers.ts";
import { serveGrpc } from "./endpoints/grpc/server.ts";
import { callLimits, wireLimits } from "./grpc-limits.ts";
import { watchTokens } from "./identity/tokens.ts";

export interface DoorSettings {
  readonly config: Config;
  /** HOST:PORT, which other doors share. */
  readonly address: string;
}

/** The composition root of a door's thread: it knows who calls and what their messages say, and has the owner decide. */
async function serveDoor({ config, address }: DoorSettings, owner: Owner): Promise<void> {
  // The owner watches them as well, and says what is wrong with them.
  const tokens = watchTokens(config.data, { now: () => instant(Date.now()), onProblem: () => undefined });
  const limits = callLimits(config);
  const { authenticate } = tokens;
  const grpc = await serveGrpc(
    {
      address,
      shared: true,
      wire: wireLimits(config),
      connectionIdleMs: config.connection_idle_ms,
      limits,
      queuedForMs: owner.queuedForMs,
      onShed: owner.onShed,
      onInternalError: owner.onInternalError,
    },
    (shedding) =>
      passOn(
        owner,
        { authenticate },
        createDecideHandlers({ authenticate, limits, shedding, decide: owner.decide, onInternalError: owner.onInternalError }),
      ),
  );
  owner.onTold((told) => {
    if (told.kind === "serving") return grpc.setServing(told.what, told.serving);
    tokens.close();
    void grpc.close(told.graceMs).finally(end);
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
