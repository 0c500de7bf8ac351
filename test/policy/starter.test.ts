import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readRequestJson } from "../../src/client/request-json.ts";
import { STARTER_RULES } from "../../src/config.ts";
import { fromWire } from "../../src/endpoints/grpc/convert.ts";
import { type Case, disagreements, judgeCase, readCases } from "../../src/policy/cases.ts";
import { type Complaint, formatComplaint } from "../../src/policy/complaints.ts";
import { readDocument } from "../../src/policy/document.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { REQUEST_LIMITS } from "../request-limits.ts";

const { policy, warnings } = loadPolicy(STARTER_RULES);

function casesIn(file: string): readonly Case[] {
  const complaints: Complaint[] = [];
  const document = readDocument(file, readFileSync(`${STARTER_RULES}/${file}`, "utf8"), complaints);
  const cases = document ? readCases(document) : [];
  if (complaints.length > 0) throw new Error(complaints.map(formatComplaint).join("\n"));
  return cases;
}

const files = readdirSync(STARTER_RULES).filter((name) => name.endsWith(".cases.json"));
const all = files.flatMap(casesIn);

describe("the starter policy", () => {
  it("has no warning", () => {
    expect(warnings.map(formatComplaint)).toEqual([]);
  });

  it("has 25 rules or more, each with points or an event that decides, a reason and controls", () => {
    expect(policy.rules.length).toBeGreaterThanOrEqual(25);
    for (const { name, reason, controls } of policy.rules) {
      expect({ name, reason, controls: controls.length }).toEqual({ name, reason: expect.stringMatching(/\w+ \w+/), controls: expect.any(Number) });
      expect(controls.length, name).toBeGreaterThan(0);
    }
  });

  it.each(policy.rules.map(({ name }) => name))("rule %s has a case that makes it fire and one that does not", (name) => {
    expect(all.some((one) => one.expect.fires?.includes(name))).toBe(true);
    expect(all.some((one) => one.expect.silent?.includes(name))).toBe(true);
  });

  it("names only rules that there are in its cases", () => {
    const names = new Set(policy.rules.map(({ name }) => name));
    const mentioned = all.flatMap((one) => [...(one.expect.fires ?? []), ...(one.expect.silent ?? [])]);
    expect(mentioned.filter((name) => !names.has(name) && !name.startsWith("behest:"))).toEqual([]);
  });
});

describe.each(files)("%s", (file) => {
  it.each(casesIn(file).map((one) => [one.name, one] as const))("%s", (_, one) => {
    const { request } = fromWire(readRequestJson(one.request), REQUEST_LIMITS);
    expect(disagreements(one, judgeCase(policy, one, request))).toEqual([]);
  });
});
