import type { Subject } from "../../src/core/situation.ts";
import { agentsOf } from "./registered-specification.ts";
import type { Laws, PolicyJson } from "./specification.ts";

/** Who is asked, and whether they have said yes, as the issue of approvals tells it; naive on purpose, a part of the specification. */

export interface HoldModel {
  readonly name: string;
  readonly approvers: readonly string[];
  readonly quorum: number;
  readonly lifetime?: number;
}

type Approval = Extract<NonNullable<Subject["approval"]>, { standing: "covers" }>;
type Answer = Approval["answers"][number];

export const ASKING_LAWS = {
  /** Only a registered task has somebody whose intent it is, and only a person has any. */
  principal: ({ task: { registered } }: Subject): string | undefined =>
    registered?.principal.type === "user" ? `user:${registered.principal.id}` : undefined,
  /** Whether it was meant is for the person to say who meant it; one of them is enough. */
  intent: (principal: string | undefined, otherwise: Omit<HoldModel, "name">): Omit<HoldModel, "name"> =>
    principal === undefined ? otherwise : { approvers: ["principal"], quorum: 1 },
  /** Who is only said to be behind an action, and a service that is, have no say in it. */
  standsBehind: ({ task: { registered }, request }: Subject): readonly string[] => {
    if (registered) return registered.principal.type === "service" ? [`service:${registered.principal.id}`] : [];
    const [first] = request.delegation ?? [];
    return first && first.type !== "agent" ? [`${first.type}:${first.id}`] : [];
  },
  /** Nobody answers for themselves, under whatever kind of name. */
  asker: (subject: Subject): string => subject.caller,
  agents: (subject: Subject): readonly string[] => agentsOf(subject),
  isNamed: (person: string, agent: string): boolean => person.replace(/^\w+:/, "") === agent.replace(/^(user|service|agent):/, ""),
  /** Questions of authority go to others than the one whose task it is. */
  answersForOneself: ({ approvers }: HoldModel): boolean => approvers.includes("principal"),
  isEnough: (people: readonly string[], quorum: number): boolean => new Set(people).size >= quorum,
  says: ({ verdict }: Answer): boolean => verdict === "approve",
  answers: ({ holds }: Answer, { name }: HoldModel): boolean => holds.includes(name),
  /** Membership is looked at again at use. */
  isStill: (eligible: readonly string[], { by }: Answer): boolean => eligible.includes(by),
  /** A token file proves nothing where more is asked for, and nobody is known by more yet. */
  isVerified: (policy: PolicyJson): boolean => policy.settings.approvers.require_verified !== true,
  /** What is no person can be nobody's approver. */
  isPerson: (issuer: string): boolean => issuer.startsWith("user:"),
  /** Two holds are the same if name, approvers and quorum are. */
  isSame: (a: HoldModel, b: HoldModel): boolean =>
    a.name === b.name && JSON.stringify(a.approvers) === JSON.stringify(b.approvers) && a.quorum === b.quorum,
  isShown: (score: number, shown: number): boolean => score <= shown,
  /** What is cut cannot be shown. */
  isWhole: ({ request }: Subject): boolean => request.action.argumentsTruncated !== true,
  /** Who asks too much, and was told not to, is not heard. */
  isHeard: ({ refused }: Subject): boolean => refused?.kind !== "flood",
  /** A no to this very request stands. */
  isDenied: ({ refused }: Subject): boolean => refused?.kind === "action",
  /** An approval is over at its end. */
  usableUntil: (approval: Approval): number => approval.until - 1,
  /** A request that names an approval is told where that does not help; it need not be told that it has to wait. */
  isInapplicable: ({ request, approval }: Subject): boolean => request.approvalId !== undefined && approval?.standing !== "pending",
};

/** Everybody who may answer a hold, each once. */
function eligible(policy: PolicyJson, subject: Subject, hold: HoldModel, laws: Laws): readonly string[] {
  if (!laws.isVerified(policy)) return [];
  const principal = laws.principal(subject);
  const named = hold.approvers.flatMap((approver) => {
    if (approver === "principal") return principal ?? [];
    if (approver === "issuer") return [subject.task.registered?.issuer ?? ""].filter(laws.isPerson);
    return approver.startsWith("group:") ? (policy.settings.groups[approver.slice(6)] ?? []) : approver;
  });
  return [...new Set(named)].filter(
    (person) =>
      person !== laws.asker(subject) &&
      !laws.agents(subject).some((agent) => person === agent || laws.isNamed(person, agent)) &&
      !laws.standsBehind(subject).includes(person) &&
      (person !== principal || laws.answersForOneself(hold)),
  );
}

export type AskedModel =
  | { readonly says: "no"; readonly code: "ARGUMENTS_TRUNCATED" | "NO_APPROVER" | "APPROVAL_DENIED" }
  | { readonly says: "yes"; readonly approval: Approval }
  | { readonly says: "ask"; readonly inapplicable: boolean };

/** What becomes of holds: asked of people, answered by them already, or denied because nobody can answer. */
export function askedOf(
  policy: PolicyJson,
  subject: Subject,
  { holds, score }: { holds: readonly HoldModel[]; score: number },
  laws: Laws,
): AskedModel {
  const { approval } = subject;
  if (!laws.isWhole(subject)) return { says: "no", code: "ARGUMENTS_TRUNCATED" };
  const who = new Map(holds.map((hold) => [hold, eligible(policy, subject, hold, laws)]));
  if (holds.some((hold) => !laws.isEnough(who.get(hold) ?? [], hold.quorum))) return { says: "no", code: "NO_APPROVER" };
  const agreed = (hold: HoldModel, answers: readonly Answer[]): readonly string[] =>
    answers.filter((answer) => laws.says(answer) && laws.answers(answer, hold) && laws.isStill(who.get(hold) ?? [], answer)).map(({ by }) => by);
  if (approval?.standing === "covers" && laws.isShown(score, approval.score)) {
    const isCovered = (hold: HoldModel): boolean =>
      approval.holds.some((shown) => laws.isSame(shown, hold)) && laws.isEnough(agreed(hold, approval.answers), hold.quorum);
    if (holds.every(isCovered)) return { says: "yes", approval };
  }
  if (!laws.isHeard(subject)) return { says: "no", code: "APPROVAL_DENIED" };
  return { says: "ask", inapplicable: laws.isInapplicable(subject) };
}
