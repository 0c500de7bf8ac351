import type { Hold, Instant } from "../words.ts";

/**
 * `action`: answers the holds of one request. `flood`: stands for all that an agent asked beyond what people can be asked in an hour; it
 * covers nothing, and its answer says whether the agent may go on asking.
 */
export const APPROVAL_KINDS = ["action", "flood"] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

export const APPROVAL_STATES = ["pending", "approved", "denied", "expired", "cancelled", "consumed"] as const;
export type ApprovalStanding = (typeof APPROVAL_STATES)[number];

/** How whoever answered was known: by a token file of this machine. */
export type Verification = "local_file";

/** Whose action it is: who can be meant by `principal` and `issuer`, and who can never answer. */
export interface Parties {
  /** Whoever asked for the decision. */
  readonly caller: string;
  /** Every agent of the chain, the acting one included. */
  readonly agents: readonly string[];
  /** `user:…`, of a registered task that a person stands behind. An asserted one is nobody. */
  readonly principal?: string;
  /** Whom else it is for: a service that a registered task is for, or whoever the caller says. They can answer nothing of it. */
  readonly onBehalfOf?: string;
  /** The caller that opened the registered task at the root, where that is a person: `user:…`. */
  readonly issuer?: string;
}

/** What like requests have in common with the one that was shown. */
export interface Pattern {
  /** SHA-256 of the request without the values that may vary. */
  readonly digest: string;
  /** What may not be exceeded, by argument with role `amount`. */
  readonly amounts: Readonly<Record<string, number>>;
  /** Arguments with role `free_text`. */
  readonly varies: readonly string[];
  /** What was shown in those, and so may stand in them again. */
  readonly identifiers: readonly string[];
}

/** What people were asked. It never changes; how it stands does. */
export interface Approval {
  /** UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: ApprovalKind;
  /** That asked first: its record holds everything that is shown. */
  readonly decision: string;
  /** `sha256:` and 64 hexadecimal digits over the whole request and what it was resolved to; its keyed digest where the request holds a secret. */
  readonly binding: string;
  readonly pattern?: Pattern;
  readonly task: string;
  readonly root: string;
  readonly parties: Parties;
  readonly agent: string;
  readonly tool: string;
  readonly effect: string;
  readonly holds: readonly Hold[];
  /** As it was shown. A higher one is not covered. */
  readonly score: number;
  readonly askedAt: Instant;
  readonly expiresAt: Instant;
  /** The latest that an endorsement may last: the task's own end. */
  readonly endorsableUntil: Instant;
  /** The approval that it takes the place of. */
  readonly replaces?: string;
}

/** A wider yes: more uses of what is alike, or values and sources that count as named by a person for this task. */
export interface Endorsement {
  /** How often the action, or one like it, may be taken in all. */
  readonly uses?: number;
  readonly until?: Instant;
  readonly values?: readonly string[];
  readonly sources?: readonly string[];
}

/** The approval that a decision waits for, or by which it allowed, as it stood then. */
export interface AwaitedApproval {
  readonly id: string;
  readonly state: ApprovalStanding;
  readonly expiresAt: Instant;
  /** One that stands for all that the agent asks beyond what people can be asked, and answers nothing of this; absent: it is for this action. */
  readonly kind?: "flood";
}

/** What one person said. */
export interface GivenAnswer {
  /** The id of the caller. */
  readonly by: string;
  readonly verified: Verification;
  readonly at: Instant;
  readonly verdict: "approve" | "deny";
  readonly comment?: string;
  /** Names of the holds that the person may answer. */
  readonly holds: readonly string[];
  readonly endorsement?: Endorsement;
}

/** What all who said yes agree on beyond the one use. */
export interface Granted {
  readonly uses: number;
  readonly until: Instant;
  readonly values: readonly string[];
  readonly sources: readonly string[];
}

export interface EndedApproval {
  readonly at: Instant;
  readonly by?: string;
  readonly reason?: string;
}

/** An approval as it stands. Changed by `apply` alone. */
export interface ApprovalState {
  readonly approval: Approval;
  readonly standing: ApprovalStanding;
  readonly answers: readonly GivenAnswer[];
  /** Decisions that named it as what they wait for. */
  readonly asked: number;
  readonly lastAskedAt: Instant;
  readonly granted?: Granted;
  readonly used: number;
  readonly ended?: EndedApproval;
}

/** Until when it can be answered or used. */
export const openUntil = ({ approval, granted }: ApprovalState): Instant => (granted && granted.uses > 1 ? granted.until : approval.expiresAt);

/** How it stands at this instant: one whose time is over has expired, whether or not that was written down. */
export function standingAt(state: ApprovalState, at: Instant): ApprovalStanding {
  const isOpen = state.standing === "pending" || state.standing === "approved";
  return isOpen && at >= openUntil(state) ? "expired" : state.standing;
}

export const isOpen = (standing: ApprovalStanding): boolean => standing === "pending" || standing === "approved";

/** Two holds are the same if name, approvers and quorum are. */
export const isSameHold = (a: Hold, b: Hold): boolean =>
  a.name === b.name &&
  a.quorum === b.quorum &&
  a.approvers.length === b.approvers.length &&
  a.approvers.every((approver, at) => approver === b.approvers[at]);

export const areSameHolds = (a: readonly Hold[], b: readonly Hold[]): boolean =>
  a.length === b.length && a.every((hold) => b.some((other) => isSameHold(hold, other)));
