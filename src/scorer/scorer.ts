import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Scorer, ScorerAnswer, ScorerQuestion } from "../core/intent/scorer.ts";
import { createBreaker } from "./breaker.ts";
import { createConnection } from "./connection.ts";

export interface ScorerOptions {
  readonly url: string;
  readonly deadlineMs: number;
  /** How long an answer is used again; 0: never. */
  readonly cacheTtlMs: number;
  readonly cacheAnswersMax: number;
  /** Calls at once; what is beyond is not asked. */
  readonly callsMax: number;
  readonly failuresMax: number;
  readonly pauseMs: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly log: ScorerLog;
}

export interface ScorerLog {
  /** It answers again. */
  told(what: string): void;
  /** It is not asked for a while; told once until it answers again. */
  failing(why: string): void;
}

export interface RemoteScorer extends Scorer {
  close(): void;
}

/** A scorer at the other end of a connection: each question is asked once, whoever asks it meanwhile, and its answer kept for a while. */
export function createRemoteScorer(options: ScorerOptions): RemoteScorer {
  const { url, cacheTtlMs, cacheAnswersMax, callsMax, now, log, pauseMs, failuresMax } = options;
  const connection = createConnection(options);
  const origin = new URL(url).origin;
  const breaker = createBreaker({
    now,
    failuresMax,
    pauseMs,
    onOpen(why) {
      // Whatever is wrong with it may be wrong with the connection.
      connection.drop();
      log.failing(
        `the scorer ${origin} failed ${failuresMax} times in a row, the last with ${why}; it is tried again every ${pauseMs} ms, and asked nothing else until it answers`,
      );
    },
    onClose: () => log.told(`the scorer ${origin} answers again`),
  });
  const kept =
    cacheTtlMs > 0 ? new LRUCache<string, ScorerAnswer>({ max: cacheAnswersMax, ttl: cacheTtlMs, ttlResolution: 0, perf: { now } }) : undefined;
  const asking = new Map<string, Promise<ScorerAnswer | undefined>>();
  /** Who answered last: another scorer, or another version of it, may judge otherwise. */
  let current = "";

  async function ask(question: ScorerQuestion, inputs: string): Promise<ScorerAnswer | undefined> {
    const outcome = await connection.ask(question);
    asking.delete(inputs);
    if (outcome.kind === "failed") {
      breaker.failed(outcome.why);
      return undefined;
    }
    breaker.succeeded();
    if (outcome.kind === "declined") return undefined;
    const { answer } = outcome;
    current = JSON.stringify([answer.id, answer.version]);
    kept?.set(current + inputs, answer);
    return answer;
  }

  return {
    score(question) {
      const inputs = inputsOf(question);
      const known = kept?.get(current + inputs);
      if (known) return Promise.resolve(known);
      const already = asking.get(inputs);
      if (already) return already;
      if (asking.size >= callsMax || !breaker.enter()) return Promise.resolve(undefined);
      const answering = ask(question, inputs);
      asking.set(inputs, answering);
      return answering;
    },
    close: () => connection.drop(),
  };
}

/** Equal for equal questions alone. */
function inputsOf({ statement, tool, operation, effect, argumentsJson, argumentsTruncated, resource }: ScorerQuestion): string {
  const inputs = [statement, tool, operation ?? null, effect, argumentsJson, argumentsTruncated, resource ? [resource.type, resource.id] : null];
  return hash("sha256", JSON.stringify(inputs));
}
