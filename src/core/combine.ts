import { type Asking, eligibleFor, unanswerable } from "./approvals/approvers.ts";
import { partiesOf } from "./approvals/parties.ts";
import { covers } from "./approvals/standing.ts";
import type { BuiltInHold } from "./built-in.ts";
import { type Evaluation, findingsOf, ruleAt } from "./evaluate.ts";
import { isWeak } from "./intent/grades.ts";
import { builtIn, outsideScope, remarks, type Violation } from "./invariants.ts";
import { mergeObligations, type Obligation } from "./obligations.ts";
import type { BasisAnswer, Settings } from "./policy.ts";
import { effectsNamed, type Situation } from "./situation.ts";
import { type Basis, type Finding, type Hold, type Instant, instant, type Outcome, type ReasonCode, type RiskLevel } from "./words.ts";

/** What was decided, and why. */
export interface Judgement {
  readonly outcome: Outcome;
  readonly basis: Basis;
  /** 0 to 100. */
  readonly score: number;
  readonly level: RiskLevel;
  /** Invariants first, then rules. */
  readonly findings: readonly Finding[];
  readonly reasonCodes: readonly ReasonCode[];
  /** Only with REQUIRE_APPROVAL. */
  readonly holds: readonly Hold[];
  /** What has to be done along with an ALLOW, and would have to be after an approval. Absent if nothing. */
  readonly obligations?: readonly Obligation[];
  /** The approval without which an ALLOW would have asked. */
  readonly approvedBy?: string;
  /** Only with ALLOW. */
  readonly validUntil?: Instant;
}

/** Invariants, then denials and the score, then the basis, then holds: the first that speaks decides (design.md §3). */
export function combine(situation: Situation, violations: readonly Violation[], evaluation: Evaluation): Judgement {
  const { settings } = situation.policy;
  const level = levelOf(evaluation.score, settings);
  const said = findingsOf(situation.policy, evaluation);
  const obliged = obligationsOf(situation, evaluation);
  const broken = "denial" in obliged ? [...violations, obliged.denial] : violations;
  const remarked = remarks(situation);
  const findings = broken.length + remarked.length === 0 ? said : [...broken.map(({ finding }) => finding), ...remarked, ...said];
  const scored = { score: evaluation.score, level, findings };

  const denials: ReasonCode[] = [...new Set(violations.map(({ code }) => code))];
  if (said.some(({ event }) => event === "deny")) denials.push("RULE_DENY");
  if (level === "top") denials.push("RISK_TOP");
  if ("denial" in obliged) denials.push(obliged.denial.code);
  if (denials.length > 0 || "denial" in obliged) return { ...scored, outcome: "DENY", basis: "NONE", reasonCodes: denials, holds: [] };

  const outside = outsideScope(situation) !== undefined;
  const basis = outside ? "AVAILABLE" : basisOf(situation);
  const answer = said.some(lifts) ? "allow" : strictest(effectsNamed(situation).map((effect) => settings.basis[basis][effect]));
  if (answer === "deny") return { ...scored, outcome: "DENY", basis: "NONE", reasonCodes: ["BASIS_DENIED"], holds: [] };

  const base = { ...scored, ...(obliged.obligations.length > 0 && { obligations: obliged.obligations }) };
  const reasonCodes: ReasonCode[] = [];
  const holds = holdsOfRules(situation, evaluation);
  if (outside) reasonCodes.push("OUTSIDE_SCOPE");
  if (holds.length > 0) reasonCodes.push("RULE_ASKS");
  if (outside) holds.push({ name: "behest:outside-scope", approvers: ["issuer"], quorum: 1 });
  if (level === "middle") {
    holds.push(defaultHold("behest:risk", settings));
    reasonCodes.push("RISK_MIDDLE");
  }
  if (answer === "ask") {
    holds.push(basisHold(situation));
    reasonCodes.push("BASIS_ASKS");
  }
  if (holds.length > 0) return askOrApproved(situation, { ...base, outcome: "REQUIRE_APPROVAL", basis, reasonCodes, holds });
  return { ...base, outcome: "ALLOW", basis, reasonCodes: [], holds: [], validUntil: validUntil(situation) };
}

/** What people were asked and have answered is allowed; what nobody can answer is denied. */
function askOrApproved(situation: Situation, asks: Judgement): Judgement {
  const { subject, policy } = situation;
  const { approval, refused, request } = subject;
  const asking = { parties: partiesOf(situation), settings: policy.settings };
  const impossible = whyNotAsked(situation, asks, asking);
  if (impossible) return deniedFor(asks, impossible);
  if (approval?.standing === "covers" && covers(asks, approval, asking)) {
    const until = instant(Math.min(validUntil(situation), approval.until - 1));
    return { ...asks, outcome: "ALLOW", basis: "AUTHORIZED", reasonCodes: [], holds: [], approvedBy: approval.id, validUntil: until };
  }
  if (refused?.kind === "flood") {
    const why = `approval \`${refused.id}\` was denied: agent \`${request.agent.id}\` may not have people asked for now`;
    return deniedFor(asks, violation("APPROVAL_DENIED", why));
  }
  const coversNothing = request.approvalId !== undefined && approval?.standing !== "pending";
  return coversNothing ? { ...asks, reasonCodes: [...asks.reasonCodes, "APPROVAL_NOT_APPLICABLE"] } : asks;
}

/** What nobody can see whole, and what too few can answer, is not asked. */
function whyNotAsked({ subject }: Situation, { holds }: Judgement, asking: Asking): Violation | undefined {
  if (subject.request.action.argumentsTruncated) {
    return violation("ARGUMENTS_TRUNCATED", "a person would have to be asked, and nobody can be shown arguments that are cut; send them whole");
  }
  const hold = unanswerable(holds, asking);
  if (!hold) return undefined;
  const { parties, settings } = asking;
  const left = eligibleFor(hold, parties, settings).length;
  const asked = hold.approvers.map((approver) => `\`${approver}\``).join(", ");
  const without = "without whoever asks, the agents of the chain, and the principal where the hold does not name it";
  return violation("NO_APPROVER", `hold \`${hold.name}\` asks ${hold.quorum} of ${asked}, and ${left} may answer ${without}`);
}

function deniedFor({ obligations: _, ...asks }: Judgement, { code, finding }: Violation): Judgement {
  return { ...asks, outcome: "DENY", basis: "NONE", findings: [finding, ...asks.findings], reasonCodes: [code], holds: [] };
}

/**
 * Down a chain that is all the task's own: inside what an initiator issued, people have said yes to it; inside what the words ask for, and addressed to nobody whom
 * only free text names, that may be inferred. Anything else is merely within reach.
 */
function basisOf({ subject, handedOn }: Situation): Exclude<Basis, "NONE"> {
  const { registered } = subject.task;
  if (!registered || handedOn.length > 0) return "AVAILABLE";
  if (registered.scopeKind === "issued") return "AUTHORIZED";
  const { scope, provenance } = subject.intent ?? { scope: "outside", provenance: {} };
  return scope === "inside" && !isWeak(provenance.destination ?? "none") ? "INFERRED" : "AVAILABLE";
}

const strictest = (answers: readonly BasisAnswer[]): BasisAnswer => (["deny", "ask"] as const).find((answer) => answers.includes(answer)) ?? "allow";

function levelOf(score: number, { bands }: Settings): RiskLevel {
  if (score >= bands.top) return "top";
  return score >= bands.middle ? "middle" : "low";
}

/** Only a rule that is known to match may speak for the caller. */
const lifts = (finding: Finding): boolean => finding.event === "allow" && finding.result === "matched";

function holdsOfRules(situation: Situation, evaluation: Evaluation): Hold[] {
  const { policy } = situation;
  const holds: Hold[] = [];
  for (const stand of evaluation.stands) {
    const rule = ruleAt(policy, stand);
    if (rule.event !== "require-approval") continue;
    const { approvers } = policy.settings;
    const { lifetime } = rule;
    holds.push({
      name: rule.name,
      approvers: rule.approvers ?? approvers.default,
      quorum: rule.quorum ?? approvers.quorum,
      ...(lifetime !== undefined && { lifetime }),
    });
  }
  return holds;
}

/** An obligation that stands, known or unknown, is attached; one that cannot be fulfilled makes the action impossible. */
function obligationsOf(
  { policy, subject }: Situation,
  { stands }: Evaluation,
): { readonly obligations: readonly Obligation[] } | { readonly denial: Violation } {
  const stated: Obligation[] = [];
  for (const stand of stands) {
    const { obligation } = ruleAt(policy, stand);
    if (obligation) stated.push(obligation);
  }
  if (stated.length === 0) return { obligations: stated };
  const obligations = mergeObligations(stated);
  if (!obligations) return { denial: violation("OBLIGATION_CONFLICT", "the rules oblige to more than any enforcement point is held to") };
  const supported = subject.request.supportedObligations ?? [];
  const missing = obligations.map(({ type }) => type).filter((type) => !supported.includes(type));
  if (missing.length === 0) return { obligations };
  const words = missing.map((type) => `\`${type}\``).join(", ");
  return { denial: violation("OBLIGATION_UNSUPPORTED", `the rules oblige to ${words}, which the request does not list as supported`) };
}

const violation = (code: Violation["code"], reason: string): Violation => ({ code, finding: builtIn(code, reason) });

const defaultHold = (name: BuiltInHold, { approvers }: Settings): Hold => ({ name, approvers: approvers.default, quorum: approvers.quorum });

/** Whether this is what was meant is for the person to say whose task it is; where nobody vouches for one, for the approvers. */
function basisHold(situation: Situation): Hold {
  const hold = defaultHold("behest:basis", situation.policy.settings);
  return partiesOf(situation).principal === undefined ? hold : { ...hold, approvers: ["principal"], quorum: 1 };
}

/** The earliest of the lifetimes that apply: the decision's; a registered task's, and that of its words; the idle time that this use begins anew. */
function validUntil({ policy, subject }: Situation): Instant {
  const { decision, selfAssertedIdle } = policy.settings.lifetimes;
  const { registered } = subject.task;
  // At the very instant at which a task expires it has expired.
  if (registered) return instant(Math.min(subject.at + decision, registered.until - 1));
  return instant(subject.at + Math.min(decision, selfAssertedIdle));
}
