import { type FactDeclaration, partial, rising, total, worseWhen } from "../fact.ts";

/** What rules can read of an outside judge. Who writes what it judges can talk to it, so nothing may rest on its word but what is restrictive. */
export const SCORER_FACTS: Readonly<Record<string, FactDeclaration>> = {
  "scorer.answered": total("boolean", "reported", {
    meaning: "whether the scorer said something of this action in time; false also where there is no scorer, or the task has no statement",
    example: true,
    read: ({ subject }) => subject.scorer !== undefined,
    ...worseWhen(false),
  }),
  "scorer.risk": partial("integer", "reported", {
    meaning: "how far the action lies from its task in the eyes of the scorer, from 0 to 100; absent unless it answered",
    example: 70,
    read: ({ subject }) => subject.scorer?.risk,
    ...rising,
  }),
};
