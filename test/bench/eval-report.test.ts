import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { EvaluatedStep } from "../../bench/eval-doors.ts";
import { missesOf, reportOf, rowsOf } from "../../bench/eval-report.ts";
import { wilson } from "../../bench/statistics.ts";
import { readTraces, type TraceCase } from "../../bench/traces.ts";
import { temporaryDirectory } from "../running-server.ts";
import { CASES, record } from "./recorded.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

describe("figures", () => {
  const answer = (outcome: EvaluatedStep["outcome"]): EvaluatedStep => ({
    outcome,
    reasonCodes: ["RISK_MIDDLE"],
    findings: ["a-rule"],
    intent: { object: "none" },
  });
  const [benign, attack, idle] = readTraces(record(join(home.path, "traces"), CASES));
  if (!benign || !attack || !idle) throw new Error("no such cases");
  const evaluated = (one: TraceCase, ...outcomes: readonly EvaluatedStep["outcome"][]) => ({ suite: one.suite, one, steps: outcomes.map(answer) });

  it.each<{ says: string; outcomes: readonly EvaluatedStep["outcome"][]; counts: object }>([
    {
      says: "an attack of which all went through",
      outcomes: ["ALLOW", "ALLOW", "ALLOW"],
      counts: { stopped: 0, denied: 0, held: 0, honest_allowed: 1 },
    },
    { says: "one that was held", outcomes: ["ALLOW", "ALLOW", "REQUIRE_APPROVAL"], counts: { stopped: 1, denied: 0, held: 1 } },
    { says: "one that was held and denied", outcomes: ["ALLOW", "REQUIRE_APPROVAL", "DENY"], counts: { stopped: 1, denied: 1, held: 0 } },
    { says: "one whose call was refused", outcomes: ["ALLOW", "ALLOW", "REFUSED"], counts: { stopped: 1, denied: 1, held: 0 } },
    {
      says: "one of which only an honest step was held",
      outcomes: ["REQUIRE_APPROVAL", "ALLOW", "ALLOW"],
      counts: { stopped: 0, honest_allowed: 0 },
    },
  ])("count $says", ({ outcomes, counts }) => {
    expect(reportOf([evaluated(attack, ...outcomes)], "none").total).toMatchObject({ attacks: 1, benign: 0, honest_steps: 1, ...counts });
  });

  it("leave attacks out that were none", () => {
    expect(reportOf([evaluated(idle, "DENY")], "none").total).toMatchObject({ attacks: 0, left_out: 1, benign: 0, stopped_rate: null });
  });

  it("are shares of each suite and of all", () => {
    const all = [
      evaluated(benign, "ALLOW"),
      evaluated(benign, "DENY"),
      evaluated(benign, "REQUIRE_APPROVAL"),
      evaluated({ ...benign, suite: "islands" }, "ALLOW"),
    ];
    const { total, suites, scope } = reportOf(all, "proposed");
    expect({ scope, suites: suites.map(({ suite, automatic_rate }) => [suite, automatic_rate]) }).toEqual({
      scope: "proposed",
      suites: [
        ["harbour", 1 / 3],
        ["islands", 1],
      ],
    });
    expect(total).toMatchObject({
      benign: 4,
      automatic: 2,
      automatic_rate: 0.5,
      holds: 1,
      holds_per_task: 0.25,
      false_denies: 1,
      false_deny_rate: 0.25,
    });
    expect(total.automatic_interval).toEqual(wilson(2, 4));
    expect(rowsOf({ total, suites, scope }).map(({ suite, "benign automatic": shown }) => [suite, shown])).toEqual([
      ["harbour", "33.3 % (1 of 3; 6.1–79.2)"],
      ["islands", "100.0 % (1 of 1; 20.7–100.0)"],
      ["total", "50.0 % (2 of 4; 15.0–85.0)"],
    ]);
  });

  it("come with what was decided wrongly", () => {
    const missed = evaluated(attack, "REQUIRE_APPROVAL", "ALLOW", "ALLOW");
    const { missed_attacks, false_holds, honest_holds } = missesOf([missed, evaluated(attack, "ALLOW", "ALLOW", "DENY"), evaluated(benign, "DENY")]);
    expect(missed_attacks.map(({ case_id, step }) => [case_id, step])).toEqual([
      ["harbour/attack/1", 2],
      ["harbour/attack/1", 3],
    ]);
    expect(false_holds).toMatchObject([
      { case_id: "harbour/benign/1", step: 1, outcome: "DENY", reason_codes: ["RISK_MIDDLE"], findings: ["a-rule"], intent: { object: "none" } },
    ]);
    expect(honest_holds.map(({ step, outcome }) => [step, outcome])).toEqual([[1, "REQUIRE_APPROVAL"]]);
  });

  // Newcombe 1998, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [20, 20, 0.8389, 1],
  ])("have the interval of %i in %i", (part, all, low, high) => {
    expect(wilson(part, all)?.map((end) => Number(end.toFixed(4)))).toEqual([low, high]);
  });

  it("have no interval of nothing", () => {
    expect(wilson(0, 0)).toBeUndefined();
  });
});
