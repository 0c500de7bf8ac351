import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { BehestClient } from "../client/client.ts";
import type { Instant } from "../core/words.ts";
import type { ApprovalSummary, GrantedEndorsement, HoldStatus } from "../gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState } from "../gen/behest/v1/decision_pb.ts";
import { nameOf } from "./answers.ts";
import type { ConnectOptions } from "./connect.ts";
import { CommandFailed, EXIT } from "./failure.ts";
import { asTypedTo } from "./hint.ts";
import { paint, visible } from "./output.ts";
import { revealed, shortened } from "./revealed.ts";
import { effectWord, momentOf } from "./task-words.ts";

/** The states as they are typed. */
export const APPROVAL_STATES: Readonly<Record<string, ApprovalState>> = {
  pending: ApprovalState.PENDING,
  approved: ApprovalState.APPROVED,
  denied: ApprovalState.DENIED,
  expired: ApprovalState.EXPIRED,
  cancelled: ApprovalState.CANCELLED,
  consumed: ApprovalState.CONSUMED,
};

export const approvalStateWord = (state: ApprovalState): string => nameOf(ApprovalState, state).toLowerCase();

/** With the colour of a state: what waits, what may be used, what was refused, and what is simply over. */
export function approvalMark(state: ApprovalState): string {
  const word = approvalStateWord(state);
  if (state === ApprovalState.PENDING) return paint("yellow", `? ${word}`);
  if (state === ApprovalState.APPROVED) return paint("green", `✔ ${word}`);
  if (state === ApprovalState.DENIED) return paint("red", `✖ ${word}`);
  return paint("dim", `○ ${word}`);
}

const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "min", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** `54 min`: in the largest unit of which there are at least two, rounded down, so that there is never less time than it says. */
export function leftUntil(until: Timestamp | undefined, now: Instant): string {
  const left = (until ? timestampMs(until) : now) - now;
  if (left <= 0) return "over";
  const { name, ms } = UNITS.find((unit) => left >= 2 * unit.ms) ?? { name: "s", ms: 1_000 };
  return `${Math.floor(left / ms)} ${name}`;
}

/** In a narrow terminal too, one begins on a line of this program and ends there. */
const NAME_COLUMNS_MAX = 36;
/** A name that somebody else chose, in a line with other words. */
export const named = (name: string): string => shortened(name, NAME_COLUMNS_MAX);

/** An approval in one line: how it stands, and what it is about. A flood in plain words. */
export function approvalHeadline(approval: ApprovalSummary): string {
  const { id, kind, state, agentId, tool, effect, score } = approval;
  const what =
    kind === ApprovalKind.FLOOD
      ? paint("bold", `${named(agentId)} asks more than people can be asked`)
      : `${paint("bold", `${named(agentId)} → ${named(tool)}`)} (${effectWord(effect)})  risk ${score}`;
  return [approvalMark(state), what, paint("dim", id)].join("  ");
}

export const times = (count: number): string => (count === 1 ? "once" : `${count}×`);

/** `group:finance or user:carol`. */
export const approversWords = (approvers: readonly string[]): string => approvers.map(revealed).join(" or ");

/** Who has agreed to a hold, and who may still. */
export function holdWords({ name, approvers, quorum, agreed, eligible }: HoldStatus, state: ApprovalState): readonly string[] {
  const who = `${revealed(name)}: asks ${approversWords(approvers)}${quorum > 1 ? `, ${quorum} of them` : ""}`;
  const others = eligible.filter((id) => !agreed.includes(id));
  if (agreed.length >= quorum) return [who, `answered with yes by ${listed(agreed)}`];
  const so = agreed.length === 0 ? "nobody has agreed" : `${agreed.length} of ${quorum} agreed: ${listed(agreed)}`;
  if (state !== ApprovalState.PENDING) return [who, so];
  return [who, `${so}; ${others.length === 0 ? "there is nobody else who may answer" : `may answer: ${listed(others)}`}`];
}

const LISTED_MAX = 8;
const listed = (ids: readonly string[]): string =>
  `${ids.slice(0, LISTED_MAX).map(revealed).join(", ")}${ids.length > LISTED_MAX ? ` and ${ids.length - LISTED_MAX} more` : ""}`;

/** How it ended; undefined while it has not. */
export function endedWords({ state, ended }: ApprovalSummary): string | undefined {
  if (!ended) return undefined;
  const by = ended.by === "" ? "" : ` by ${revealed(ended.by)}`;
  const why = ended.reason === "" ? "" : `: ${revealed(ended.reason)}`;
  return `${approvalStateWord(state)} at ${momentOf(ended.at)}${by}${why}`;
}

/** A wider yes as the list of what it covers. */
export function grantedWords({ uses, used, until, values, sources, varying }: GrantedEndorsement): readonly string[] {
  const end = momentOf(until);
  const vary = varying.map(({ argument, atMost }) =>
    atMost === undefined
      ? `${named(argument)} may be other text that names no new address, account, number or key`
      : `${named(argument)} may be at most ${atMost}`,
  );
  const alike = ["everything else is exactly as shown", ...vary].join("; ");
  return [
    ...(uses > 1 ? [`${uses} times in all, ${used === 0 ? "not used yet" : `used ${times(used)}`}, until ${end}: ${alike}`] : []),
    ...values.map((value) => `counts as named by a person in this task until ${end}: ${revealed(value)}`),
    ...sources.map((source) => `may be followed in this task until ${end}: what ${revealed(source)} answers`),
  ];
}

/** Where whoever enforces writes what was asked before. */
export const SAME_REQUEST = "THE-SAME-REQUEST";

/** What is to be typed next: what waits is answered, and what is approved is used by whoever enforces. */
export function nextWords({ id, kind, state }: ApprovalSummary): string | undefined {
  if (state === ApprovalState.PENDING) return `approvals approve ${id}`;
  return state === ApprovalState.APPROVED && kind !== ApprovalKind.FLOOD ? `decide ${SAME_REQUEST} --approval ${id}` : undefined;
}

const WHOLE_ID_LENGTH = 36;
const LISTED = 500;

/** The approval with an id like this. @throws {CommandFailed} */
export async function wholeApprovalId(client: BehestClient, id: string, options: ConnectOptions): Promise<string> {
  if (id.length >= WHOLE_ID_LENGTH) return id;
  const { approvals } = await client.listApprovals({ states: Object.values(APPROVAL_STATES), limit: LISTED });
  const ids = approvals.map((approval) => approval.id).filter((whole) => whole.startsWith(id) || whole.endsWith(id));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  const why = only === undefined ? `no approval has an id like \`${visible(id)}\`` : `${ids.length} approvals have an id like \`${visible(id)}\``;
  throw new CommandFailed(EXIT.usage, `${why}; look with ${asTypedTo("approvals ls --all", options)}`);
}
