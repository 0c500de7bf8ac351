import type { Scope } from "../../src/core/tasks/scope.ts";

/** How a scope that is handed on is fitted into its parent's, part by part; a part of the specification of trees. */
export const SCOPE_LAWS = {
  /** What is left unset is the parent's. */
  inherits: <T>(asked: T | undefined, parent: T | undefined): T | undefined => asked ?? parent,
  least: (asked: number, parent: number): number => Math.min(asked, parent),
  /** How deep it may go on is one less than the parent's. */
  depthBelow: (maxDepth: number): number => Math.max(0, maxDepth - 1),
};
export type ScopeLaws = typeof SCOPE_LAWS;

export interface Fitting {
  readonly parent: Scope;
  /** Classifications, lowest first. */
  readonly order: readonly string[];
  readonly coversGlob: (wide: string, narrow: string) => boolean;
  readonly laws?: ScopeLaws;
}

const sorted = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();

/** A part that is wider than the parent's is told, and trimmed to what the parent has of it. */
export function fitted(
  asked: Scope,
  { parent, order, coversGlob, laws = SCOPE_LAWS }: Fitting,
): { readonly scope: Scope; readonly wide: readonly string[] } {
  const wide: string[] = [];
  const within = <T>(part: string, is: boolean, value: T, trimmed: T): T => {
    if (!is) wide.push(`scope.${part}`);
    return is ? value : trimmed;
  };
  // What names no resource lies in `*` alone.
  const covers = (part: string, wide: string, narrow: string): boolean =>
    part === "resources" && narrow === "*" ? wide === "*" : coversGlob(wide, narrow);
  const list = (part: string, wanted: readonly string[] | undefined, has: readonly string[] | undefined): readonly string[] | undefined => {
    if (!wanted || !has) return laws.inherits(wanted, has);
    return [
      ...new Set(
        wanted.flatMap((one) =>
          within(
            part,
            has.some((wider) => covers(part, wider, one)),
            [one],
            has.filter((other) => covers(part, one, other)),
          ),
        ),
      ),
    ];
  };
  const caps = (
    part: string,
    wanted: Readonly<Record<string, number>> | undefined,
    has: Readonly<Record<string, number>> | undefined,
    unnamed: number,
  ) => {
    if (!wanted || !has) return laws.inherits(wanted, has);
    const names = unnamed === 0 ? Object.keys(wanted) : sorted([...Object.keys(wanted), ...Object.keys(has)]);
    return Object.fromEntries(
      names.map((name) => {
        const [mine, most] = [wanted[name] ?? Number.POSITIVE_INFINITY, has[name] ?? unnamed];
        return [name, within(part, wanted[name] === undefined || mine <= most, laws.least(mine, most), laws.least(mine, most))];
      }),
    );
  };
  const rank = (word: string): number => order.indexOf(word);
  const [cap, above] = [asked.maxClassification, parent.maxClassification];
  const below = parent.maxDepth === undefined ? undefined : laws.depthBelow(parent.maxDepth);
  const scope = {
    tools: list("tools", asked.tools, parent.tools),
    effects: list("effects", asked.effects, parent.effects),
    resources: list("resources", asked.resources, parent.resources),
    maxClassification:
      cap === undefined || above === undefined ? laws.inherits(cap, above) : within("max_classification", rank(cap) <= rank(above), cap, above),
    maxCalls: caps("max_calls", asked.maxCalls, parent.maxCalls, Number.POSITIVE_INFINITY),
    maxAmounts: caps("max_amounts", asked.maxAmounts, parent.maxAmounts, 0),
    delegates: list("delegates", asked.delegates, parent.delegates),
    maxDepth:
      asked.maxDepth === undefined || below === undefined
        ? (asked.maxDepth ?? below)
        : within("max_depth", asked.maxDepth <= below, asked.maxDepth, below),
  };
  return { scope: Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined)), wide };
}
