import { readFileSync } from "node:fs";
import { gatherWith, type Reading } from "../src/core/gather.ts";
import type { Known } from "../src/core/json.ts";
import type { Policy } from "../src/core/policy.ts";
import { PolicyInvalid } from "../src/policy/complaints.ts";
import { compilePolicy, type LoadedPolicy } from "../src/policy/load.ts";

/** The starter's policy.json, as data to change. */
export const starterSettings = (): Record<string, unknown> => JSON.parse(readFileSync(new URL("../rules/policy.json", import.meta.url), "utf8"));

export interface PolicyParts {
  readonly settings?: object;
  readonly rules?: readonly object[];
  readonly conditions?: object;
  readonly tools?: object;
  readonly resources?: readonly object[];
  readonly agents?: object;
}

/** The files of a policy made of these parts; what is left out is empty, settings are the starter's with these keys replaced. */
export function filesOf({ settings = {}, rules = [], conditions, tools = {}, resources = [], agents = {} }: PolicyParts): Record<string, string> {
  return {
    "policy.json": JSON.stringify({ ...starterSettings(), ...settings }),
    "test.rules.json": JSON.stringify({ ...(conditions && { conditions }), rules }),
    "catalog/test.json": JSON.stringify({ tools, resources }),
    "agents.json": JSON.stringify({ agents }),
  };
}

export const load = (parts: PolicyParts): LoadedPolicy => compilePolicy(filesOf(parts));
export const policyOf = (parts: PolicyParts): Policy => load(parts).policy;

/** All that rules would see of these values, by the policy's slots. */
export const readingOf = (policy: Policy, values: readonly Known[]): Reading => gatherWith(policy, (_, at) => values[at]);

/** A reach that grants everything. */
export const FULL_REACH = {
  tools: ["*"],
  effects: ["*", "unknown"],
  resources: ["*"],
  max_classification: "restricted",
};

/** The messages of every complaint about a policy. */
export function complaintsOf(run: () => unknown): readonly string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof PolicyInvalid) return error.complaints.map(({ message }) => message);
    throw error;
  }
}
