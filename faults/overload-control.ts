import { setTimeout } from "node:timers/promises";
import { SuspensionKind } from "../src/gen/behest/v1/control_pb.ts";
import { PrincipalType } from "../src/gen/behest/v1/decision_pb.ts";
import type { Served } from "./served.ts";
import { stopwatch } from "./starved.ts";

const EVERY_MS = 50;
const TASKS = 300;

/** How long each call took, by what it did, but for the time in which there was no processor. */
export type ControlMs = Readonly<Record<"suspend" | "resume" | "revoke" | "health", readonly number[]>>;

/** Somebody who stops things, lets them go on, and asks for health, one after the other, on a connection of his own. @throws {CallFailed} when it stops. */
export async function startControlling(server: Served): Promise<{ stop(): Promise<ControlMs> }> {
  const operator = server.client("operator", { timeoutMs: 10_000 });
  const tasks = await openTasks(server);
  const tookMs = { suspend: [] as number[], resume: [] as number[], revoke: [] as number[], health: [] as number[] };
  const timed = async <T>(what: keyof ControlMs, call: Promise<T>): Promise<T> => {
    const took = stopwatch(server.pid);
    const answer = await call;
    tookMs[what].push(took());
    return answer;
  };
  let stopped = false;
  const lane = async (): Promise<void> => {
    for (let number = 0; !stopped; number++) {
      const { suspension } = await timed("suspend", operator.suspend({ kind: SuspensionKind.AGENT, value: `nobody-${number}`, reason: "a drill" }));
      await timed("health", operator.isServing("control"));
      await timed("resume", operator.resume(suspension?.suspensionId ?? ""));
      const task = tasks[number];
      if (task !== undefined) await timed("revoke", operator.revokeTask(task, "a drill"));
      await setTimeout(EVERY_MS);
    }
  };
  const done = lane();
  // Told of when it is stopped.
  done.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await done;
      return tookMs;
    },
  };
}

/** Beforehand, so that there is something to revoke. */
async function openTasks(server: Served): Promise<readonly string[]> {
  const initiator = server.client("initiator");
  const opened = await Promise.all(
    Array.from({ length: TASKS }, (_, number) =>
      initiator.openTask({
        statement: `Summarise handbook ${number}`,
        principal: { type: PrincipalType.USER, id: "alice" },
        agentId: `revoked-${number}`,
        scope: { tools: ["filesystem/**"] },
      }),
    ),
  );
  return opened.flatMap(({ task }) => task?.taskId ?? []);
}
