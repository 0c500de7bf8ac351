import { setTimeout } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DecideRequestSchema, type DecideResponse, Outcome, PrincipalType } from "../../src/gen/behest/v1/decision_pb.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { readRows } from "./raw-calls.ts";

const LIVES_MS = 2_500;
const DAY = 86_400_000;
/** `lifetimes.decision` of the starter policy. */
const ALLOWED_MS = 60_000;

let directory: ReturnType<typeof temporaryDirectory>;
let server: RunningServer;
beforeEach(async () => {
  // The clock that tells the time, and no timer: those count what passes.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now(), shouldAdvanceTime: true });
  directory = temporaryDirectory();
  server = await runServer({ data: directory.path });
});
afterEach(async () => {
  await server.close();
  directory.remove();
  vi.useRealTimers();
});

const putBack = (ms: number): void => {
  vi.setSystemTime(Date.now() - ms);
};
const restart = async (): Promise<void> => {
  await server.close();
  server = await runServer({ data: directory.path });
};

async function openTask(): Promise<string> {
  const expiresAt = timestampFromMs(Date.now() + LIVES_MS);
  const principal = { type: PrincipalType.USER, id: "alice" };
  return (await server.client("initiator").openTask({ statement: "read on", agentId: "reader", principal, expiresAt })).task?.taskId ?? "";
}

const decide = (id: string): Promise<DecideResponse> =>
  server.client("enforcer").decide(
    create(DecideRequestSchema, {
      agent: { id: "reader" },
      task: { id },
      action: { tool: "filesystem/read_text_file", argumentsForm: { case: "argumentsJson", value: '{"path":"/srv/a.md"}' } },
    }),
  );

const validForMs = ({ validUntil }: DecideResponse): number => (validUntil ? timestampMs(validUntil) - Date.now() : 0);

describe("a machine whose clock is put back", () => {
  it.each([
    { says: "and goes on", between: async () => undefined },
    { says: "and is started again", between: restart },
  ])("lengthens no task, $says", async ({ between }) => {
    const task = await openTask();
    expect(await decide(task)).toMatchObject({ outcome: Outcome.ALLOW });
    putBack(DAY);
    await between();
    await setTimeout(LIVES_MS);
    expect(await decide(task)).toMatchObject({ outcome: Outcome.DENY, reasonCodes: ["TASK_EXPIRED"] });
  });

  it("lengthens no ALLOW in the eyes of whoever has the same clock, and records nothing as earlier than what came before", async () => {
    const task = await openTask();
    await decide(task);
    putBack(DAY);
    const after = await decide(task);
    expect(after.outcome).toBe(Outcome.ALLOW);
    expect(validForMs(after)).toBeLessThanOrEqual(ALLOWED_MS);
    await restart();
    await decide(task);
    const rows = readRows(directory.path, "SELECT at FROM (SELECT seq, at FROM decisions UNION ALL SELECT seq, at FROM events) ORDER BY seq");
    const instants = rows.map(({ at }) => Number(at));
    expect(instants.length).toBeGreaterThan(4);
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  });
});
