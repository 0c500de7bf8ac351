import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, runServer } from "../running-server.ts";
import { type Finished, run, runAlone } from "./running-command.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server.close());

/** What is the same whenever it is decided. */
const idless = ({ code, stdout, stderr }: Finished): Finished => ({ code, stdout, stderr: stderr.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID") });

/** Most tests run commands in their own process; these show that it makes no difference. */
describe("a process of its own says and exits as the command does in a test's", () => {
  const asking = (): readonly string[] => ["--data", server.data, "--grpc", server.address];

  it.each<{ says: string; args: () => readonly string[]; code: number }>([
    { says: "0 for what went well", args: () => ["version"], code: 0 },
    { says: "2 for what cannot be read", args: () => ["facts", "no.fact"], code: 2 },
    { says: "2 for what the parser refuses", args: () => ["decid"], code: 2 },
    { says: "3 for rules that are none", args: () => ["rules", "lint", "docs"], code: 3 },
    { says: "6 where nobody answers", args: () => ["healthcheck", "--grpc", "127.0.0.1:1"], code: 6 },
    { says: "20 for a denial", args: () => ["decide", "--agent", "a", "--tool", "b", "--exit-code", ...asking()], code: 20 },
    { says: "0 for what a server lists", args: () => ["tasks", "list", ...asking()], code: 0 },
  ])("$says", async ({ args, code }) => {
    const alone = await runAlone(args());
    expect(alone.code).toBe(code);
    expect(idless(await run(args()))).toEqual(idless(alone));
  });

  it("with its variables and its directory", async () => {
    const options = { cwd: "/", env: { BEHEST_RULES: "nowhere" } };
    const alone = await runAlone(["rules", "lint"], options);
    expect(alone.stderr).toContain("nowhere");
    expect(await run(["rules", "lint"], options)).toEqual(alone);
  });

  it("and leaves nothing of itself behind", async () => {
    const before = { env: { ...process.env }, cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr, exitCode: process.exitCode };
    await run(["facts", "no.fact"], { cwd: "/", env: { HOME: "/", BEHEST_RULES: "nowhere" } });
    expect({ env: { ...process.env }, cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr, exitCode: process.exitCode }).toEqual(
      before,
    );
  });
});

// `script` lends a command a terminal.
describe.runIf(existsSync("/usr/bin/script"))("a clone's bin/behest on a terminal", () => {
  const onTerminal = (variables: string): string => {
    const command = `stty cols 80; ${variables} bin/behest facts agent.trust`;
    return spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", TERM: "xterm" } }).stdout;
  };

  it("speaks in colours, unless it is asked not to", () => {
    expect(onTerminal("").split("\r\n")[0]).toBe("\u001b[1magent.trust\u001b[22m");
    expect(onTerminal("NO_COLOR=1").split("\r\n")[0]).toBe("agent.trust");
  });
});
