import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Instant } from "../core/words.ts";
import { type ApprovalSummary, type Endorsement, type GrantedEndorsement, type HoldStatus, Verdict } from "../gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState } from "../gen/behest/v1/decision_pb.ts";
import { nameOf } from "./answers.ts";
import { paint } from "./output.ts";
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
function approvalMark(approval: ApprovalSummary): string {
  const { state } = approval;
  const word = approvalStateWord(state);
  if (coversNothing(approval)) return paint("yellow", `! ${word}`);
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

/** `54 min`, `3 h 59 min`: of few large units the rest is said too. Rounded down, so that there is never less time than it says. */
export function leftUntil(until: Timestamp | undefined, now: Instant): string {
  const left = (until ? timestampMs(until) : now) - now;
  if (left <= 0) return "over";
  const at = UNITS.findIndex((unit) => left >= 2 * unit.ms);
  const { name, ms } = UNITS[at] ?? { name: "s", ms: 1_000 };
  const count = Math.floor(left / ms);
  const finer = UNITS[at + 1];
  const rest = finer && at >= 0 && count < FEW ? Math.floor((left % ms) / finer.ms) : 0;
  return `${count} ${name}${finer && rest > 0 ? ` ${rest} ${finer.name}` : ""}`;
}

const FEW = 10;

/** In a narrow terminal too, one begins on a line of this program and ends there. */
const NAME_COLUMNS_MAX = 36;
/** A name that somebody else chose, in a line with other words. */
export const named = (name: string): string => shortened(name, NAME_COLUMNS_MAX);

/** An approval in one line: how it stands, and what it is about. A flood in plain words. */
export function approvalHeadline(approval: ApprovalSummary): string {
  const { id, kind, agentId, tool, effect, score } = approval;
  const what =
    kind === ApprovalKind.FLOOD
      ? paint("bold", `${named(agentId)} asks more than people can be asked`)
      : `${paint("bold", `${named(agentId)} → ${named(tool)}`)} (${effectWord(effect)})  risk ${score}`;
  return [approvalMark(approval), what, paint("dim", id)].join("  ");
}

export const times = (count: number): string => (count === 1 ? "once" : `${count}×`);

/** `group:finance or user:carol`. */
export const approversWords = (approvers: readonly string[]): string => approvers.map(revealed).join(" or ");

/** Who has agreed to a hold, and who may still. */
export function holdWords(hold: HoldStatus, approval: ApprovalSummary): readonly string[] {
  const { name, approvers, quorum, agreed } = hold;
  const who = `${revealed(name)}: asks ${approversWords(approvers)}${quorum > 1 ? `, ${quorum} of them` : ""}`;
  if (agreed.length >= quorum) return [who, `answered with yes by ${listed(agreed)}`];
  const lapsed = lapsedYeses(hold, approval);
  const gone = lapsed.length === 0 ? undefined : `${listed(lapsed)} said yes and may not answer any more`;
  const counted = agreed.length === 0 ? undefined : `${agreed.length} of ${quorum} agreed: ${listed(agreed)}`;
  if (coversNothing(approval)) return [who, `${[gone, counted].filter(Boolean).join("; ")}: this covers nothing now`];
  const so = [counted ?? (gone === undefined ? "nobody has agreed" : undefined), gone].filter(Boolean).join("; ");
  return [who, approval.state === ApprovalState.PENDING ? `${so}; ${stillWords(hold)}` : so];
}

function stillWords(hold: HoldStatus): string {
  const others = askedStill(hold);
  if (others.length > 0) return `may answer: ${listed(others)}`;
  const groups = hold.approvers.filter((approver) => approver.startsWith("group:"));
  const add = groups.length === 0 ? "" : `add people to ${approversWords(groups)} in policy.json, or `;
  return `nobody ${hold.agreed.length === 0 ? "" : "else "}may answer: ${add}let it expire`;
}

const askedStill = ({ agreed, eligible, quorum }: HoldStatus): readonly string[] =>
  agreed.length >= quorum ? [] : eligible.filter((id) => !agreed.includes(id));

/** Who said yes to a hold, and does not count any more. */
const lapsedYeses = ({ name, agreed }: HoldStatus, { answers }: ApprovalSummary): readonly string[] =>
  answers
    .filter(({ verdict, holds }) => verdict === Verdict.APPROVE && holds.includes(name))
    .map(({ approver }) => approver?.id ?? "")
    .filter((id) => !agreed.includes(id));

/** Who said yes is looked at once more when it is used. */
const coversNothing = ({ state, holds }: ApprovalSummary): boolean =>
  state === ApprovalState.APPROVED && holds.some(({ agreed, quorum }) => agreed.length < quorum);

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

/** What was said in an answer beyond the one use. */
export function saidWords({ uses, until, values, sources }: Endorsement): string {
  return [
    ...(uses > 1 ? [`to ${uses} uses`] : []),
    ...values.map((value) => `to ${revealed(value)} as named by a person`),
    ...sources.map((source) => `to following what ${revealed(source)} answers`),
    ...(until ? [`until ${momentOf(until)}`] : []),
  ].join(", ");
}

/** What some who said yes have named and others not: only what all agree on is granted. */
export function notGrantedWords({ state, answers }: ApprovalSummary): readonly string[] {
  if (state !== ApprovalState.APPROVED && state !== ApprovalState.CONSUMED) return [];
  const said = answers
    .filter(({ verdict }) => verdict === Verdict.APPROVE)
    .map(({ approver, endorsement }) => ({ by: approver?.id ?? "", endorsement }));
  const namedBySome = (of: "values" | "sources", word: string): readonly string[] =>
    [...new Set(said.flatMap(({ endorsement }) => endorsement?.[of] ?? []))].flatMap((one) => {
      const others = said.filter(({ endorsement }) => !endorsement?.[of].includes(one)).map(({ by }) => by);
      return others.length === 0 ? [] : [`not granted: ${word} ${revealed(one)}, which ${listed(others)} did not name`];
    });
  const usesOf = ({ endorsement }: (typeof said)[number]): number => Math.max(1, endorsement?.uses ?? 1);
  const most = Math.max(1, ...said.map(usesOf));
  const fewer = said.filter((one) => usesOf(one) < most).map((one) => `${revealed(one.by)} said yes to ${usesOf(one)}`);
  return [
    ...(fewer.length === 0 ? [] : [`not granted: ${most} uses; ${fewer.join(", ")}`]),
    ...namedBySome("values", "value"),
    ...namedBySome("sources", "source"),
  ];
}

/** Where whoever enforces writes what was asked before. */
export const SAME_REQUEST = "THE-SAME-REQUEST";

/** What is to be typed next: what waits is answered if anybody may, and what is approved is used by whoever enforces. */
export function nextWords(approval: ApprovalSummary): string | undefined {
  const { id, kind, state, holds } = approval;
  if (state === ApprovalState.PENDING) return holds.some((hold) => askedStill(hold).length > 0) ? `approvals approve ${id}` : undefined;
  return state === ApprovalState.APPROVED && kind !== ApprovalKind.FLOOD && !coversNothing(approval)
    ? `decide ${SAME_REQUEST} --approval ${id}`
    : undefined;
}
