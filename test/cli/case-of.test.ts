import fc from "fast-check";
import { expect, it } from "vitest";
import { caseOf } from "../../src/cli/case-of.ts";
import { readyCase } from "../../src/cli/cases.ts";
import { judge } from "../../src/core/judge.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import { judgeCase } from "../../src/policy/case-judge.ts";
import { readCases } from "../../src/policy/cases.ts";
import type { Complaint } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { questions } from "../core/random-policies.ts";
import { randomRuns } from "../core/random-rules.ts";
import { policyOf } from "../policies.ts";

it("a decision as a case expects what the same policy decides of it", () => {
  let held = 0;
  fc.assert(
    fc.property(questions, ({ policy: stated, subject }) => {
      // Neither a lapsed attempt, nor what a token covers, nor what is suspended, nor secrets that nobody masked can be told by a request.
      fc.pre(subject.lapsed === undefined && subject.callerAgents === undefined && !subject.suspended?.length && subject.masked === 0);
      const policy = policyOf(stated);
      const { judgement } = judge(policy, subject);
      const { at, tenant, caller, ...rest } = subject;
      const record = { id: "x", at, tenant, caller, subject: rest, judgement } as unknown as DecisionRecord;
      const complaints: Complaint[] = [];
      const document = readDocument("one.cases.json", JSON.stringify({ cases: [caseOf(record, undefined)] }), complaints);
      const [one] = document ? readCases([document]) : [];
      const [ready] = one ? readyCase(one) : [];
      // The random requests name resources that no endpoint lets in.
      if (!ready) return;
      expect(judgeCase(policy, ready.stated, ready.request).disagreements).toEqual([]);
      held++;
    }),
    { ...randomRuns(500), includeErrorInReport: true },
  );
  expect(held).toBeGreaterThan(100);
});
