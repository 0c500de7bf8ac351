import { closeSync, openSync } from "node:fs";
import { setLogger } from "@grpc/grpc-js";
import pino, { type Logger } from "pino";
import { type Config, readConfig } from "../config.ts";
import { workingTreeOf } from "../data-directory.ts";
import { type Service, startService } from "../service.ts";
import { tuneCollector } from "./collector.ts";
import { withConsequence } from "./failure.ts";
import { openLogBlocks } from "./log-blocks.ts";
import { printLine } from "./output.ts";
import { heedSignals } from "./signals.ts";

/** Serves until a signal says stop. */
export async function runServer(options: Readonly<Record<string, unknown>>): Promise<void> {
  const { logLevel, ...rest } = options;
  const flags = { ...rest, ...(logLevel !== undefined && { log_level: logLevel }) };
  const config = readConfig({ flags, environment: process.env });
  tuneCollector();
  const log = await createLog(config);
  const obeying = obeySignals(log);
  // What goes wrong comes back to us, and is told once.
  const quietly = (line: string): void => log.debug(line);
  setLogger({ error: quietly, info: quietly, debug: quietly });
  const tree = workingTreeOf(config.data);
  if (tree !== undefined) log.warn(`the data directory \`${config.data}\` lies in the working tree \`${tree}\`; keys and records could be committed`);
  // Whatever is made from here on holds records or keys: for its owner's eyes only.
  process.umask(0o077);
  const service = await startService(config, log, { environment: process.env }).catch((error: unknown) => {
    throw withConsequence(error, "nothing was started");
  });
  obeying.started(service);
  if (obeying.isStopping()) return;
  if (process.stderr.isTTY) log.info(`serving on ${service.grpc}; Ctrl-C stops`);
  printLine({ ready: true, grpc: service.grpc, http: service.http, data: service.data, policy: service.policy });
}

interface Obeying {
  started(service: Service): void;
  isStopping(): boolean;
}

/**
 * SIGTERM and SIGINT ask for a stop. SIGHUP asks for a reload, unless it says that the terminal has gone: then nobody is left who could stop a
 * server in the foreground. What is asked of a server that starts is done once it has started.
 */
function obeySignals(log: Logger): Obeying {
  const { promise: service, resolve: started } = Promise.withResolvers<Service>();
  let stopping = false;
  heedSignals((signal) => {
    if (signal === "SIGHUP" && !(process.stderr.isTTY && !hasTerminal())) {
      log.info("SIGHUP: reading the rules");
      void service.then(({ reload }) => reload());
    } else if (!stopping) {
      stopping = true;
      log.info(`${signal}: finishing what is under way`);
      service
        .then(({ close }) => close())
        .then(
          () => log.flush(() => process.exit(0)),
          (error: unknown) => {
            log.error({ err: error }, "could not stop cleanly");
            log.flush(() => process.exit(1));
          },
        );
    }
  });
  return { started, isStopping: () => stopping };
}

/** JSON lines on stderr; pretty ones on a terminal. */
async function createLog({ log_level: level }: Config): Promise<Logger> {
  const options = { level, base: null };
  if (process.stderr.isTTY) {
    const { default: pretty } = await import("pino-pretty");
    return pino(options, pretty({ destination: 2, colorize: true, ignore: "pid,hostname" }));
  }
  return pino(options, openLogBlocks(2));
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
