import { createRemoteScorer } from "../../src/scorer/scorer.ts";

/** Asks the scorer that is named, once, in a process of its own: what Node trusts is settled when it starts. */
const scorer = createRemoteScorer({
  url: process.argv[2] ?? "",
  deadlineMs: 20_000,
  cacheTtlMs: 0,
  cacheAnswersMax: 1,
  callsMax: 1,
  failuresMax: 1,
  pauseMs: 1_000,
  now: () => performance.now(),
  log: { told: () => undefined, failing: (why) => process.stderr.write(`${why}\n`) },
});
const answer = await scorer.score({ statement: "a task", tool: "tool", effect: "read", argumentsJson: "{}", argumentsTruncated: false });
process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
scorer.close();
