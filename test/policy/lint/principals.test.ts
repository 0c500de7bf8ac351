import fc from "fast-check";
import { expect, it } from "vitest";
import { judge } from "../../../src/core/judge.ts";
import { lintPolicy } from "../../../src/policy/lint/lint.ts";
import { questions } from "../../core/random-policies.ts";
import { randomRuns } from "../../core/random-rules.ts";
import type { RuleJson } from "../../core/specification.ts";
import { load } from "../../policies.ts";

/** The same rule, if it asks anybody, asking the person behind the task and nobody else. */
const askingPrincipal = (rule: RuleJson): RuleJson => {
  const { event } = rule;
  return event.type === "require-approval"
    ? { ...rule, event: { ...event, params: { ...event.params, approvers: ["principal"], quorum: 1 } } }
    : rule;
};

it("lint tells of every rule that asks only a person and has stood where there is none", () => {
  let stood = 0;
  fc.assert(
    fc.property(questions, ({ policy: stated, subject }) => {
      fc.pre(subject.task.registered?.principal.type !== "user");
      // There nobody can answer anything, and that is told instead.
      fc.pre(stated.settings.approvers.require_verified !== true);
      const loaded = load({ ...stated, rules: stated.rules.map(askingPrincipal) });
      const { complaints, notes } = lintPolicy(loaded);
      // Of what was too much to try nothing is said.
      fc.pre(!notes.some((note) => note.startsWith("whether")));
      const told = complaints.filter(({ id }) => id === "principal-may-be-nobody").map(({ message }) => message.match(/rule `([^`]+)`/)?.[1]);
      const { findings } = judge(loaded.policy, subject).judgement;
      for (const { rule } of findings.filter(({ event }) => event === "require-approval")) {
        // What is compared with another fact can come out in any way, and nothing is said of it.
        if (JSON.stringify([stated.conditions, stated.rules.find(({ name }) => name === rule)]).includes('"value":{"fact"')) continue;
        expect(told).toContain(rule);
        stood++;
      }
    }),
    { ...randomRuns(400), includeErrorInReport: true },
  );
  expect(stood).toBeGreaterThan(15);
}, 120_000);
