/** Frameworks whose controls Behest knows, so that a mistyped one is noticed. Others are declared by `controls` of policy.json. */
export const FRAMEWORKS: Readonly<Record<string, readonly string[]>> = {
  /** OWASP Top 10 for Agentic Applications 2026, and for LLM Applications 2025. */
  owasp: [...numbered("ASI", 10), ...numbered("LLM", 10)],
  /** Cloud Security Alliance, MAESTRO: its seven layers. */
  maestro: Array.from({ length: 7 }, (_, at) => `L${at + 1}`),
  /** NIST AI 100-1, the subcategories of its four functions. */
  nist: [
    ...subcategories("GOVERN", [7, 3, 2, 3, 2, 2]),
    ...subcategories("MAP", [6, 3, 5, 2, 2]),
    ...subcategories("MEASURE", [3, 13, 3, 3]),
    ...subcategories("MANAGE", [4, 4, 2, 3]),
  ],
};

export const KNOWN_CONTROLS: readonly string[] = Object.entries(FRAMEWORKS).flatMap(([framework, ids]) => ids.map((id) => `${framework}:${id}`));

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${String(at + 1).padStart(2, "0")}`);
}

/** `counts[i]` subcategories of category i + 1. */
function subcategories(name: string, counts: readonly number[]): readonly string[] {
  return counts.flatMap((count, category) => Array.from({ length: count }, (_, at) => `${name}-${category + 1}.${at + 1}`));
}
