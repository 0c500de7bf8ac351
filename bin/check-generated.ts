/** Generates everything anew beside what is committed, and fails on a difference. */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const fresh = mkdtempSync(join(tmpdir(), "behest-generated-"));

function run(command: string, ...args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} exited with ${status}`);
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

try {
  run("buf", "generate", "--output", fresh);
  for (const script of ["generate-docs.ts", "generate-lint-pages.ts", "generate-schemas.ts"])
    run(process.execPath, join(import.meta.dirname, script), fresh);
  // Committed files that nothing makes any more count as well, where everything is made.
  const names = new Set([
    ...globSync(["src/gen/**/*.ts", "docs/lint/*", "rules/schema/*"], { cwd: root }),
    ...globSync(["{src/gen,docs}/**/*.{ts,md}", "rules/schema/*", ".vscode/*"], { cwd: fresh }),
  ]);
  const different = [...names].filter((name) => read(join(root, name)) !== read(join(fresh, name)));
  if (different.length > 0) {
    process.stderr.write(`generated files differ from what \`npm run generate\` makes:\n${different.map((name) => `  ${name}\n`).join("")}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
