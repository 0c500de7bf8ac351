import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MARKER } from "./numbered-bodies.ts";
import { freePort, type ServerProcess, type Stage } from "./processes.ts";

/** The Cerbos PDP, as a peer on the same machine: audit off, and about as many rules on the same kind of attributes as the starter policy has. */
export const CERBOS_PATH = "/cerbos.svc.v1.CerbosService/CheckResources";

const PEERS = fileURLToPath(new URL("./peers", import.meta.url));
const INSTALL_WITHIN_MS = 120_000;

/** Installs it when it is first wanted: nobody who only uses or tests Behest needs its 90 MB. @throws {Error} when it cannot be. */
export async function startCerbos(stage: Stage, say: (what: string) => void): Promise<ServerProcess> {
  const binary = join(PEERS, `node_modules/@cerbos/cerbos-${process.platform}-${process.arch}/cerbos-${process.platform}-${process.arch}`);
  if (!existsSync(binary)) {
    say("installing Cerbos, to be measured beside it (90 MB, into bench/peers/node_modules)");
    await promisify(execFile)("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: PEERS,
      timeout: INSTALL_WITHIN_MS,
    });
    if (!existsSync(binary)) throw new Error(`there is none for ${process.platform} on ${process.arch}`);
  }
  const directory = join(stage.directory, "cerbos");
  const policies = join(directory, "policies");
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, "tool_call.json"), JSON.stringify(policy()));
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    server: { grpcListenAddr: address, httpListenAddr: `127.0.0.1:${await freePort()}` },
    storage: { driver: "disk", disk: { directory: policies, watchForChanges: false } },
    audit: { enabled: false },
    telemetry: { disabled: true },
  };
  writeFileSync(join(directory, "config.yaml"), JSON.stringify(config));
  return stage.startProgram(binary, ["server", `--config=${join(directory, "config.yaml")}`, "--log-level=error"], address);
}

/** The starter policy's rules, by how many name an effect of their own. */
const RULES = 50;
const EFFECTS = ["read", "browse", "create", "update", "delete", "send", "share", "pay", "credential", "execute"] as const;
/** Of ten, so many are asked whatever the effect. */
const WHATEVER_EFFECT = 4;

/** One rule allows; the others deny what this request is not. Each reads three attributes, as most of the starter policy's rules do. */
function policy(): object {
  const denials = Array.from({ length: RULES - 1 }, (_, number) => ({
    actions: [number % 10 < WHATEVER_EFFECT ? "*" : (EFFECTS[number % EFFECTS.length] ?? "*")],
    effect: "EFFECT_DENY",
    roles: ["*"],
    condition: { match: { all: { of: conditions(number).map((expr) => ({ expr })) } } },
  }));
  return {
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: { version: "default", resource: "tool_call", rules: [{ actions: ["*"], effect: "EFFECT_ALLOW", roles: ["agent"] }, ...denials] },
  };
}

const conditions = (number: number): readonly string[] => [
  `R.attr.classification_rank >= ${number % 2}`,
  number % 2 === 0 ? `R.attr.environment == "development"` : `R.attr.tool.startsWith("filesystem/")`,
  number % 3 === 0 ? `R.attr.limit > ${1_000 + number}` : `"category-${number}" in R.attr.categories`,
];

/** One call like Behest's, with the facts that Behest finds itself: a template, see `numberedBodies`. */
export function cerbosTemplates(agents: readonly string[]): readonly Uint8Array[] {
  return agents.map((agent) => {
    const principal = Buffer.concat([text(1, agent), text(3, "agent"), attribute("owner", stringValue("team:platform"))]);
    const attributes = [
      attribute("tool", stringValue("filesystem/read_text_file")),
      attribute("path", stringValue(`/srv/handbook/chapter-12/section-${MARKER}.md`)),
      attribute("environment", stringValue("development")),
      attribute("classification_rank", numberValue(1)),
      attribute("categories", listValue([stringValue("handbook")])),
      attribute("statement", stringValue("Summarise what chapter 12 of the handbook says, and list whom to ask")),
      attribute("limit", numberValue(-MARKER)),
    ];
    const resource = Buffer.concat([text(1, "tool_call"), text(3, `call-${MARKER}`), ...attributes]);
    return Buffer.concat([message(3, principal), message(4, Buffer.concat([text(1, "read"), message(2, resource)]))]);
  });
}

/** `"read": EFFECT_ALLOW` in the answer's map of actions. */
const ALLOWED = Buffer.concat([text(1, "read"), Buffer.from([0x10, 1])]);

/** @throws {Error} unless it was allowed. */
export function checkCerbos(answer: Buffer): void {
  if (!answer.includes(ALLOWED)) throw new Error("Cerbos did not allow the call: the figures would be of something else");
}

// The wire format by hand: four kinds of field do not justify generated code. Field numbers are those of cerbos/engine/v1/engine.proto,
// cerbos/request/v1/request.proto and google/protobuf/struct.proto.

function message(field: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest & 127) | 128);
  }
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), body]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

/** An entry of `map<string, google.protobuf.Value> attr = 4`. */
const attribute = (name: string, value: Buffer): Buffer => message(4, Buffer.concat([text(1, name), message(2, value)]));

const stringValue = (value: string): Buffer => text(3, value);

function numberValue(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (2 << 3) | 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

const listValue = (values: readonly Buffer[]): Buffer => message(6, Buffer.concat(values.map((value) => message(1, value))));
