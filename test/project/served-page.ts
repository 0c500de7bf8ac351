import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Served, serve } from "../cli/running-command.ts";
import { temporaryDirectory } from "../running-server.ts";

export const root = join(import.meta.dirname, "../..");

/** A page of the documentation, and a server that its commands ask, for the tests of one file. */
export function servedPage(path: string) {
  const page = readFileSync(join(root, path), "utf8");
  const home = temporaryDirectory();
  let server: Served;
  beforeAll(async () => {
    server = await serve(join(home.path, "behest"));
  });
  afterAll(async () => {
    await server.stop();
    home.remove();
  });
  return {
    page,
    blocksOf: (language: "sh" | "text"): readonly string[] =>
      [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text),
    /** Runs commands as somebody would type them one after the other. */
    run(commands: readonly string[]) {
      const http = String(server.ready["http"]);
      const env = { PATH: process.env["PATH"], HOME: home.path, XDG_STATE_HOME: home.path, BEHEST_GRPC: server.address, BEHEST_HTTP: http };
      // The default port is the page's; here another may be in use.
      const script = commands.join("\n").replaceAll("127.0.0.1:7081", http);
      const { status, stdout, stderr } = spawnSync("sh", ["-ec", script], { cwd: root, env, encoding: "utf8" });
      return { status, stdout, stderr };
    },
  };
}
