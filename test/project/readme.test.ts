import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../running-server.ts";

/** Another clone can be put to the test: `README_ROOT=/path npx vitest run test/project/readme.test.ts`. */
const root = resolve(process.env["README_ROOT"] ?? join(import.meta.dirname, "../.."));
const readme = readFileSync(join(root, "README.md"), "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocksOf = (page: string): readonly Block[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));

interface Step {
  readonly command: string;
  /** What stands in the `text` block right behind it. */
  readonly expected?: string;
}

function stepsOf(page: string): readonly Step[] {
  const blocks = blocksOf(page);
  return blocks.flatMap(({ language, text }, index) => {
    if (language !== "sh") return [];
    const next = blocks[index + 1];
    return [{ command: text.trim(), ...(next?.language === "text" && { expected: next.text }) }];
  });
}

const steps = stepsOf(readme);

const home = temporaryDirectory();
let address: string;
let server: ChildProcess | undefined;

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: "",
  XDG_STATE_HOME: join(home.path, ".local/state"),
  HOME: home.path,
  npm_config_cache: process.env["npm_config_cache"] ?? join(process.env["HOME"] ?? home.path, ".npm"),
  BEHEST_GRPC: address,
  BEHEST_HTTP: "127.0.0.1:0",
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
  const found = probe.address();
  await new Promise((done) => probe.close(done));
  if (found === null || typeof found === "string") throw new Error("no port");
  return found.port;
}

/** `npm start`, up to the line that says it is ready; the one before has ended. */
async function start(command: string): Promise<void> {
  const child = spawn("sh", ["-c", command], { cwd: root, env: environment(), stdio: ["ignore", "pipe", "pipe"], detached: true });
  server = child;
  let said = "";
  await new Promise<void>((ready, failed) => {
    const take = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/^\{"ready":true/m.test(said)) ready();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on("exit", () => failed(new Error(`npm start ended: ${said}`)));
  });
}

/** The default port is the README's; here another may be in use. */
const run = (command: string) =>
  spawnSync("sh", ["-c", command.replaceAll("127.0.0.1:7080", address)], { cwd: root, env: environment(), encoding: "utf8", timeout: 240_000 });

beforeAll(async () => {
  address = `127.0.0.1:${await freePort()}`;
  await start("npm start");
}, 300_000);

async function stop(): Promise<void> {
  const running = server;
  if (running?.pid === undefined) return;
  const ended = new Promise((done) => running.once("exit", done));
  process.kill(-running.pid, "SIGTERM");
  await ended;
}

afterAll(async () => {
  await stop();
  home.remove();
});

describe("the README's commands, in their order,", () => {
  it("begin with npm start", () => {
    expect(steps[0]).toEqual({ command: "npm start" });
    expect(steps.length).toBeGreaterThan(7);
  });

  // `npm run check` is the first half of `npm test`, which runs this.
  const own = new Set(["npm start", "npm run check"]);
  it.each(steps.filter(({ command }) => !own.has(command)))("work and print what it says: $command", follow, 60_000);

  it("read every file that it links to", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? "").filter((link) => !link.includes("://"));
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});

/** What changes a file says nothing. */
const isSilent = (command: string): boolean =>
  command.startsWith("perl") || /^(cat|echo) .*> "\$HOME/.test(command) || /> "\$HOME\/[^"]+"$/.test(command);

/** Ids and times are other ones each time. */
const timeless = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{3})?)?( UTC|Z)?/g, "TIME")
    .replaceAll(/\b\d+ min\b/g, "N min");

async function follow({ command, expected }: Step): Promise<void> {
  if (command.startsWith("npm start")) {
    await stop();
    await start(command);
    return;
  }
  const { status, stdout, stderr } = run(command);
  const exits = Number(/# exits (\d+)$/.exec(command)?.[1] ?? (command.includes("--exit-code") ? 21 : 0));
  const talk = stderr.replaceAll(/^.*(next: |joined `fact`|no pinned definition).*\n/gm, "").trim();
  expect({ status, talk: exits === 3 ? "" : talk }).toEqual({ status: exits, talk: "" });
  if (expected !== undefined) expect(timeless(stdout.replaceAll(home.path, "~"))).toBe(timeless(expected));
  else if (!isSilent(command)) expect(stdout.trim() + stderr.trim()).not.toBe("");
}

describe("docs/authoring.md, behind the README,", () => {
  it.each(stepsOf(readFileSync(join(root, "docs/authoring.md"), "utf8")))("works and prints what it says: $command", follow, 60_000);
});
