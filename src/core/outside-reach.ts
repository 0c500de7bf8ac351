import type { Reach } from "./policy.ts";
import { effectsNamed, type Situation } from "./situation.ts";

/** How much of a reach a denial tells. */
const GRANTED_MAX = 3;
const GLOB_MAX = 60;

/** Why an action is outside one agent's reach, what that is and where it is set; undefined when it is inside. */
export function whyOutsideReach(situation: Situation, agentId: string, reach: Reach): string | undefined {
  const { policy, resources, resourceObscured, subject } = situation;
  const { tool } = subject.request.action;
  const outside: string[] = [];
  const add = (what: string, granted: Iterable<string>): void => void outside.push(`${what} (granted: ${fewOf([...granted])})`);
  if (!reach.tools(tool)) add(`the tool \`${tool}\``, reach.stated.tools);
  const strayEffect = effectsNamed(situation).find((effect) => !reach.effects.has(effect));
  if (strayEffect !== undefined) add(`the effect \`${strayEffect}\``, reach.effects);
  if (!reach.anyResource && (resources.length === 0 || resourceObscured)) {
    add(resources.length === 0 ? "an action that names no resource" : "a resource in an obscured spelling", reach.stated.resources);
  } else {
    const stray = resources.find((resource) => !reach.resources(resource));
    if (stray !== undefined) add(`the resource \`${stray}\``, reach.stated.resources);
  }
  if (outside.length === 0) return undefined;
  const unlisted = situation.tool ? "" : `; tool \`${tool}\` is not in the catalog, so its effect is \`unknown\``;
  const source = policy.agents.has(agentId)
    ? "agents.json says what is granted"
    : `agent \`${agentId}\` is not in agents.json, so \`reach.default\` of policy.json says what is granted`;
  return `outside the reach of agent \`${agentId}\`: ${outside.join(", ")}${unlisted}; ${source}`;
}

function fewOf(granted: readonly string[]): string {
  if (granted.length === 0) return "nothing";
  const few = granted.slice(0, GRANTED_MAX).map((glob) => `\`${glob.length > GLOB_MAX ? `${glob.slice(0, GLOB_MAX)}…` : glob}\``);
  return [...few, ...(granted.length > GRANTED_MAX ? ["…"] : [])].join(", ");
}
