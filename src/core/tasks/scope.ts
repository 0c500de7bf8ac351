import { globCovers } from "../globs.ts";
import { EFFECTS, type Effect } from "../words.ts";

/** What a registered task may be used for. A list that is unset restricts nothing, one that is empty allows nothing; only reach grants. */
export interface Scope {
  /** Globs of tool names. */
  readonly tools?: readonly string[];
  readonly effects?: readonly Effect[];
  /** Globs of resources. */
  readonly resources?: readonly string[];
  readonly maxClassification?: string;
  /** How many calls may be allowed, by effect; an effect that is not named is not counted. */
  readonly maxCalls?: CallCounts;
  /** How much may be moved, by currency, in its smallest unit; a currency that is not named may not be moved at all. */
  readonly maxAmounts?: Amounts;
  /** Globs of the agents to which the task may be handed on. */
  readonly delegates?: readonly string[];
  /** How many times the task may be handed on, one below the other. */
  readonly maxDepth?: number;
}

export type CallCounts = Readonly<Partial<Record<Effect, number>>>;
export type Amounts = Readonly<Record<string, number>>;

/** One part of a scope that asks for more than its parent has. */
export interface TooWide {
  readonly part: keyof Scope;
  /** What was asked for, as it was asked for: a glob, an effect, `pay: 5`, `EUR: 10000`. */
  readonly asked: string;
  /** What the parent has of it. */
  readonly allowed: string;
}

/** What a handed-on scope is measured by. */
export interface ScopeOrder {
  readonly parent: Scope;
  /** The policy's classifications, lowest first. */
  readonly classifications: readonly string[];
}

export interface Fitted {
  /** Every part of it lies within the parent's. */
  readonly scope: Scope;
  /** What had to be trimmed for that. */
  readonly tooWide: readonly TooWide[];
}

/**
 * Fits a scope into its parent's. What it leaves unset it has from the parent; what is wider is trimmed, and told. A glob counts as within
 * the parent's only where one of them covers all of it, so what is trimmed may be less than the two have in common, and is never more.
 */
export function fitScope(asked: Scope, { parent, classifications }: ScopeOrder): Fitted {
  const tooWide: TooWide[] = [];
  const fitting: Fitting = { asked, parent, tell: (part, is, allowed) => void tooWide.push({ part, asked: is, allowed }) };
  const scope = stated({
    tools: fitGlobs("tools", fitting),
    effects: fitEffects(fitting),
    resources: fitGlobs("resources", fitting),
    maxClassification: fitClassification(fitting, classifications),
    maxCalls: fitCalls(fitting),
    maxAmounts: fitAmounts(fitting),
    delegates: fitGlobs("delegates", fitting),
    maxDepth: fitDepth(fitting),
  });
  return { scope, tooWide };
}

interface Fitting {
  readonly asked: Scope;
  readonly parent: Scope;
  readonly tell: (part: keyof Scope, asked: string, allowed: string) => void;
}

/** Without the parts that are not set, so that a scope reads the same however it came about. */
export function stated(scope: { readonly [K in keyof Scope]: Scope[K] | undefined }): Scope {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(scope)) if (value !== undefined) kept[key] = value;
  return kept as Scope;
}

function fitGlobs(part: "tools" | "resources" | "delegates", { asked, parent, tell }: Fitting): readonly string[] | undefined {
  const [wanted, allowed] = [asked[part], parent[part]];
  if (!wanted) return allowed;
  if (!allowed) return wanted;
  // An action that names no resource, or one in an obscured spelling, lies in `*` and in no other glob: `**` covers less.
  const covers = part === "resources" ? (wider: string, glob: string) => wider === "*" || (glob !== "*" && globCovers(wider, glob)) : globCovers;
  const fitted = wanted.flatMap((glob) => {
    if (allowed.some((wider) => covers(wider, glob))) return [glob];
    tell(part, glob, inWords(allowed));
    return allowed.filter((narrower) => covers(glob, narrower));
  });
  return [...new Set(fitted)];
}

function fitEffects({ asked, parent, tell }: Fitting): readonly Effect[] | undefined {
  const { effects: wanted } = asked;
  const { effects: allowed } = parent;
  if (!wanted) return allowed;
  if (!allowed) return wanted;
  return wanted.filter((effect) => {
    if (allowed.includes(effect)) return true;
    tell("effects", effect, inWords(allowed));
    return false;
  });
}

function fitClassification({ asked, parent, tell }: Fitting, classifications: readonly string[]): string | undefined {
  const [wanted, allowed] = [asked.maxClassification, parent.maxClassification];
  if (wanted === undefined || allowed === undefined) return wanted ?? allowed;
  if (classifications.indexOf(wanted) <= classifications.indexOf(allowed)) return wanted;
  tell("maxClassification", wanted, allowed);
  return allowed;
}

function fitCalls({ asked, parent, tell }: Fitting): CallCounts | undefined {
  if (!asked.maxCalls || !parent.maxCalls) return asked.maxCalls ?? parent.maxCalls;
  const fitted: Partial<Record<Effect, number>> = {};
  for (const effect of EFFECTS) {
    const [wanted, allowed] = [asked.maxCalls[effect], parent.maxCalls[effect]];
    if (wanted !== undefined && allowed !== undefined && wanted > allowed) tell("maxCalls", `${effect}: ${wanted}`, `${effect}: ${allowed}`);
    const least = Math.min(wanted ?? Number.POSITIVE_INFINITY, allowed ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(least)) fitted[effect] = least;
  }
  return fitted;
}

function fitAmounts({ asked, parent, tell }: Fitting): Amounts | undefined {
  const { maxAmounts: wanted } = asked;
  const { maxAmounts: allowed } = parent;
  if (!wanted || !allowed) return wanted ?? allowed;
  const fitted: Record<string, number> = {};
  for (const [currency, amount] of Object.entries(wanted)) {
    const most = Object.hasOwn(allowed, currency) ? (allowed[currency] ?? 0) : 0;
    if (amount > most) tell("maxAmounts", `${currency}: ${amount}`, `${currency}: ${most}`);
    fitted[currency] = Math.min(amount, most);
  }
  return fitted;
}

function fitDepth({ asked, parent, tell }: Fitting): number | undefined {
  if (parent.maxDepth === undefined) return asked.maxDepth;
  const below = Math.max(0, parent.maxDepth - 1);
  if (asked.maxDepth === undefined || asked.maxDepth <= below) return asked.maxDepth ?? below;
  tell("maxDepth", String(asked.maxDepth), String(below));
  return below;
}

const SHOWN_MAX = 5;

/** A list as it is shown: few of it, `nothing` if it is empty. */
export function inWords(list: readonly string[]): string {
  if (list.length === 0) return "nothing";
  return `${list.slice(0, SHOWN_MAX).join(", ")}${list.length > SHOWN_MAX ? ", …" : ""}`;
}

/** Where a cap stands: one that the policy's order does not list allows nothing, whereas data that it does not list counts as the highest. */
export const capRank = (scope: Scope, classifications: readonly string[]): number =>
  scope.maxClassification === undefined ? classifications.length - 1 : classifications.indexOf(scope.maxClassification);
