import { matcherOf, matchesAnyGlob } from "./globs.ts";
import { effectsNamed, type Situation } from "./situation.ts";
import { inWords, type Scope } from "./tasks/scope.ts";

/** Why an action lies outside a scope; undefined when it is inside. Classification and budgets are looked at for themselves. */
export function whyOutsideScope(situation: Situation, scope: Scope, handedOn: readonly string[]): string | undefined {
  const { resources, resourceObscured, subject } = situation;
  const { tool } = subject.request.action;
  const outside: string[] = [];
  const add = (what: string, granted: readonly string[]): void => void outside.push(`${what} (in scope: ${inWords(granted)})`);
  if (scope.tools && !matchesAnyGlob(scope.tools, tool)) add(`the tool \`${tool}\``, scope.tools);
  const { effects } = scope;
  const strayEffect = effects && effectsNamed(situation).find((effect) => !effects.includes(effect));
  if (strayEffect !== undefined) add(`the effect \`${strayEffect}\``, effects ?? []);
  if (scope.resources && !scope.resources.includes("*")) {
    if (resources.length === 0 || resourceObscured) {
      add(resources.length === 0 ? "an action that names no resource" : "a resource in an obscured spelling", scope.resources);
    } else {
      const stray = strayOf(resources, scope.resources);
      if (stray !== undefined) add(`the resource \`${stray}\``, scope.resources);
    }
  }
  const { delegates, maxDepth } = scope;
  const stranger = delegates && handedOn.find((agent) => !matchesAnyGlob(delegates, agent));
  if (stranger !== undefined) add(`handing the task on to \`${stranger}\``, delegates ?? []);
  if (maxDepth !== undefined && handedOn.length > maxDepth) outside.push(`handing the task on ${handedOn.length} times (in scope: ${maxDepth})`);
  return outside.length === 0 ? undefined : outside.join(", ");
}

/** Characters of resources, times stars of patterns: how much one decision may compare while all others wait for it. */
const COMPARED_MAX = 8 * 1024 * 1024;

/** The first resource that no pattern matches; where there is more to compare than may be, the first one that was not looked at. */
function strayOf(resources: readonly string[], globs: readonly string[]): string | undefined {
  const matches = matcherOf(globs);
  const stars = globs.join("/").split("*").length - 1;
  let left = COMPARED_MAX;
  return resources.find((resource) => {
    left -= resource.length * stars;
    return left < 0 || !matches(resource);
  });
}
