import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, runServer } from "../running-server.ts";
import { mail } from "./mail.ts";
import { begin, type Finished, run } from "./running-command.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server.close());

const asking = (): readonly string[] => ["--data", server.data, "--grpc", server.address];
const behest = (...args: readonly string[]): Promise<Finished> => run([...args, ...asking()]);

async function ask(session: string): Promise<string> {
  const { stdout } = await behest(...mail(session), "-o", "json");
  return JSON.parse(stdout).approval.id;
}

describe("behest approvals watch", () => {
  it("tells what is open, then each change, and ends well when it is told to stop", async () => {
    const open = await ask("watched");
    const watching = begin(["approvals", "watch", "--agent", "inbox-assistant", "-o", "ndjson", ...asking()]);
    const told = async (id: string, state: string): Promise<void> => {
      while (!lines(watching.said.stdout).some(({ approval }) => approval.id === id && approval.state === state)) {
        if (watching.child.stdout) await once(watching.child.stdout, "data");
      }
    };
    await told(open, "APPROVAL_STATE_PENDING");
    const next = await ask("watched later");
    await told(next, "APPROVAL_STATE_PENDING");
    await behest("approvals", "deny", next, "--comment", "no");
    await told(next, "APPROVAL_STATE_DENIED");
    watching.child.kill("SIGINT");
    const { code, signal, stdout, stderr } = await watching.ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(lines(stdout).find(({ approval }) => approval.id === open)?.existing).toBe(true);
    expect(lines(stdout).filter(({ approval }) => approval.id === next)).toMatchObject([{ existing: false }, { existing: false }]);
  });

  it("says where nothing is open yet", async () => {
    const watching = begin(["approvals", "watch", "--agent", "idle", ...asking()]);
    while (!watching.said.stderr.includes("\n")) if (watching.child.stderr) await once(watching.child.stderr, "data");
    watching.child.kill("SIGINT");
    expect(await watching.ended).toMatchObject({ code: 0, stdout: "", stderr: "watching; nothing is open for agent `idle`\n" });
  });

  it("ends with 6 when the server goes away", async () => {
    const other = await runServer();
    const watching = begin(["approvals", "watch", "--data", other.data, "--grpc", other.address]);
    await run([...mail("other"), "--data", other.data, "--grpc", other.address]);
    while (!watching.said.stdout.includes("? pending  inbox-assistant → send_email (send)")) {
      if (watching.child.stdout) await once(watching.child.stdout, "data");
    }
    await other.close();
    expect(await watching.ended).toMatchObject({ code: 6, signal: null });
  });
});

interface Told {
  readonly approval: { readonly id: string; readonly state: string };
  readonly existing: boolean;
}

const lines = (text: string): readonly Told[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
