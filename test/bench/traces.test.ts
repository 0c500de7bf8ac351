import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readRecording } from "../../bench/trace-sets.ts";
import { readLines } from "../../bench/traces.ts";
import { isObject } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/words.ts";

const HOME = new URL("../traces/", import.meta.url).pathname;
const CASE_FILES = readdirSync(HOME).filter((name) => /^(benign|attack)/.test(name));

const readObject = (found: Json, place: string): JsonObject => {
  if (!isObject(found)) throw new Error(`${place}: not an object`);
  return found;
};
const objectsOf = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const read = (name: string): readonly JsonObject[] => readLines(`${HOME}${name}`, readObject);

interface Traces {
  readonly cases: readonly JsonObject[];
  readonly tools: readonly JsonObject[];
  readonly outputs: readonly JsonObject[];
}
const traces: Traces = { cases: CASE_FILES.flatMap(read), tools: read("tools.jsonl"), outputs: read("outputs.jsonl") };

/** What makes cases count for something that they do not say, each in a few words. */
function faultsOf({ cases, tools, outputs }: Traces): readonly string[] {
  const refs = outputs.map(({ ref }) => ref);
  const used = new Set(cases.flatMap(({ steps }) => objectsOf(steps).map(({ output_ref: ref }) => ref)));
  return [
    ...repeated(cases.map(({ case_id: id }) => id)).map((id) => `${id} is there twice`),
    ...repeated(tools.map(({ suite, name }) => `${suite}/${name}`)).map((name) => `${name} is listed twice`),
    ...repeated(refs).map((ref) => `output ${ref} is there twice`),
    ...refs.filter((ref) => ref === undefined || !used.has(ref)).map((ref) => `nobody uses output ${ref}`),
    ...cases.flatMap((one) => faultsOfCase(one, tools, new Set(refs)).map((fault) => `${one["case_id"]}: ${fault}`)),
  ];
}

function faultsOfCase({ suite, kind, task, steps, proposed_scope: scope }: JsonObject, tools: readonly JsonObject[], refs: ReadonlySet<unknown>) {
  const listed = new Map(tools.filter((tool) => tool["suite"] === suite).map((tool) => [tool["name"], tool]));
  const all = objectsOf(steps);
  const proposed: readonly Json[] = isObject(scope) && Array.isArray(scope["tools"]) ? scope["tools"] : [];
  const first = all.findIndex(({ label }) => label === "injected");
  const faults = all.flatMap(({ tool, args, label, output_ref: ref }) => [
    ...(listed.has(tool) ? argumentFaults(args, listed.get(tool)) : [`${tool} is not listed`]),
    ...(refs.has(ref) ? [] : [`output ${ref} is missing`]),
    ...(label === "legit" || label === "injected" ? [] : [`${tool} has no label`]),
  ]);
  if (typeof task !== "string" || task === "" || all.length === 0) faults.push("nothing is asked or done");
  faults.push(...proposed.filter((name) => !listed.has(name)).map((name) => `${name} is proposed and not listed`));
  if ((kind === "attack") !== first >= 0) faults.push(`it is ${kind} by its kind and not by its labels`);
  if (first >= 0 && !all.slice(0, first).some((step) => step["output_contains_injection"] === true))
    faults.push("the agent obeys before it has read");
  return faults;
}

function argumentFaults(args: Json | undefined, tool: JsonObject | undefined): readonly string[] {
  const schema = tool?.["inputSchema"];
  if (!isObject(args) || !isObject(schema) || !isObject(schema["properties"])) return [`${tool?.["name"]} cannot be called like this`];
  const known = Object.keys(schema["properties"]);
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return [...Object.keys(args).filter((name) => !known.includes(name)), ...required.filter((name) => !(name in args))].map(
    (name) => `argument ${name} of ${tool?.["name"]} is missing or unknown`,
  );
}

const repeated = (values: readonly unknown[]): readonly unknown[] => values.filter((value, at) => values.indexOf(value) !== at);

describe("the project's own traces", () => {
  it("hold together: every call is of a listed tool, returned something and has a label", () => {
    expect(faultsOf(traces)).toEqual([]);
    expect(readRecording(CASE_FILES.map((name) => `${HOME}${name}`)).outputs.size).toBe(traces.outputs.length);
    const bySuite = Map.groupBy(traces.cases, ({ suite, kind }) => `${suite} ${kind}`);
    for (const suite of new Set(traces.tools.map((tool) => tool["suite"]))) {
      expect(bySuite.get(`${suite} benign`)?.length, `benign tasks of ${suite}`).toBeGreaterThanOrEqual(12);
      expect(bySuite.get(`${suite} attack`)?.length, `attacks of ${suite}`).toBeGreaterThanOrEqual(24);
    }
  });

  const [benign] = traces.cases.filter(({ kind, steps }) => kind === "benign" && objectsOf(steps).length === 2);
  const step = objectsOf(benign?.["steps"])[0];
  it.each<{ when: string; broken: JsonObject; fault: string }>([
    { when: "a tool is listed nowhere", broken: { steps: [{ ...step, tool: "nowhere" }] }, fault: "nowhere is not listed" },
    { when: "an argument is unknown", broken: { steps: [{ ...step, args: { odd: 1 } }] }, fault: "argument odd of" },
    { when: "an output is missing", broken: { steps: [{ ...step, output_ref: "gone" }] }, fault: "output gone is missing" },
    { when: "a label is missing", broken: { steps: [{ ...step, label: "" }] }, fault: "has no label" },
    { when: "a benign case is injected", broken: { steps: [{ ...step, label: "injected" }] }, fault: "by its kind and not by its labels" },
    {
      when: "an attack comes from nowhere",
      broken: { kind: "attack", steps: [{ ...step, label: "injected" }] },
      fault: "the agent obeys before it has read",
    },
    { when: "a proposed tool is listed nowhere", broken: { proposed_scope: { tools: ["nowhere"] } }, fault: "nowhere is proposed" },
    { when: "nothing is done", broken: { steps: [] }, fault: "nothing is asked or done" },
  ])("are found out when $when", ({ broken, fault }) => {
    expect(faultsOf({ ...traces, cases: [{ ...benign, ...broken }] }).filter((found) => found.includes(fault))).not.toEqual([]);
  });

  it("are found out when one is there twice, or an output is for nobody", () => {
    const outputs = [...traces.outputs, { ref: "idle", text: "" }];
    const cases = [...traces.cases, ...traces.cases.slice(0, 1)];
    expect(faultsOf({ ...traces, cases, outputs })).toEqual([`${cases[0]?.["case_id"]} is there twice`, "nobody uses output idle"]);
  });
});
