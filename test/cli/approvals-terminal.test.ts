import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";
import { mail } from "./mail.ts";
import { type Finished, run } from "./running-command.ts";

const directory = temporaryDirectory();
let server: RunningServer;
beforeAll(async () => {
  server = await runServer();
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

const asking = (): readonly string[] => ["--data", server.data, "--grpc", server.address];
const behest = (...args: readonly string[]): Promise<Finished> => run([...args, ...asking()]);

async function ask(session: string): Promise<string> {
  const { stdout } = await behest(...mail(session), "-o", "json");
  return JSON.parse(stdout).approval.id;
}

const HOSTILE = {
  agent: { id: "inbox-assistant" },
  session: "hostile",
  task: { statement: "Send it\n  holds       none\u001b[2J\u001b[32m" },
  action: {
    tool: "send_email",
    arguments: {
      recipients: ["b\u043eb@example.org", "x\u202egro.elpmaxe@eve"],
      subject: "\u009b31mred\u200b",
      body: `Hello\r\n  holds       none\u001b]0;title\u0007${"─".repeat(200)}`,
    },
  },
};

// `script` lends a command a terminal.
describe.runIf(existsSync("/usr/bin/script"))("approvals on a terminal", () => {
  /** What a terminal is sent, when `reply` is typed once something asks for it. */
  async function onTerminal(command: readonly string[], reply?: string): Promise<string> {
    const line = `stty cols 80; bin/behest ${[...command, ...asking()].join(" ")}; echo "exit $?"`;
    const child = spawn("script", ["-qec", line, "/dev/null"], { env: { PATH: process.env["PATH"] ?? "", TERM: "xterm" } });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (reply !== undefined && text.includes("[y/N]")) child.stdin.write(`${reply}\n`);
    });
    await once(child, "close");
    return said.replaceAll("\r\n", "\n");
  }

  it("approve shows what is asked first, and takes only a yes for one", async () => {
    const id = await ask("asks back");
    const no = await onTerminal(["approvals", "approve", id], "n");
    expect(no).toContain("\u001b[33m? pending\u001b[39m");
    expect(no).toContain('│ "Attached"');
    expect(no).toContain("say yes to exactly this, once? [y/N]");
    expect(no).toMatch(/behest: nothing was said; it stays as it was\nexit 2\n$/);
    const yes = await onTerminal(["approvals", "approve", id, "--value", "bob@example.org"], "y");
    expect(yes).toContain("say yes to this, once, to bob@example.org as named by you for this task? [y/N]");
    expect(yes).toContain("\u001b[32m✔ approved\u001b[39m");
    const unasked = await ask("unasked");
    expect(await onTerminal(["approvals", "approve", unasked, "--yes"])).not.toContain("[y/N]");
  });

  it("decide says how long it waits for people, and what to do when none have answered", async () => {
    const said = await onTerminal(["decide", "--agent", "inbox-assistant", "--tool", "send_email", "--wait", "1"]);
    expect(said).toMatch(/^waiting up to 1 s if people have to be asked\n/);
    expect(said).toMatch(/no answer within 1 s; once there is one, go on with --approval [0-9a-f-]{36}\n/);
  });

  it("nothing that an agent wrote moves the cursor, colours a word or begins a line", async () => {
    writeFileSync(join(directory.path, "hostile.json"), JSON.stringify(HOSTILE));
    const { stdout } = await behest("decide", join(directory.path, "hostile.json"), "-o", "json");
    const { id } = JSON.parse(stdout).approval;
    const shown = `${await onTerminal(["approvals", "show", id])}${await onTerminal(["approvals", "ls"])}${await onTerminal(["approvals", "show", id, "-o", "json"])}`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are this program's own.
    const plain = shown.replaceAll(/\u001b\[(1|2|22|31|32|33|39)m/g, "");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(plain).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/);
    expect(shown).not.toContain("\u001b[32m");
    expect(plain.split("\n").filter((line) => /^ {0,12}holds/.test(line))).toHaveLength(1);
    expect(plain).toContain("b⟨U+043E⟩b@example.org");
    expect(plain).toContain("  ! beware    `action.arguments.recipients[1]` holds marks that turn the");
  });
});
