import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BehestClient, type CallFailed, createClient } from "../../src/client/client.ts";
import { readConfig } from "../../src/config.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { instant } from "../../src/core/words.ts";
import type { DoorSettings } from "../../src/door.ts";
import { type DoorsOptions, openDoors } from "../../src/doors/doors.ts";
import type { GrpcServer } from "../../src/endpoints/grpc/server.ts";
import { freeAddress } from "../../src/endpoints/grpc/shared-address.ts";
import { createLocalTokens } from "../../src/identity/tokens.ts";
import { failureOf } from "../endpoints/asking-server.ts";
import { requestOf } from "../endpoints/raw-calls.ts";
import { temporaryDirectory } from "../running-server.ts";

type Decide = DoorsOptions["decide"];

let directory: ReturnType<typeof temporaryDirectory>;
let doors: GrpcServer;
let client: BehestClient;
let decide: Decide;
let threads: Worker[];
let told: string[];

/** What an owner would answer, without one. */
const busy: Decide = () => Promise.reject(new ServiceError("STATE_FULL", "there is no room"));

/** One real door, in front of an owner that does what a test says. */
async function open(): Promise<void> {
  const config = readConfig({ flags: { data: directory.path }, environment: {} });
  doors = await openDoors({
    address: await freeAddress("127.0.0.1:0"),
    count: 1,
    start(address) {
      const workerData: DoorSettings = { config, address, environment: {}, at: instant(Date.now()) };
      const thread = new Worker(new URL("../../src/door.ts", import.meta.url), { workerData });
      threads.push(thread);
      return thread;
    },
    decide: (asked, gone) => decide(asked, gone),
    handlers: {},
    queuedForMs: () => 0,
    onShed: (reason) => told.push(`shed: ${reason}`),
    onWarning: (why) => told.push(why),
    onTold: (what) => told.push(what),
    onSpans: ({ exported }) => told.push(`spans: ${exported}`),
    onInternalError: (error) => told.push(`internal: ${error instanceof Error ? error.message : String(error)}`),
    onDied: ({ message }) => told.push(`died: ${message}`),
    onBack: () => told.push("back"),
  });
  const token = readFileSync(join(directory.path, "enforcer.token"), "utf8").trim();
  client = createClient({ address: doors.address, token, timeoutMs: 20_000 });
}

beforeEach(() => {
  directory = temporaryDirectory();
  createLocalTokens(directory.path, instant(Date.now()));
  threads = [];
  told = [];
  decide = busy;
});
afterEach(async () => {
  client.close();
  await doors.close(1_000);
  directory.remove();
});

/** Answered when the owner has been asked. */
function hanging(): Promise<AbortSignal> {
  const asked = Promise.withResolvers<AbortSignal>();
  decide = (_, gone) => {
    asked.resolve(gone());
    return new Promise(() => undefined);
  };
  return asked.promise;
}

const codeOf = async (asked: Promise<unknown>): Promise<Code> => (await failureOf(asked)).code;

describe("a door that dies", () => {
  it("fails its calls, has nobody wait for people any more, and is opened again at the same address", async () => {
    await open();
    doors.setServing("decisions", true);
    const asked = hanging();
    const failing = codeOf(client.decide(requestOf({ waitMs: 30_000 })));
    const signal = await asked;
    await threads[0]?.terminate();
    expect(await failing).toBe(Code.UNAVAILABLE);
    await expect.poll(() => signal.aborted).toBe(true);
    await expect.poll(() => told, { timeout: 10_000 }).toEqual(["died: its thread ended", "back"]);
    decide = busy;
    // The client waits a little before it tries an address again that was dead.
    await expect.poll(() => codeOf(client.decide(requestOf())), { timeout: 20_000 }).toBe(Code.RESOURCE_EXHAUSTED);
    expect(await client.isServing()).toBe(true);
    expect(threads).toHaveLength(2);
  });

  it("is not opened again once the server stops", async () => {
    await open();
    await threads[0]?.terminate();
    await doors.close(100);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(threads).toHaveLength(1);
  });
});

describe("what goes wrong with the owner", () => {
  it("is told to the caller where it is for the caller, with all its details", async () => {
    await open();
    decide = () => Promise.reject(new ServiceError("REQUEST_MALFORMED", "`task.id` is odd", { field: "task.id" }));
    expect(await failureOf(client.decide(requestOf()))).toMatchObject({ code: Code.INVALID_ARGUMENT, message: "`task.id` is odd" });
    expect(told).toEqual([]);
  });

  it("is told to the log once, and to nobody else, where it is not", async () => {
    await open();
    decide = () => Promise.reject(new Error("a secret of the owner's"));
    const failed: CallFailed = await failureOf(client.decide(requestOf()));
    expect(failed).toMatchObject({ code: Code.INTERNAL, message: "internal error" });
    expect(told).toEqual(["internal: a secret of the owner's"]);
  });
});
