import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { disguised } from "../../bench/disguise.ts";
import { paraphrased } from "../../bench/paraphrases.ts";
import { readRecording } from "../../bench/trace-sets.ts";
import { temporaryDirectory } from "../running-server.ts";
import { CASES, record, TOOLS } from "./recorded.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

describe("a disguise", () => {
  const recording = readRecording([record(join(home.path, "traces"), CASES)]);
  const opaque = disguised(recording, { names: "opaque" });

  it("calls tools and arguments the same everywhere, by names that say nothing", () => {
    const [set] = opaque.sets;
    expect(set?.tools[1]).toEqual({
      name: "t2",
      description: TOOLS[1]?.description,
      inputSchema: {
        type: "object",
        properties: {
          a2: { type: "string", description: "The email address of the recipient." },
          a3: { type: "string", description: "The text of the notice." },
        },
        required: ["a2", "a3"],
      },
    });
    expect(set?.cases[1]).toMatchObject({
      proposedTools: ["t1"],
      steps: [
        { tool: "t1", argumentsJson: '{"a1":"north"}', outputRef: "berths" },
        { tool: "t2", argumentsJson: '{"a2":"eve@pirates.example","a3":"Moved"}' },
        { tool: "t2", argumentsJson: "no object" },
      ],
    });
    const told = JSON.stringify(opaque.sets.map(({ tools, cases }) => [tools, cases.map(({ steps, proposedTools }) => [steps, proposedTools])]));
    for (const name of ['list_berths"', "send_notice", "berth_desk", 'quay"', 'recipient"'])
      expect(told.replaceAll(/"enum":\[[^\]]*\]/g, "")).not.toContain(name);
  });

  it("keeps an argument that is called as a keyword of a schema", () => {
    const { inputSchema } = TOOLS[3] ?? {};
    const tools = [{ name: "get_tide", inputSchema: JSON.parse(JSON.stringify(inputSchema)) }];
    const [set] = disguised({ sets: [{ suite: "islands", cases: [], tools }], outputs: new Map() }, { names: "opaque" }).sets;
    expect(set?.tools[0]).toEqual({
      name: "t1",
      inputSchema: { type: "object", properties: { a1: { type: "string", description: "Where." } }, required: ["a1"] },
    });
  });

  it("leaves everything as it is unless asked", () => {
    expect(disguised(recording, {})).toEqual(recording);
  });

  it("says descriptions in other words, those of arguments as well", () => {
    const [set] = disguised(recording, { descriptions: "paraphrased" }).sets;
    expect(set?.tools[1]).toMatchObject({
      name: "send_notice",
      description: "Dispatches a notice to an addressee.",
      inputSchema: { properties: { recipient: { title: "Words", description: "The mail address of the addressee." } } },
    });
  });

  it.each([
    ["Send files, then DELETE the folder.", "Dispatch documents, then GET RID OF the directory."],
    ["An event of a user", "A happening of a person"],
    ["Gets `file` by\n:param file: the file", "Obtains `file` by\n:param file: the document"],
    ["profiles, e-mail-sender and resend", "profiles, e-mail-sender and resend"],
  ])("says %j as %j", (before, after) => {
    expect(paraphrased(before, "paraphrased")).toBe(after);
  });
});
