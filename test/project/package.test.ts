import { spawn, spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadPolicy } from "../../src/policy/load.ts";
import { temporaryDirectory } from "../running-server.ts";

const root = join(import.meta.dirname, "../..");
const home = temporaryDirectory();
const installed = join(home.path, "package");
const main = join(installed, "dist/cli/main.js");

/** What `npm pack` would put into the package, built, beside the dependencies that npm would install. */
beforeAll(() => {
  const manifest: { readonly files: readonly string[] } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const built = spawnSync("tsc", ["-p", "tsconfig.build.json", "--outDir", join(installed, "dist")], { cwd: root, encoding: "utf8" });
  expect(built).toMatchObject({ status: 0, stdout: "" });
  for (const name of ["package.json", ...manifest.files.filter((file) => file !== "dist")])
    cpSync(join(root, name), join(installed, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(installed, "node_modules"));
});
afterAll(() => home.remove());

describe("the published package", () => {
  it("is JavaScript that says its version", () => {
    const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(spawnSync(process.execPath, ["--no-experimental-strip-types", main, "version"], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: `${version}\n`,
    });
  });

  it("serves its own starter policy and decides", async () => {
    const data = join(home.path, "data");
    const server = spawn(process.execPath, ["--no-experimental-strip-types", main, "serve", "--data", data, "--grpc", "127.0.0.1:0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        server.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
        server.once("exit", () => reject(new Error("the server ended")));
      });
      const { grpc }: { readonly grpc: string } = JSON.parse(line);
      const decided = spawnSync(
        process.execPath,
        [
          main,
          "decide",
          "--agent",
          "coding-assistant",
          "--tool",
          "filesystem/read_text_file",
          "--arg",
          "path=/srv/x",
          "--data",
          data,
          "--grpc",
          grpc,
          "--exit-code",
          "-o",
          "json",
        ],
        { encoding: "utf8" },
      );
      expect(decided.status, decided.stderr).toBe(0);
      expect(JSON.parse(decided.stdout)).toMatchObject({ outcome: "OUTCOME_ALLOW", recorded: true });
    } finally {
      server.kill("SIGTERM");
    }
  });

  it("makes a policy to start from, and tells commands under its own name", () => {
    const directory = join(home.path, "project");
    const made = spawnSync(process.execPath, ["--no-experimental-strip-types", main, "init", directory, "--template", "finance"], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "" },
    });
    expect(made).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining(`\n  behest serve --rules ${directory}/rules\n`) });
    expect(loadPolicy(join(directory, "rules")).warnings).toEqual([]);
  });

  it("asks for the oldest Node that can run it", () => {
    const manifest: { readonly engines: { readonly node: string } } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(manifest.engines.node).toBe(">=22.15");
  });
});
