import { setTimeout } from "node:timers/promises";
import { openConnection } from "../../bench/http2/connection.ts";
import { numberedBodies } from "../../bench/numbered-bodies.ts";
import { CONVERSATIONS, DISTINCT, requestTemplates } from "../../bench/requests.ts";
import type { Served } from "../served.ts";
import { stopwatch } from "../starved.ts";

const EVERY_MS = 5;

export interface Asked {
  /** How long each answer took, but for the time in which there was no processor. */
  readonly tookMs: readonly number[];
  /** Why calls failed. */
  readonly failed: readonly string[];
}

/** Somebody with a connection of his own, who asks for one decision after the other, and has nothing to do with what else is done to the server. */
export interface OtherClient {
  /** Asks for so long. */
  ask(durationMs: number): Promise<Asked>;
  close(): void;
}

export async function connectOther({ address, pid, token }: Served): Promise<OtherClient> {
  const connection = await openConnection({ address, path: "/behest.v1.DecisionService/Decide", token: token("enforcer") });
  const bodies = numberedBodies(requestTemplates(DISTINCT, CONVERSATIONS));
  const askOnce = (): Promise<string | undefined> => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const { value } = bodies.next();
    if (value) connection.unary(value, { message: () => undefined, ended: resolve });
    return promise;
  };
  return {
    async ask(durationMs) {
      const tookMs: number[] = [];
      const failed: string[] = [];
      for (const began = performance.now(); performance.now() - began < durationMs; await setTimeout(EVERY_MS)) {
        const took = stopwatch(pid);
        const failure = await askOnce();
        if (failure === undefined) tookMs.push(took());
        else failed.push(failure);
      }
      return { tookMs, failed };
    },
    close: () => connection.close(),
  };
}
