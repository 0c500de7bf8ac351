import type { FactDeclaration, Influence, Worsening } from "../core/fact.ts";

/** Facts in words: the same in the docs, in an editor and on a terminal. */
export function worseningInWords(worsening: Worsening | undefined): string {
  switch (worsening?.by) {
    case "tiers":
      return worsening.tiers.map((tier) => (tier.length > 3 ? "any other" : tier.map((value) => `\`${value}\``).join(" "))).join(" → ");
    case "classification":
      return "as `classification.order` of policy.json";
    case "rising":
      return "as it rises";
    case "growing":
      return "as it grows";
    case "becoming":
      return `when \`${worsening.value}\``;
    case undefined:
      return "";
  }
}

export const typeInWords = ({ type }: FactDeclaration): string => (type === "map" ? "open map" : type);

export const presenceInWords = ({ total }: FactDeclaration): string => (total ? "total" : "partial");

export const INFLUENCE_MEANINGS: Readonly<Record<Influence, string>> = {
  policy: "the policy alone",
  verified: "proven by a credential",
  initiator: "who opened the task",
  enforcer: "the enforcement point's question itself: to lie is to get an answer to another one",
  reported: "what was reported of earlier actions, or said by a scorer",
  caller: "what the caller says beside its question",
  agent: "what comes from the agent's side",
};

/** All that is declared of a fact, in one paragraph. */
export function factInWords(fact: FactDeclaration): string {
  const worse = worseningInWords(fact.worsening);
  return [
    fact.meaning,
    `${typeInWords(fact)}, ${presenceInWords(fact)}, influenced by \`${fact.influence}\`${worse === "" ? "" : `; worse ${worse}`}`,
    `example: \`${JSON.stringify(fact.example)}\``,
  ].join("\n\n");
}
