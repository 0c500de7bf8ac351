import fc from "fast-check";
import { STARTER_RULES } from "../../src/config.ts";
import type { Subject } from "../../src/core/situation.ts";
import { NOTHING_SEEN } from "../../src/core/tasks/seen.ts";
import { instant, type JsonObject } from "../../src/core/words.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { CLASSIFICATIONS, subjects } from "./random-policies.ts";
import { registrations, underTask } from "./random-tasks.ts";

export const { policy: STARTER } = loadPolicy(STARTER_RULES);

const args = fc.dictionary(
  fc.constantFrom("amount", "recipient", "limit", "n", "page_size", "recurring", "path", "to", "currency"),
  fc.constantFrom<JsonObject[string]>(1, 100_000, "a@example.org", "/srv/a", true, "EUR", ["x", "y"]),
  { noNullPrototype: true },
);

/** One of the starter's agents calls some tool of its catalog, and nothing speaks against it but what it does. */
export const plainSubjects: fc.Arbitrary<Subject> = fc
  .record(
    { tool: fc.constantFrom(...STARTER.tools.keys()), agent: fc.constantFrom(...STARTER.agents.keys()), given: args },
    { noNullPrototype: true },
  )
  .map(({ tool, agent, given }) => ({
    at: instant(Date.UTC(2026, 0, 5, 9)),
    tenant: "default",
    caller: "gateway",
    request: { agent: { id: agent }, action: { tool, arguments: given } },
    masked: 0,
    task: { standing: "open", id: "t", statement: "answer the ticket", restated: false, seen: NOTHING_SEEN },
  }));

/** A call of some tool of the starter's catalog, by one of its agents, with arguments that its rules read. */
export const starterSubjects: fc.Arbitrary<Subject> = fc
  .record(
    {
      subject: subjects,
      registration: fc.option(registrations({ agents: [...STARTER.agents.keys()].slice(0, 3), classifications: CLASSIFICATIONS }), {
        nil: undefined,
      }),
      tool: fc.constantFrom(...STARTER.tools.keys(), "nobody/knows"),
      agent: fc.constantFrom(...STARTER.agents.keys(), "stranger"),
      given: args,
    },
    { noNullPrototype: true },
  )
  .map(({ subject, registration, tool, agent, given }) => {
    const { delegation: _, ...request } = subject.request;
    const { callerAgents: __, suspended: ___, lapsed: ____, ...rest } = subject;
    const plain: Subject = {
      ...rest,
      tenant: "default",
      request: { ...request, credentialed: false, agent: { id: agent }, action: { tool, arguments: given } },
      task: { standing: "open", id: "t", restated: subject.task.restated, seen: subject.task.seen },
    };
    return registration ? underTask(plain, registration) : plain;
  });
