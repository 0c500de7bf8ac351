/** What a kind of complaint is about, declared once: its page in `docs/lint/` is written from this, and its examples are tested. */
export interface ComplaintKind {
  readonly severity: "error" | "warning";
  /** What has happened, in one line. */
  readonly title: string;
  /** Why it matters and what to do, in Markdown. */
  readonly explanation: string;
  /** Brings about this complaint and no other. */
  readonly wrong: Example;
  /** Brings about none. */
  readonly right: Example;
}

/**
 * Files of a rules directory by their path in it, over the starter's policy.json and nothing else. `null` leaves a file out; a path that ends in
 * `/` is a directory.
 */
export type Example = Readonly<Record<string, string | null>>;

type Told = Omit<ComplaintKind, "severity">;

export const error = (told: Told) => ({ severity: "error", ...told }) as const;
export const warning = (told: Told) => ({ severity: "warning", ...told }) as const;

export const DENY = `{ "type": "deny", "params": { "reason": "nobody may", "controls": ["owasp:ASI02"] } }`;
export const ASK = `{ "type": "require-approval", "params": { "reason": "somebody looks", "controls": ["owasp:ASI02"] } }`;

/** A condition that nothing is to be said of. */
export const HARMLESS = `{ "fact": "action.tool", "operator": "equal", "value": "send_money" }`;

/** One rule as its author writes it. */
export const rule = (conditions: string, event = DENY, name = "a-rule"): string => `    {
      "name": "${name}",
      "conditions": ${conditions},
      "event": ${event}
    }`;

/** A rule file of these rules. */
export const ruleFile = (...rules: readonly string[]): Example => ({ "example.rules.json": `{\n  "rules": [\n${rules.join(",\n")}\n  ]\n}\n` });

/** A rule file of one rule that denies under one condition. */
export const denying = (condition: string): Example => ruleFile(rule(`{ "all": [${condition}] }`));

/** A rule file with named conditions, and one rule. */
export const withConditions = (conditions: string, used: string): Example => ({
  "example.rules.json": `{\n  "conditions": ${conditions},\n  "rules": [\n${rule(`{ "all": [${used}] }`)}\n  ]\n}\n`,
});

/** The starter's policy.json with these lines in place of its own. */
export const settings = (replaced: Readonly<Record<string, string>>): Example => {
  const lines = Object.entries({ ...SETTINGS, ...replaced }).map(([key, value]) => `  "${key}": ${value}`);
  return { "policy.json": `{\n${lines.join(",\n")}\n}\n` };
};

const SETTINGS = {
  classification: `{ "order": ["public", "internal", "confidential", "restricted"], "default": "internal" }`,
  environment: `{ "default": "production" }`,
  bands: `{ "middle": 40, "top": 80 }`,
  basis: `{ "AUTHORIZED": { "*": "allow" }, "INFERRED": { "*": "allow" }, "AVAILABLE": { "read": "allow", "*": "ask" } }`,
  reach: `{ "default": { "tools": ["*"], "effects": ["read"], "resources": ["*"], "max_classification": "internal" } }`,
  approvers: `{ "default": ["group:approvers"], "quorum": 1 }`,
  groups: `{ "approvers": ["user:local"] }`,
  lifetimes: `{ "decision": "60s", "self_asserted_idle": "1h", "approval": "1h" }`,
  windows: `{ "memory": "24h", "report_within": "10m", "idempotency": "1h" }`,
} as const;
