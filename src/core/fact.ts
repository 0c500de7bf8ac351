import type { Known } from "./json.ts";
import type { Situation } from "./situation.ts";

export const FACT_TYPES = ["string", "integer", "boolean", "list", "map"] as const;
export type FactType = (typeof FACT_TYPES)[number];

/** Who can bring a fact's value about, strongest first. A derived fact has the weakest influence of its inputs. */
export const INFLUENCES = ["policy", "verified", "initiator", "enforcer", "reported", "caller", "agent"] as const;
export type Influence = (typeof INFLUENCES)[number];

/** Facts that may speak for the caller: in `allow` rules and for negative points. */
export const mayHelp = (influence: Influence): boolean => INFLUENCES.indexOf(influence) <= INFLUENCES.indexOf("enforcer");

/** Which way a fact gets worse. Values of one tier are not comparable. */
export type Worsening =
  | { readonly by: "tiers"; readonly tiers: readonly (readonly string[])[] }
  | { readonly by: "classification" }
  | { readonly by: "rising" }
  | { readonly by: "growing" }
  | { readonly by: "becoming"; readonly value: boolean };

export interface FactDeclaration {
  readonly meaning: string;
  readonly type: FactType;
  /** A total fact always has a value; an absent partial one makes a condition unknown. */
  readonly total: boolean;
  readonly influence: Influence;
  /** Every value it can have, where that is a closed list. */
  readonly values?: readonly string[];
  readonly worsening?: Worsening;
  readonly example: Known;
  readonly read: (situation: Situation) => Known;
}

type Options = Partial<Pick<FactDeclaration, "values" | "worsening">>;

type Described = Pick<FactDeclaration, "meaning" | "example" | "read">;

export const total = (type: Exclude<FactType, "map">, influence: Influence, described: Described & Options): FactDeclaration => ({
  type,
  total: true,
  influence,
  ...described,
});

/** Absent where nobody said it. */
export const partial = (type: Exclude<FactType, "map">, influence: Influence, described: Described & Options): FactDeclaration => ({
  ...total(type, influence, described),
  total: false,
});

export const map = (influence: Influence, described: Described): FactDeclaration => ({ type: "map", total: false, influence, ...described });

export const ranked = (values: readonly string[]): Options => ({
  values,
  worsening: { by: "tiers", tiers: values.map((value) => [value]) },
});
export const rising: Options = { worsening: { by: "rising" } };
export const growing: Options = { worsening: { by: "growing" } };
export const worseWhen = (value: boolean): Options => ({ worsening: { by: "becoming", value } });
