import { matchesAnyGlob } from "./globs.ts";
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
      const globs = scope.resources;
      const stray = resources.find((resource) => !matchesAnyGlob(globs, resource));
      if (stray !== undefined) add(`the resource \`${stray}\``, scope.resources);
    }
  }
  const { delegates, maxDepth } = scope;
  const stranger = delegates && handedOn.find((agent) => !matchesAnyGlob(delegates, agent));
  if (stranger !== undefined) add(`handing the task on to \`${stranger}\``, delegates ?? []);
  if (maxDepth !== undefined && handedOn.length > maxDepth) outside.push(`handing the task on ${handedOn.length} times (in scope: ${maxDepth})`);
  return outside.length === 0 ? undefined : outside.join(", ");
}
