import type { Worker } from "node:worker_threads";
import type { GrpcServer } from "../endpoints/grpc/server.ts";
import { createDesk, type Desk, type DeskPorts } from "./desk.ts";
import type { ToDoor, ToOwner } from "./messages.ts";

export interface DoorsOptions extends DeskPorts {
  /** HOST:PORT, as all doors share it. */
  readonly address: string;
  readonly count: number;
  /** Begins a thread that serves this address and asks through its port. */
  readonly start: (address: string) => Worker;
  /** Told that a door died, and that it is back. */
  readonly onDied: (why: Error) => void;
  readonly onBack: () => void;
}

/** One that died is begun again after so long, and again, until it serves. */
const AGAIN_AFTER_MS = 1_000;
/** Beyond the time in which doors are to finish: then they are ended. */
const ENDS_WITHIN_MS = 2_000;

interface Door {
  readonly thread: Worker;
  readonly desk: Desk;
  readonly ended: Promise<void>;
}

/**
 * Serves an address through threads of their own, which ask this one. A door that dies takes its connections with it: whoever waits for an answer there sees the
 * connection break, and what was asked is decided and recorded; the others go on.
 * @throws {Error} when the address cannot be shared.
 */
export async function openDoors(options: DoorsOptions): Promise<GrpcServer> {
  const doors = new Set<Door>();
  const serving = new Map<"decisions" | "policy", boolean>();
  const timers = new Set<NodeJS.Timeout>();
  let closing = false;

  const open = async (): Promise<void> => {
    const door = await openDoor(options, (died) => {
      doors.delete(died.door);
      if (closing) return;
      options.onDied(died.why);
      openAgain();
    });
    doors.add(door);
    for (const [what, is] of serving) say(door, { kind: "serving", what, serving: is });
  };
  function openAgain(): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      open().then(options.onBack, (error: unknown) => {
        if (closing) return;
        options.onDied(error instanceof Error ? error : new Error(String(error)));
        openAgain();
      });
    }, AGAIN_AFTER_MS);
    timers.add(timer);
  }
  const close = async (graceMs: number): Promise<void> => {
    closing = true;
    for (const timer of timers) clearTimeout(timer);
    const stuck = setTimeout(() => {
      for (const { thread } of doors) void thread.terminate();
    }, graceMs + ENDS_WITHIN_MS);
    const all = [...doors];
    for (const door of all) say(door, { kind: "close", graceMs });
    await Promise.all(all.map(({ ended }) => ended));
    clearTimeout(stuck);
  };

  try {
    await Promise.all(Array.from({ length: options.count }, open));
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    address: options.address,
    setServing(what, is) {
      serving.set(what, is);
      for (const door of doors) say(door, { kind: "serving", what, serving: is });
    },
    close,
  };
}

interface Died {
  readonly door: Door;
  readonly why: Error;
}

/** Answers once it serves. @throws {Error} when it cannot. */
function openDoor(options: DoorsOptions, onEnded: (died: Died) => void): Promise<Door> {
  const thread = options.start(options.address);
  const desk = createDesk(options, (message, moved) => thread.postMessage(message, moved));
  const ended = Promise.withResolvers<void>();
  const door: Door = { thread, desk, ended: ended.promise };
  return new Promise((resolve, reject) => {
    let why = new Error("its thread ended");
    let listens = false;
    thread.on("message", (message: ToOwner) => {
      if (message.kind === "listening") {
        listens = true;
        resolve(door);
      } else if (message.kind === "refused") why = new Error(message.why);
      else desk.take(message);
    });
    thread.on("error", (error) => {
      why = error instanceof Error ? error : new Error(String(error));
    });
    thread.once("exit", () => {
      desk.leave();
      ended.resolve();
      if (listens) onEnded({ door, why });
      else reject(why);
    });
  });
}

function say({ thread }: Door, message: ToDoor): void {
  thread.postMessage(message);
}
