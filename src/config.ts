import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { address, addressOrOff, count, oneOf, Problem, type Setting, scorerUrl, text, webhookUrl } from "./setting.ts";

const KIB = 1_024;
/** Ten years. */
const HOURS_MAX = 87_600;

export const SETTINGS = {
  data: text({
    flag: "--data <dir>",
    meaning: "directory of the ledger, the tokens and the keys",
    default: "$XDG_STATE_HOME/behest",
    because: "never inside a project",
  }),
  rules: text({ flag: "--rules <dir>", meaning: "directory of the policy", default: "the starter policy" }),
  rules_poll_ms: count(
    {
      meaning:
        "milliseconds between two looks at the rules directory, whatever the file system tells of changes; 0: rules are reloaded only when asked, by SIGHUP or ReloadPolicy",
      default: 2_000,
      because: "a look costs about a millisecond",
    },
    0,
    86_400_000,
  ),
  grpc: address({ flag: "--grpc <host:port>", meaning: "where gRPC is served; port 0 picks a free one", default: "127.0.0.1:7080" }),
  http: addressOrOff({
    flag: "--http <host:port>",
    meaning: "where metrics are served over HTTP; port 0 picks a free one, as it does beside a `grpc` with port 0 where nobody says; `off`: nowhere",
    default: "127.0.0.1:7081",
    // Whoever has a port picked for one of them has several servers.
    besides: ({ grpc }) => (String(grpc).endsWith(":0") ? "127.0.0.1:0" : undefined),
  }),
  workers: count(
    {
      flag: "--workers <count>",
      meaning:
        "threads that accept connections, authenticate and read messages for the one that decides, which then does nothing else; 0: it does that itself",
      default: 0,
      because: "worth it where there are more than two cores; the limits of connections and calls are those of each",
    },
    0,
    64,
  ),
  log_level: oneOf(["debug", "info", "warn", "error"] as const, {
    flag: "--log-level <level>",
    meaning: "the least severe log lines that are written",
    default: "info",
  }),
  request_bytes_max: count({ meaning: "bytes of one request", default: 256 * KIB, because: "longer arguments are sent cut, with their digest" }, KIB),
  batch_bytes_max: count({ meaning: "bytes of one batch", default: 4 * KIB * KIB, because: "a batch is decoded at once" }, KIB),
  batch_items_max: count({ meaning: "requests of one batch", default: 256, because: "one batch must not hold up the others" }, 1, 4_096),
  stream_items_max: count(
    {
      meaning: "requests of one stream of decisions in flight at once; what is beyond waits, unread, with the client",
      default: 256,
      because: "as many as a batch: one stream must not hold up the others",
    },
    1,
    4_096,
  ),
  report_bytes_max: count({ meaning: "bytes of one report", default: KIB * KIB, because: "what a tool returned may be longer than a request" }, KIB),
  nesting_max: count(
    { meaning: "levels of nesting in arguments and attributes", default: 32, because: "beyond that nobody can review a call" },
    1,
    64,
  ),
  keys_max: count({ meaning: "keys in arguments, and in each set of attributes", default: 512, because: "as above" }),
  identifier_bytes_max: count({ meaning: "bytes of an identifier", default: KIB, because: "identifiers are kept in memory" }, 64),
  statement_bytes_max: count({ meaning: "bytes of a task's statement", default: 8 * KIB, because: "it is kept with every task" }, 64),
  delegation_depth_max: count({ meaning: "agents of a delegation chain after the first", default: 8, because: "longer chains are loops" }),
  categories_max: count({ meaning: "data categories in one request", default: 32, because: "they are kept with what a task has seen" }),
  turns_waiting_max: count({ meaning: "decisions that wait for the disk at once", default: 2_048, because: "bounds memory when the disk is slow" }),
  connections_max: count({
    meaning: "connections open at once; beyond that one without calls is closed for the new one, or else the new one is",
    default: 1_024,
    because: "about 40 KB of memory each",
  }),
  connection_idle_ms: count({ meaning: "milliseconds after which a connection without calls is closed", default: 600_000, because: "ten minutes" }),
  streams_max: count({ meaning: "concurrent calls on one connection", default: 1_024, because: "what is beyond waits with the client" }),
  receive_timeout_ms: count(
    {
      meaning: "milliseconds that a request may take to arrive whole, an answer to be taken, and a connection to begin; then it is cut",
      default: 10_000,
      because: "who sends half a request would be waited for",
    },
    100,
    3_600_000,
  ),
  receive_calls_max: count({
    meaning: "requests that have not arrived whole, on all connections together; beyond that the oldest is cut",
    default: 16_384,
    because: "about 10 KB of memory each; a client sends the headers of many before the server takes the rest",
  }),
  receive_bytes_max: count(
    {
      meaning: "bytes of all requests together that have arrived and are not answered; beyond that the longest that has not arrived whole is cut",
      default: 64 * KIB * KIB,
      because: "bounds memory whatever is sent",
    },
    KIB,
  ),
  decisions_in_flight_max: count({
    meaning: "calls for a decision under way at once, also those that wait for people; beyond that they are refused at once",
    default: 4_096,
    because: "what is begun has to be finished before its caller has given up",
  }),
  queue_age_max_ms: count({
    meaning: "milliseconds that a decision may have waited, for the disk or to be begun; while one has waited longer, new ones are refused at once",
    default: 500,
    because: "who waits longer asks again, and both are work; whoever stops something is to be answered within a second",
  }),
  open_tasks_max: count({
    meaning: "open self-asserted tasks; beyond that the least recently used closes",
    default: 100_000,
    because: "about 1 KiB of memory each",
  }),
  registered_tasks_max: count({
    meaning: "registered tasks remembered, also of those that have ended; beyond that none is opened or handed on",
    default: 100_000,
    because: "about 2 KiB of memory each, more with long scopes; forgetting one would let it be used again",
  }),
  task_children_max: count({ meaning: "tasks handed on from one", default: 256, because: "a task that is handed on more often is a loop" }),
  task_lifetime_hours: count({ meaning: "hours that a registered task lives if nobody says", default: 24, because: "work of a day" }, 1, HOURS_MAX),
  task_lifetime_max_hours: count(
    { meaning: "hours that a registered task lives at most", default: 2_160, because: "90 days: what nobody opens again should end" },
    1,
    HOURS_MAX,
  ),
  scope_items_max: count({ meaning: "items in each list of a scope", default: 256, because: "they are looked through on every decision" }, 1, 4_096),
  agents_remembered_max: count({
    meaning: "agents whose past is remembered; beyond that new agents are refused",
    default: 100_000,
    because: "forgetting one would let it start clean",
  }),
  request_ids_max: count({
    meaning: "request ids remembered; beyond that requests with an id are refused",
    default: 1_000_000,
    because: "about 400 bytes of memory each; forgetting one would decide it twice",
  }),
  suspensions_max: count({
    meaning: "suspensions that hold at once; beyond that only everything can be suspended",
    default: 10_000,
    because: "about 500 bytes of memory each, and up to 2 KiB with a long reason",
  }),
  approvals_max: count({
    meaning: "approvals remembered, also of those that are over; beyond that nothing more is asked",
    default: 100_000,
    because: "about 2 KiB of memory each; forgetting a denied one would let it be asked again",
  }),
  waits_max: count({
    meaning: "calls that wait for people at once (`wait_ms`); beyond that they are answered without waiting",
    default: 1_000,
    because: "each holds a stream of its connection open",
  }),
  watches_max: count({ meaning: "watches of approvals open at once", default: 100, because: "each is told of every change" }),
  categories_seen_max: count({ meaning: "different data categories one task may see", default: 256, because: "they are kept with the task" }),
  cache_rows_max: count({
    meaning: "answers kept in the decision cache, in memory and on disk",
    default: 50_000,
    because: "about 500 bytes of memory each",
  }),
  webhook_url: webhookUrl({
    meaning: "where each approval that is requested, answered, used or ended is told, with a signature; empty: nowhere",
    default: "",
  }),
  scorer_url: scorerUrl({
    meaning: "where `behest.scorer.v1.IntentScorer` is asked over gRPC how far each action lies from its task; empty: nobody is asked",
    default: "",
  }),
  scorer_deadline_ms: count(
    {
      meaning: "milliseconds that a decision waits for the scorer; what comes later is no answer",
      default: 300,
      because: "every decision may take that much longer",
    },
    1,
    60_000,
  ),
  scorer_cache_ttl_ms: count(
    {
      meaning: "milliseconds for which an answer of the scorer is used again for the same question; 0: never",
      default: 600_000,
      because: "ten minutes",
    },
    0,
    86_400_000,
  ),
  scorer_cache_answers_max: count({
    meaning: "answers of the scorer kept, in memory alone; beyond that the least recently used goes",
    default: 10_000,
    because: "about 500 bytes of memory each",
  }),
  scorer_calls_max: count({
    meaning: "questions before the scorer at once; what is beyond is not asked, and is decided as without an answer",
    default: 256,
    because: "a whole batch",
  }),
  scorer_failures_max: count({
    meaning: "failures of the scorer in a row after which it is not asked for `scorer_pause_ms`",
    default: 5,
    because: "nobody should wait for one that is down",
  }),
  scorer_pause_ms: count(
    {
      meaning: "milliseconds for which a scorer that failed is not asked, until one question tries it again",
      default: 5_000,
      because: "as long as a restart takes",
    },
    1,
    3_600_000,
  ),
  explains_per_minute: count({
    meaning: "explanations that an enforcer may ask for, per agent and minute",
    default: 60,
    because: "an explanation is also an oracle for an attacker",
  }),
  second_opinion_every: count(
    {
      meaning:
        "one in so many freshly evaluated decisions is evaluated again by json-rules-engine, and a difference is logged as an error; 0 turns it off",
      default: 10_000,
      because: "it costs about a hundred decisions, and those that come meanwhile wait for it",
    },
    0,
  ),
} as const satisfies Readonly<Record<string, Setting<string> | Setting<number>>>;

export type SettingKey = keyof typeof SETTINGS;
export type Config = { readonly [K in SettingKey]: (typeof SETTINGS)[K]["default"] extends number ? number : string };

export const variableOf = (key: string): string => `BEHEST_${key.toUpperCase()}`;

/** Everything that is wrong with the configuration. */
export class ConfigInvalid extends Error {
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(complaints.join("\n"));
    this.name = "ConfigInvalid";
    this.complaints = complaints;
  }
}

export interface ConfigSources {
  /** By key, as the command line has them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads flags, then variables, then the config file, then defaults, into one frozen object. @throws {ConfigInvalid} with all complaints. */
export function readConfig({ flags, environment }: ConfigSources): Config {
  const complaints: string[] = [];
  const filePath = flags["config"] ?? environment["BEHEST_CONFIG"];
  const file = typeof filePath === "string" ? readConfigFile(filePath, complaints) : {};
  for (const name of Object.keys(environment)) {
    if (name.startsWith("BEHEST_") && name !== "BEHEST_CONFIG" && !Object.keys(SETTINGS).some((key) => variableOf(key) === name)) {
      complaints.push(`the variable \`${name}\` is no setting of Behest; see docs/configuration.md`);
    }
  }
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(SETTINGS)) {
    const [source, value] = firstStated([
      [`--${key.replaceAll("_", "-")}`, flags[key]],
      [variableOf(key), environment[variableOf(key)]],
      [`\`${key}\` in ${String(filePath)}`, file[key]],
    ]);
    const read = value === undefined ? (setting.besides?.(config) ?? setting.default) : setting.read(value);
    if (read instanceof Problem) complaints.push(`${source}: ${read.why}, found \`${String(value).slice(0, 100)}\``);
    else config[key] = read;
  }
  if (complaints.length > 0) throw new ConfigInvalid(complaints);
  return Object.freeze({ ...config, ...places(config, environment) }) as Config;
}

function firstStated(candidates: readonly (readonly [string, unknown])[]): readonly [string, unknown] {
  return candidates.find(([, value]) => value !== undefined) ?? ["default", undefined];
}

/** The defaults that depend on where Behest is. */
function places(config: Readonly<Record<string, unknown>>, environment: ConfigSources["environment"]): Pick<Config, "data" | "rules"> {
  const stateHome = environment["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  return {
    data: config["data"] === SETTINGS.data.default ? join(stateHome, "behest") : resolve(String(config["data"])),
    rules: config["rules"] === SETTINGS.rules.default ? STARTER_RULES : resolve(String(config["rules"])),
  };
}

/** How large the parts of one request may be. */
export const requestLimits = (config: Config) => ({
  json: { nestingMax: config.nesting_max, keysMax: config.keys_max },
  identifierBytesMax: config.identifier_bytes_max,
  statementBytesMax: config.statement_bytes_max,
  delegationDepthMax: config.delegation_depth_max,
  categoriesMax: config.categories_max,
  scopeItemsMax: config.scope_items_max,
});

/** Beside `src/` in a clone, beside `dist/` in the package. */
export const STARTER_RULES = fileURLToPath(new URL("../rules", import.meta.url));

function readConfigFile(path: string, complaints: string[]): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) throw new TypeError("it is not a JSON object");
    for (const key of Object.keys(parsed)) {
      if (!Object.hasOwn(SETTINGS, key)) complaints.push(`\`${key}\` in ${path} is no setting of Behest; see docs/configuration.md`);
    }
    return parsed as Readonly<Record<string, unknown>>;
  } catch (error) {
    complaints.push(`the config file \`${path}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}
