import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../cli/running-command.ts";
import { temporaryDirectory } from "../running-server.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/tokens.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));
const steps = blocks.flatMap(({ language, text }, index) => {
  const next = blocks[index + 1];
  return language === "sh" ? [{ command: text.trim(), expected: next?.language === "text" ? next.text : undefined }] : [];
});

const home = temporaryDirectory();
let server: Served;
beforeAll(async () => {
  server = await serve(join(home.path, "behest"));
});
afterAll(async () => {
  await server.stop();
  home.remove();
});

/** Only when it happened differs. */
const undated = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-11-25T09:00:00.000Z");

describe("docs/tokens.md", () => {
  it.each(steps)("has a command that works and prints what it says: $command", ({ command, expected }) => {
    const environment = { PATH: process.env["PATH"], HOME: home.path, XDG_STATE_HOME: home.path, BEHEST_GRPC: server.address };
    const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: root, env: environment, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining("warning") });
    if (expected !== undefined) expect(undated(stdout)).toBe(undated(expected));
  });

  it("has shown at least the making, the use, the list and the end of a token", () => {
    expect(steps.length).toBeGreaterThan(5);
    expect(statSync(join(home.path, "gateway.token")).mode & 0o777).toBe(0o600);
  });
});
