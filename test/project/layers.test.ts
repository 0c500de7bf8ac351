import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * Who may import whom: every folder imports the core and its own library, siblings never import each other, and `service.ts` wires them. A folder
 * that is not here may import nothing of ours.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/core": [],
  "src/gen": [],
  "src/policy": ["src/core"],
  "src/reference": ["src/core"],
  "src/inference": ["src/core"],
  "src/results": ["src/core"],
  "src/identity": ["src/core", "src/private-file.ts"],
  "src/storage/memory": ["src/core"],
  "src/storage/sqlite": ["src/core"],
  "src/endpoints/grpc": ["src/core", "src/gen"],
  "src/endpoints/http": ["src/core"],
  "src/metrics": ["src/core"],
  "src/tracing": ["src/core"],
  "src/webhooks": ["src/core", "src/private-file.ts"],
  "src/scorer": ["src/core", "src/gen"],
  "src/client": ["src/gen"],
  "src/canonical.ts": ["src/core"],
  "src/clock.ts": ["src/core"],
  "src/call-log.ts": ["src/core", "src/endpoints/grpc"],
  "src/setting.ts": [],
  "src/config.ts": ["src/setting.ts"],
  "src/version.ts": [],
  "src/metrics-served.ts": [
    "src/core",
    "src/config.ts",
    "src/data-directory.ts",
    "src/endpoints/grpc",
    "src/endpoints/http",
    "src/metrics",
    "src/storage/sqlite",
    "src/tracing",
    "src/version.ts",
  ],
  "src/tracing-wanted.ts": ["src/tracing", "src/version.ts"],
  "src/grpc-limits.ts": ["src/config.ts", "src/endpoints/grpc"],
  "src/doors": ["src/core", "src/endpoints/grpc"],
  // The other composition root: that of a door's thread.
  "src/door.ts": [
    "src/clock.ts",
    "src/config.ts",
    "src/core",
    "src/doors",
    "src/endpoints/grpc",
    "src/grpc-limits.ts",
    "src/identity",
    "src/tracing",
    "src/tracing-wanted.ts",
  ],
  "src/grpc-served.ts": [
    "src/tracing",
    "src/door.ts",
    "src/doors",
    "src/call-log.ts",
    "src/core",
    "src/config.ts",
    "src/data-directory.ts",
    "src/endpoints/grpc",
    "src/grpc-limits.ts",
    "src/metrics",
  ],
  "src/private-file.ts": [],
  "src/data-directory.ts": ["src/private-file.ts", "src/storage/sqlite"],
  "src/rules-in-force.ts": ["src/core", "src/config.ts", "src/data-directory.ts", "src/endpoints/grpc", "src/policy"],
  "src/service.ts": [
    "src/clock.ts",
    "src/rules-in-force.ts",
    "src/grpc-served.ts",
    "src/metrics-served.ts",
    "src/metrics",
    "src/tracing-wanted.ts",
    "src/tracing",
    "src/canonical.ts",
    "src/core",
    "src/config.ts",
    "src/data-directory.ts",
    "src/endpoints/grpc",
    "src/identity",
    "src/inference",
    "src/policy",
    "src/reference",
    "src/results",
    "src/scorer",
    "src/storage/sqlite",
    "src/webhooks",
  ],
  "src/cli": [
    "src/core",
    "src/gen",
    "src/client",
    "src/canonical.ts",
    "src/config.ts",
    "src/data-directory.ts",
    "src/endpoints/grpc",
    "src/service.ts",
    "src/version.ts",
    "src/identity",
    "src/inference",
    "src/policy",
    "src/results",
  ],
};

/** The libraries that a folder may use; Node's own are everybody's, except in the core. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  "src/core": ["node:crypto"],
  "src/gen": ["@bufbuild/protobuf"],
  "src/policy": ["jsonc-parser"],
  "src/reference": ["json-rules-engine"],
  "src/identity": [],
  "src/inference": ["stemmer", "tldts"],
  "src/results": ["js-yaml"],
  "src/storage/memory": ["lru-cache"],
  "src/storage/sqlite": ["better-sqlite3", "lru-cache"],
  "src/endpoints/grpc": ["@bufbuild/protobuf", "@grpc/grpc-js", "@grpc/reflection", "grpc-health-check"],
  "src/endpoints/http": [],
  "src/metrics": ["prom-client"],
  "src/tracing": ["@opentelemetry/api", "@opentelemetry/exporter-trace-otlp-proto", "@opentelemetry/resources", "@opentelemetry/sdk-trace"],
  "src/webhooks": [],
  "src/scorer": ["@bufbuild/protobuf", "@grpc/grpc-js", "lru-cache"],
  "src/client": ["@bufbuild/protobuf", "@grpc/grpc-js"],
  "src/canonical.ts": ["canonicalize"],
  "src/call-log.ts": ["pino"],
  "src/setting.ts": [],
  "src/config.ts": [],
  "src/version.ts": [],
  "src/door.ts": ["@grpc/grpc-js"],
  "src/doors": ["@grpc/grpc-js"],
  "src/grpc-served.ts": ["pino"],
  "src/metrics-served.ts": ["pino"],
  "src/tracing-wanted.ts": ["pino"],
  "src/data-directory.ts": ["better-sqlite3"],
  "src/rules-in-force.ts": ["pino"],
  "src/service.ts": ["pino", "uuid"],
  "src/cli": [
    "@bufbuild/protobuf",
    "@grpc/grpc-js",
    "@modelcontextprotocol/client",
    "better-sqlite3",
    "commander",
    "jsonc-parser",
    "pino",
    "pino-pretty",
  ],
};

const folderOf = (file: string): string | undefined =>
  Object.keys(MAY_IMPORT)
    .filter((folder) => file === folder || file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];

const importsOf = (file: string): readonly string[] =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^"';]*?from "([^"]+)";|^import "([^"]+)";|\bimport\("([^"]+)"\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );

/** Everything that breaks the table, over a set of files. */
function breaches(files: readonly string[], imports: (file: string) => readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const file of files) {
    const folder = folderOf(file);
    if (folder === undefined) {
      found.push(`${file} lies in no folder of the table`);
      continue;
    }
    for (const specifier of imports(file)) {
      if (specifier.startsWith(".")) {
        const target = folderOf(normalize(join(dirname(file), specifier)));
        if (target !== folder && (target === undefined || !MAY_IMPORT[folder]?.includes(target))) found.push(`${file} imports ${specifier}`);
      } else {
        const allowed = LIBRARIES[folder] ?? [];
        const isNode = specifier.startsWith("node:") && folder !== "src/core";
        if (!isNode && !allowed.some((library) => specifier === library || specifier.startsWith(`${library}/`)))
          found.push(`${file} imports ${specifier}`);
      }
    }
  }
  return found;
}

const FILES = globSync("src/**/*.ts").map((file) => file.replaceAll("\\", "/"));

describe("the layout", () => {
  it("keeps to the table of who may import whom", () => {
    expect(FILES.length).toBeGreaterThan(30);
    expect(breaches(FILES, importsOf)).toEqual([]);
  });

  it.each([
    { says: "the core reads a file", file: "src/core/decide.ts", imports: "node:fs" },
    { says: "the core knows a wire type", file: "src/core/decide.ts", imports: "../gen/behest/v1/decision_pb.ts" },
    { says: "one storage uses the other", file: "src/storage/sqlite/ledger.ts", imports: "../memory/ledger.ts" },
    { says: "an endpoint reads the policy's files", file: "src/endpoints/grpc/handler.ts", imports: "../../policy/load.ts" },
    { says: "webhooks read the database", file: "src/webhooks/webhooks.ts", imports: "../storage/sqlite/approval-events.ts" },
    { says: "a scorer's client reads the database", file: "src/scorer/scorer.ts", imports: "../storage/sqlite/ledger.ts" },
    { says: "a folder uses another's library", file: "src/policy/load.ts", imports: "better-sqlite3" },
    { says: "a file lies in a folder of its own", file: "src/utils/strings.ts", imports: "node:path" },
  ])("is found broken when $says", ({ file, imports }) => {
    expect(breaches([file], () => [imports])).toHaveLength(1);
  });

  it("keeps time, chance and the environment out of the pure parts", () => {
    const impure = FILES.filter((file) => /^src\/(core|policy|inference|results)\//.test(file)).filter((file) =>
      /Date\.now\(|new Date\(\)|Math\.random\(|process\.env|performance\.now/.test(readFileSync(file, "utf8")),
    );
    expect(impure).toEqual([]);
  });

  it("has no file above 400 lines", () => {
    const long = FILES.filter((file) => !file.startsWith("src/gen/") && readFileSync(file, "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });
});
