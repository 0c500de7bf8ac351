import type { RequestUnreadable } from "../client/request-json.ts";
import type { RequestProblem } from "../client/request-problems.ts";
import { orMean, type Said } from "../policy/complaints.ts";
import { visible } from "./output.ts";

/** What is wrong with a part of a request, and what was probably meant. */
export const saidOf = ({ message, unknown }: RequestProblem): Said => (unknown ? orMean(message, unknown.word, unknown.known) : message);

const TOLD_MAX = 10;

/** Why a request cannot be read, a line for each mistake. */
export function mistakesOf({ message, problems }: RequestUnreadable): string {
  if (problems.length === 0) return message;
  const told = problems.slice(0, TOLD_MAX).map((problem) => {
    const said = saidOf(problem);
    return visible(typeof said === "string" ? said : said.message);
  });
  const rest = problems.length - told.length;
  return [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
}
