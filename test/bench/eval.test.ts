import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type Door, type EvaluatedStep, isRefusal, openCore } from "../../bench/eval-doors.ts";
import { replayAll, replayCase } from "../../bench/eval-replay.ts";
import { makeRules } from "../../bench/eval-rules.ts";
import { withStage } from "../../bench/processes.ts";
import { type Recording, readRecording } from "../../bench/trace-sets.ts";
import { type TraceCase, TracesUnreadable } from "../../bench/traces.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { type ErrorCode, ServiceError } from "../../src/core/errors.ts";
import { ReportStatus } from "../../src/gen/behest/v1/decision_pb.ts";
import { temporaryDirectory } from "../running-server.ts";
import { CASES, OUTPUTS, record } from "./recorded.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

let directories = 0;
const recorded = (cases: readonly object[], beside?: Parameters<typeof record>[2]): string =>
  record(join(home.path, `traces-${directories++}`), cases, beside);

type Decided = readonly (readonly EvaluatedStep[])[];

const replayed = async (recording: Recording, options: { scope?: "none" | "proposed"; through?: "core" | "server" } = {}): Promise<Decided> => {
  const evaluated = await withStage((stage) => replayAll(stage, recording, { scope: "none", rules: STARTER_RULES, through: "core", ...options }));
  return evaluated.map(({ steps }) => steps);
};

const mapCases = ({ sets, outputs }: Recording, map: (one: TraceCase) => TraceCase): Recording => ({
  sets: sets.map((set) => ({ ...set, cases: set.cases.map(map) })),
  outputs,
});

describe("a recording", () => {
  it("has what belongs to a suite, and no tool of another", () => {
    const { sets, outputs } = readRecording([recorded(CASES)]);
    expect(sets.map(({ suite, cases, tools }) => [suite, cases.length, tools.map(({ name }) => name)])).toEqual([
      ["harbour", 3, ["list_berths", "send_notice", "berth_desk"]],
    ]);
    expect(outputs.get("sent")).toBe("sent");
    expect(sets[0]?.cases[0]).toMatchObject({ principal: { name: "Ines" }, proposedTools: ["list_berths"] });
  });

  it("finds the tools of a suite that none are listed for by what its cases use", () => {
    const use = (tool: string) => ({ case_id: tool, suite: "lagoon", kind: "benign", task: "Look", steps: [{ tool, args: {} }] });
    const toolsOf = (cases: readonly object[]) => readRecording([recorded(cases)]).sets[0]?.tools.map(({ description }) => description);
    expect(toolsOf([use("get_tide"), use("get_depth")])).toEqual(["Gets the tide of a reef.", "Gets the depth."]);
    expect(toolsOf([use("get_depth"), use("list_berths")])).toContain("Lists all berths of the harbour.");
    expect(() => toolsOf([use("get_weather")])).toThrow("has no tool of the suite `lagoon`, and none that its cases use");
  });

  it("is cut to a suite and to so many cases of each", () => {
    const other = { ...CASES[0], suite: "islands" };
    const file = recorded([...CASES, other]);
    const shape = (selection: object) => readRecording([file], selection).sets.map(({ suite, cases }) => [suite, cases.length]);
    expect(shape({})).toEqual([
      ["harbour", 3],
      ["islands", 1],
    ]);
    expect(shape({ limit: 2 })).toEqual([
      ["harbour", 2],
      ["islands", 1],
    ]);
    expect(shape({ suite: "islands" })).toEqual([["islands", 1]]);
    expect(() => shape({ suite: "fjords" })).toThrow(TracesUnreadable);
  });

  it("is refused where an output is missing, or the tools are", () => {
    expect(() => readRecording([recorded(CASES, { outputs: OUTPUTS.slice(1) })])).toThrow("step 1 of `harbour/benign/1` returned `berths`, which");
    const alone = join(home.path, "alone.jsonl");
    writeFileSync(alone, `${JSON.stringify(CASES[0])}\n`);
    expect(() => readRecording([alone])).toThrow(/tools\.jsonl` is missing/);
  });
});

describe("a replay", () => {
  const recording = readRecording([recorded(CASES)]);

  it("decides every step, and refuses what is no call", async () => {
    const decided = await replayed(recording);
    expect(decided.map((steps) => steps.map(({ outcome }) => outcome))).toEqual([
      ["ALLOW"],
      ["ALLOW", expect.stringMatching(/^(?:DENY|REQUIRE_APPROVAL)$/), "REFUSED"],
      ["ALLOW"],
    ]);
  });

  it("decides the same through a server, where cases share all that it remembers", async () => {
    // Of one agent alone, people would be asked so often that the starter policy counts it against the agent.
    const often = { ...recording, sets: recording.sets.map((set) => ({ ...set, cases: Array.from({ length: 35 }, () => set.cases).flat() })) };
    const words = (decided: Decided) => decided.map((steps) => steps.map(({ intent: _, ...step }) => step));
    expect(words(await replayed(often, { scope: "proposed", through: "server" }))).toEqual(words(await replayed(often, { scope: "proposed" })));
  });

  it("asks as an initiator and an enforcement point would, and reports whatever was decided", async () => {
    const [set] = recording.sets;
    const stolen = set?.cases[1];
    if (!set || !stolen) throw new Error("no such case");
    const desk = (action: string) => ({ tool: "berth_desk", argumentsJson: JSON.stringify({ action, berth: "4" }) });
    const one: TraceCase = { ...stolen, steps: [...stolen.steps, desk("delete_berth"), desk("burn_berth")] };
    const asked = async (scope: "none" | "proposed") =>
      withStage(async ({ directory: into }) => {
        const { directory, choosers } = makeRules({ from: STARTER_RULES, into: join(into, "rules"), tools: set.tools, agents: ["agent"] });
        const { door, said } = overheard(openCore(directory).forOneCase());
        await replayCase({ door, choosers, outputs: recording.outputs, scope, agent: "agent" }, one);
        return said;
      });
    const { opened, operations, reported } = await asked("proposed");
    expect(opened).toMatchObject([
      { statement: one.task, principal: { attributes: { name: "Ines" } }, scopeKind: 2, scope: { tools: ["list_berths"] } },
    ]);
    expect(operations).toEqual(["", "", "", "delete_berth", ""]);
    // The third call could not be read, so there is no decision to report.
    const executed = (value: string) => ({ status: ReportStatus.EXECUTED, resultForm: { case: "resultText", value } });
    expect(reported).toMatchObject([executed(OUTPUTS[0]?.text ?? ""), executed("sent"), executed(""), executed("")]);
    const [plain] = (await asked("none")).opened;
    expect(Object.keys(plain ?? {}).toSorted()).toEqual(["agentId", "principal", "statement"]);
  });

  it.each(["core", "server"] as const)("says which case no %s would take", async (through) => {
    const endless = mapCases(recording, (one) => ({ ...one, task: "Look! ".repeat(2_000) }));
    await expect(replayed(endless, { through })).rejects.toThrow(/`harbour\/benign\/1` cannot be replayed: .*statement/);
  });

  it.each<{ code: ErrorCode; refused: boolean }>([
    { code: "REQUEST_MALFORMED", refused: true },
    { code: "REQUEST_TOO_BIG", refused: true },
    { code: "STATE_FULL", refused: false },
    { code: "LEDGER_UNAVAILABLE", refused: false },
  ])("takes $code for a refusal of the call: $refused", ({ code, refused }) => {
    expect(isRefusal(new ServiceError(code, "no"))).toBe(refused);
  });

  it("reports of a long output what a server takes, and says that it is cut", async () => {
    const long = { ...recording, outputs: new Map([...recording.outputs, ["berths", "é".repeat(1_000_000)]]) };
    const outcomes = (decided: Decided) => decided.map((steps) => steps.map(({ outcome }) => outcome));
    expect(outcomes(await replayed(long, { through: "server" }))).toEqual(outcomes(await replayed(long)));
  });

  it("opens a task without a scope where nothing was proposed", async () => {
    const bare = mapCases(recording, ({ proposedTools: _, ...one }) => one);
    const empty = mapCases(recording, (one) => ({ ...one, proposedTools: [] }));
    const unscoped = await replayed(recording);
    expect(await replayed(bare, { scope: "proposed" })).toEqual(unscoped);
    expect(await replayed(empty, { scope: "proposed" })).toEqual(unscoped);
  });
});

/** The door, and what was said through it. */
function overheard(door: Door) {
  const said: { readonly opened: object[]; readonly operations: (string | undefined)[]; readonly reported: object[] } = {
    opened: [],
    operations: [],
    reported: [],
  };
  const listening: Door = {
    ...door,
    openTask(request) {
      said.opened.push(request);
      return door.openTask(request);
    },
    decide(request) {
      said.operations.push(request.action?.operation);
      return door.decide(request);
    },
    report(request) {
      said.reported.push(request);
      return door.report(request);
    },
  };
  return { door: listening, said };
}

describe("the answer key", () => {
  const flipped = CASES.map(({ case_id: id, kind, steps, ...rest }, at) => ({
    ...rest,
    case_id: `case-${at} not ${id.length}`,
    kind: kind === "attack" ? "benign" : "attack",
    attacker_goal: "something else",
    injected_call_source: "elsewhere",
    steps: steps.map(({ label, ...step }) => ({
      ...step,
      label: label === "legit" ? "injected" : "legit",
      output_contains_injection: !("output_contains_injection" in step && step.output_contains_injection),
    })),
  }));
  const stated = readRecording([recorded(CASES)]);
  const other = readRecording([recorded(flipped)]);

  /** Whether a replay decides otherwise when nothing but the key is another. */
  const dependsOnKey = async (replay: (recording: Recording) => Promise<Decided>): Promise<boolean> =>
    JSON.stringify(await replay(stated)) !== JSON.stringify(await replay(other));

  it("is another in the flipped file", () => {
    const keysOf = ({ sets }: Recording) => sets.flatMap(({ cases }) => cases.map(({ key }) => key));
    for (const [at, { isAttack, injected }] of keysOf(stated).entries()) {
      expect(keysOf(other)[at]).toEqual({ isAttack: !isAttack, injected: injected.map((one) => !one) });
    }
  });

  it.each(["none", "proposed"] as const)("changes no decision, with the scope `%s`", async (scope) => {
    expect(await dependsOnKey((recording) => replayed(recording, { scope }))).toBe(false);
  });

  it("would be found out if a replay looked at it", async () => {
    const peeking = (one: TraceCase): TraceCase => ({
      ...one,
      steps: one.steps.map((step, at) => (one.key.injected[at] ? { ...step, argumentsJson: "[]" } : step)),
    });
    expect(await dependsOnKey((recording) => replayed(mapCases(recording, peeking)))).toBe(true);
  });
});

describe("npm run eval", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL("../../bench/eval.ts", import.meta.url)), ...args], { encoding: "utf8" });
  const file = recorded(CASES);

  it("prints figures of each suite and of all, as JSON and as a table", () => {
    const { status, stdout, stderr } = run(file, "--scope", "proposed", "--misses", "-o", "json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({
      scope: "proposed",
      total: {
        attacks: 1,
        stopped: 1,
        stopped_rate: 1,
        benign: 1,
        automatic: 1,
        automatic_rate: 1,
        holds_per_task: 0,
        false_deny_rate: 0,
        left_out: 1,
      },
      suites: [{ suite: "harbour", attacks: 1, honest_steps: 1, honest_allowed: 1, honest_rate: 1 }],
      missed_attacks: [],
      false_holds: [],
    });
    const { suite: _, ...figures } = printed.suites[0];
    expect(figures).toEqual(printed.total);
    expect(run(file).stdout).toMatch(/^suite .*\nharbour .*\ntotal .*100\.0 % \(1 of 1; 20\.7–100\.0\)/);
  });

  it.each<{ says: string; args: readonly string[]; status: number; stderr: RegExp }>([
    { says: "a file that is not there", args: [join(home.path, "nowhere.jsonl")], status: 2, stderr: /^eval: `.*nowhere\.jsonl` cannot be read/ },
    { says: "a suite that is not there", args: [file, "--suite", "fjords"], status: 2, stderr: /no case of the suite `fjords`/ },
    { says: "no number of cases", args: [file, "--limit", "0"], status: 2, stderr: /expected an integer from 1/ },
    { says: "a directory without rules", args: [file, "--rules", join(home.path)], status: 3, stderr: /nothing that Behest reads/ },
  ])("says what is wrong with $says", ({ args, status, stderr }) => {
    expect(run(...args)).toMatchObject({ status, stdout: "", stderr: expect.stringMatching(stderr) });
  });
});
