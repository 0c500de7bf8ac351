/** What a kind of complaint is about, declared once: its page in `docs/lint/` is written from this. */
export interface ComplaintKind {
  readonly severity: "error" | "warning";
  /** What has happened, in one line. */
  readonly title: string;
}

const error = (title: string) => ({ severity: "error", title }) as const;
const warning = (title: string) => ({ severity: "warning", title }) as const;

/** Every complaint there is about a rules directory, by its id. An error refuses the policy; a warning does not. */
export const KINDS = {
  "missing-file": error("a file that every policy has is missing"),
  "unreadable-file": error("a file or directory cannot be read"),
  "stray-file": error("a file stands where Behest reads nothing of its kind"),
  "not-json": error("a file is not JSON"),
  "too-big": error("a file, a rule or a policy is beyond a limit"),
  "loses-precision": error("a number cannot be kept exactly"),
  "lone-surrogate": error("a string is not valid Unicode"),
  "duplicate-key": error("a key stands twice in one object"),
  "forbidden-key": error("a key has a meaning of its own in JavaScript"),
  "wrong-type": error("a value has another type than is read there"),
  "wrong-value": error("a value is not one of those that are read there"),
  "unknown-key": error("a key is not read there"),
  "missing-key": error("a key that has to be there is missing"),
  "duplicate-name": error("a name stands for two things"),
  "unknown-approver": error("a name can approve nothing"),
  "inconsistent-settings": error("two settings contradict each other"),
  "tool-effect": error("a tool states both or neither of effect and operations"),
  "empty-label": error("a label labels nothing"),
  "condition-incomplete": error("a condition lacks a part"),
  "ambiguous-condition": error("a condition can be read in two ways"),
  "empty-condition": error("a list of conditions is empty"),
  "unknown-condition": error("a named condition does not exist"),
  "self-reference": error("a named condition refers to itself"),
  "unknown-fact": error("a fact does not exist"),
  "fact-path": error("a path is not served"),
  "fact-parameters": error("a fact is given parameters"),
  "unknown-operator": error("an operator does not exist"),
  undecidable: error("a comparison can never be decided"),
  "impossible-value": error("a fact never has the value it is compared with"),
  "event-misuse": error("an event has parameters that it cannot have, or lacks one that it must have"),
  "influenced-help": error("a rule helps the caller by what the caller or the agent can bring about"),
  "softens-as-it-worsens": warning("a rule helps more as a fact gets worse"),
  "unknown-fixture": error("a case uses a fixture that does not exist"),
  "unreadable-request": error("the request of a case is none that a server would read"),
  "unused-condition": warning("no rule uses a named condition"),
  "priority-of-rule": warning("a rule has a priority, which changes no outcome"),
  "priority-of-condition": warning("a condition has a priority, which changes nothing"),
} as const satisfies Readonly<Record<string, ComplaintKind>>;

export type ComplaintId = keyof typeof KINDS;
type WithSeverity<S extends ComplaintKind["severity"]> = { [K in ComplaintId]: (typeof KINDS)[K]["severity"] extends S ? K : never }[ComplaintId];
export type ErrorId = WithSeverity<"error">;
export type WarningId = WithSeverity<"warning">;
