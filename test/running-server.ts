import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { type BehestClient, createClient } from "../src/client/client.ts";
import { type Config, readConfig } from "../src/config.ts";
import type { Role } from "../src/core/request.ts";
import { startService } from "../src/service.ts";

export interface RunningServer {
  readonly address: string;
  /** Where HTTP is served, if the settings say so. */
  readonly http: string | null;
  readonly data: string;
  /** Everything it has logged, one JSON line each. */
  readonly log: readonly string[];
  token(role: Role): string;
  client(role?: Role): BehestClient;
  close(): Promise<void>;
}

/** An empty directory that `remove` takes away again. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "behest-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Some suites run once more like this (vitest.config.ts): whatever is served through doors is served as it is without. */
const doors = () => ({ workers: Number(process.env["TEST_DOORS"] ?? 0) });

/** A busy machine makes anything wait: what is shed for its age is tested where a test says so, and nowhere else by chance. */
const PATIENT = { queue_age_max_ms: 60_000 };

/** The real service in this process, on a free port, with a data directory of its own. */
export async function runServer(settings: Partial<Config> = {}): Promise<RunningServer> {
  const directory = temporaryDirectory();
  const log: string[] = [];
  const data = settings.data ?? directory.path;
  const config = readConfig({ flags: { grpc: "127.0.0.1:0", http: "off", ...PATIENT, ...doors(), ...settings, data }, environment: {} });
  const service = await startService(config, pino({ base: null }, { write: (line: string) => log.push(line) }));
  const token = (role: Role): string => readFileSync(join(data, `${role}.token`), "utf8").trim();
  const clients: BehestClient[] = [];
  return {
    address: service.grpc,
    http: service.http,
    data,
    log,
    token,
    client(role) {
      const client = createClient({ address: service.grpc, timeoutMs: 20_000, ...(role && { token: token(role) }) });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await service.close();
      directory.remove();
    },
  };
}
