import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { readConfig, requestLimits, STARTER_RULES } from "../src/config.ts";
import { ServiceError } from "../src/core/errors.ts";
import type { Caller } from "../src/core/request.ts";
import { instant } from "../src/core/words.ts";
import { authorize, decode } from "../src/endpoints/grpc/call.ts";
import { fromWire, toWire } from "../src/endpoints/grpc/convert.ts";
import * as wire from "../src/gen/behest/v1/decision_pb.ts";
import { createLocalTokens, watchTokens } from "../src/identity/tokens.ts";
import { readTokens, tokensPathOf } from "../src/identity/tokens-file.ts";
import { PolicyInvalid } from "../src/policy/complaints.ts";
import { compilePolicy, loadPolicy } from "../src/policy/load.ts";
import { filesOf } from "../test/policies.ts";
import { deciderOver } from "../test/storage/deciders.ts";
import { openMemory } from "../test/storage/storages.ts";
import { variedRequests } from "./asking.ts";
import { bytes, mutate, pick, type Random, text } from "./mutating.ts";

/** What is thrown at the program, one input at a time. */
export interface Target {
  readonly name: string;
  /** How many of all inputs are this one's, in proportion to the others': those of which one takes little. */
  readonly share: number;
  draw(random: Random): Input;
  close(): void;
}

export interface Input {
  /** As it is told of when something is wrong with it. */
  readonly shown: string;
  /** Takes it in as a server would. Answers what was wrong with the answer, if anything; throws what nobody expects. */
  take(): Promise<string | undefined>;
}

const REQUEST_BYTES_MAX = 256 * 1_024;
/** Ten thousand rules take a second, in slices: what is looked at here is one file of a size that people write. */
const FILE_CHARACTERS_MAX = 64 * 1_024;
const HEADER_CHARACTERS_MAX = 16 * 1_024;
const SHOWN_CHARACTERS_MAX = 400;
/** Decisions over one memory: what it remembers must not decide how long an input takes. */
const DECISIONS_PER_LEDGER = 5_000;

const CALLER: Caller = { tenant: "default", id: "fuzz", roles: ["enforcer"] };

/** Bytes of a DecideRequest: decoded, read, decided over a ledger in memory, and answered. */
export function requests(): Target {
  const { policy } = loadPolicy(STARTER_RULES);
  const limits = requestLimits(readConfig({ flags: { data: tmpdir() }, environment: {} }));
  const requestOf = variedRequests("fuzz");
  const rich = create(wire.DecideRequestSchema, {
    requestId: "rich",
    agent: { id: "agent-11", attributes: { version: 3 } },
    task: { statement: "Copy what alice@example.com wrote into /srv/a.md" },
    session: "s",
    context: { environment: "test", attributes: { ticket: "OPS-7" } },
    delegation: [
      { principal: { type: wire.PrincipalType.USER, id: "alice" } },
      { principal: { type: wire.PrincipalType.AGENT, id: "agent-11" }, taskId: "t" },
    ],
    data: { classification: "internal", categories: ["personal"] },
    supportedObligations: [wire.ObligationType.LOG],
    action: {
      tool: "filesystem/write_file",
      operation: "whole",
      effect: wire.Effect.UPDATE,
      argumentsForm: { case: "arguments", value: { path: "/srv/a.md", deep: [[{ b: true, c: [1, "two", null] }]], secret: "hunter2" } },
      resource: { type: "file", id: "/srv/a.md", attributes: { classification: "internal", categories: ["personal"] } },
    },
  });
  const corpus = [...Array.from({ length: 64 }, (_, number) => requestOf(number)), rich, rich, rich].map((request) =>
    Buffer.from(toBinary(wire.DecideRequestSchema, request)),
  );
  const of = bytes(REQUEST_BYTES_MAX + 1_024);
  let decider: ReturnType<typeof deciderOver> | undefined;
  let count = 0;
  const renew = async (): Promise<ReturnType<typeof deciderOver>> => {
    if (count++ % DECISIONS_PER_LEDGER !== 0 && decider) return decider;
    const many = 2 * DECISIONS_PER_LEDGER;
    decider = deciderOver(await openMemory(), {
      policy,
      limits: { openTasksMax: many, agentsRememberedMax: many, requestIdsMax: many, approvalsMax: many },
    });
    return decider;
  };
  return {
    name: "protobuf",
    share: 27,
    draw(random) {
      const body = mutate(of, corpus, random);
      return {
        shown: body.toString("base64"),
        async take() {
          const deciding = await renew();
          return refusals(async () => {
            const asked = fromWire(decode(wire.DecideRequestSchema, body, { name: "request_bytes", bytesMax: REQUEST_BYTES_MAX }), limits);
            const answer = await deciding.decide({ caller: CALLER, ...asked });
            toBinary(wire.DecideResponseSchema, toWire(answer));
            return answer.record.judgement.reasonCodes.includes("EVALUATION_ERROR") ? "a rule could not be evaluated" : undefined;
          });
        },
      };
    },
    close: () => undefined,
  };
}

/** Files of a policy, one of them mutated. */
export function policies(): Target {
  const files: Readonly<Record<string, string>> = filesOf({
    tools: { t: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } } },
  });
  const starter = (path: string): string => readFileSync(join(STARTER_RULES, path), "utf8");
  const ruleTexts = ["money", "data", "secrets"].flatMap((name) => rulesOf(starter(`${name}.rules.json`)));
  const corpus: Readonly<Record<string, readonly string[]>> = {
    "test.rules.json": ruleTexts,
    "policy.json": [starter("policy.json")],
    "agents.json": [starter("agents.json")],
    "catalog/test.json": [files["catalog/test.json"] ?? "", starter("catalog/banking.json")],
  };
  const of = text(FILE_CHARACTERS_MAX);
  return {
    name: "rules",
    share: 1,
    draw(random) {
      const name = random(2) === 0 ? "test.rules.json" : pick(Object.keys(corpus), random);
      const content = mutate(of, corpus[name] ?? [], random);
      return {
        shown: `${name}: ${content}`,
        async take() {
          try {
            compilePolicy({ ...files, [name]: content });
          } catch (error) {
            if (!(error instanceof PolicyInvalid)) throw error;
            if (error.complaints.length === 0) return "a policy is refused without a complaint";
          }
          return undefined;
        },
      };
    },
    close: () => undefined,
  };
}

/** Each rule of a file in a file of its own, with the conditions that it may name. */
function rulesOf(content: string): readonly string[] {
  const { rules, ...rest } = JSON.parse(content) as { readonly rules: readonly unknown[] };
  return rules.map((rule) => JSON.stringify({ ...rest, rules: [rule] }));
}

/** Headers that say who calls, and files that say whose tokens there are. */
export function tokens(): Target {
  const directory = mkdtempSync(join(tmpdir(), "behest-fuzz-"));
  createLocalTokens(directory, instant(Date.now()));
  const token = readFileSync(join(directory, "enforcer.token"), "utf8").trim();
  const known = watchTokens(directory, { now: () => instant(Date.now()), onProblem: () => undefined });
  const fileText = readFileSync(tokensPathOf(directory), "utf8");
  const other = mkdtempSync(join(tmpdir(), "behest-fuzz-"));
  const headers = text(HEADER_CHARACTERS_MAX, ["Bearer ", "behest.", "enforcer", ".", token]);
  const file = text(FILE_CHARACTERS_MAX, ['"expires_at":"2020-01-01T00:00:00Z"', '"roles":["operator"]', '"agents":["*"]']);
  return {
    name: "tokens",
    share: 4,
    draw(random) {
      if (random(2) === 0) {
        const content = mutate(file, [fileText], random);
        return { shown: `tokens.json: ${content}`, take: async () => readMutatedTokens(other, content) };
      }
      const header = mutate(headers, [`Bearer ${token}`, `Bearer behest.${"a-".repeat(32)}.${"A".repeat(43)}`, "Basic dXNlcjpwYXNz"], random);
      return { shown: `authorization: ${header}`, take: () => callWith(header, { token, authenticate: known.authenticate }) };
    },
    close() {
      known.close();
      for (const path of [directory, other]) rmSync(path, { recursive: true, force: true });
    },
  };
}

function readMutatedTokens(directory: string, content: string): string | undefined {
  writeFileSync(tokensPathOf(directory), content);
  try {
    readTokens(directory);
    return undefined;
  } catch (error) {
    // What whoever wrote the file is told.
    if (error instanceof Error && error.constructor === Error && error.message.includes("mend it, or remove it")) return undefined;
    throw error;
  }
}

interface Knowing {
  readonly token: string;
  readonly authenticate: (token: string) => Caller | undefined;
}

async function callWith(header: string, { token, authenticate }: Knowing): Promise<string | undefined> {
  const metadata = new Metadata();
  try {
    metadata.set("authorization", header);
  } catch {
    // No header can be that: it never gets here.
    return undefined;
  }
  return refusals(async () => {
    authorize({ authenticate }, metadata, "Decide");
    return header.endsWith(token) && /^bearer $/i.test(header.slice(0, -token.length)) ? undefined : "a token that nobody was given is taken";
  });
}

/** A refusal in our own words is an answer like any other. */
async function refusals(doing: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await doing();
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

export const shorten = (shown: string): string =>
  shown.length <= SHOWN_CHARACTERS_MAX ? shown : `${shown.slice(0, SHOWN_CHARACTERS_MAX)}… (${shown.length} characters)`;
