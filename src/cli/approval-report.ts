import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { looksSecret } from "../core/masking.ts";
import type { Instant } from "../core/words.ts";
import {
  type ApprovalSummary,
  type ChainHop,
  type Difference,
  type GetApprovalResponse,
  type ShownArgument,
  Verdict,
} from "../gen/behest/v1/approval_pb.ts";
import { ApprovalKind, ApprovalState, type Finding, FindingResult, PrincipalType } from "../gen/behest/v1/decision_pb.ts";
import { nameOf, obligationText } from "./answers.ts";
import { approvalHeadline, endedWords, grantedWords, holdWords, leftUntil, notGrantedWords, saidWords, times } from "./approval-words.ts";
import { broken } from "./columns.ts";
import { folded, paint } from "./output.ts";
import { lengthWords, revealed, revealedLines } from "./revealed.ts";
import { effectWord, momentOf } from "./task-words.ts";

export interface Page {
  readonly now: Instant;
  /** Undefined where nothing is to be broken. */
  readonly columns: number | undefined;
}

/** A line of a page: what this program says at its beginning, then what may be another's words, which never reach the beginning of a line. */
interface Entry {
  readonly label?: string;
  readonly lines: readonly string[];
  readonly style?: "red" | "yellow";
}

const LABEL_COLUMNS = 12;
const INDENT = "  ";

function entryText({ label = "", lines, style }: Entry, columns: number | undefined): string {
  const margin = INDENT.length + LABEL_COLUMNS;
  const [first = "", ...more] = lines.flatMap((line) => brokenLine(line, columns && columns - margin));
  const painted = (text: string): string => (style ? paint(style, text) : text);
  const head = `${INDENT}${paint("bold", label.padEnd(LABEL_COLUMNS))}${painted(first)}`.trimEnd();
  return [head, ...more.map((line) => `${" ".repeat(margin)}${painted(line)}`.trimEnd())].join("\n");
}

/** Another's words go on in their gutter, or further in than what this program says begins. */
function brokenLine(line: string, columns: number | undefined): readonly string[] {
  const [gutter = ""] = GUTTERS.exec(line) ?? [];
  const [first = "", ...more] = broken(line.slice(gutter.length), columns && columns - GUTTER.length);
  return [gutter + first, ...more.map((rest) => (gutter || " ".repeat(GUTTER.length)) + rest)];
}

const GUTTER = "│ ";
/** Of a value, and of what it was and is. */
const GUTTERS = /^[│+-] /;

/** All that whoever answers should see: what is meant to deceive on top, and every value in full. */
export function describeApproval(shown: GetApprovalResponse, page: Page): string {
  const { approval, warnings, findings, obligations, onApproval } = shown;
  if (!approval) throw new Error("the server named no approval");
  const entries: readonly Entry[] = [
    ...warnings.map((warning): Entry => ({ label: "! beware", lines: [warningWords(warning)], style: "red" })),
    ...whoEntries(shown, approval),
    ...whatEntries(shown, approval),
    ...shown.arguments.map(argumentEntry),
    ...differenceEntries(shown),
    ...findings.map((finding, at): Entry => ({ ...(at === 0 && { label: "findings" }), lines: [findingWords(finding)] })),
    ...obligations.map((one, at): Entry => ({ ...(at === 0 && { label: "obliges" }), lines: [revealed(obligationText(one))] })),
    ...approval.holds.map((hold, at): Entry => ({ ...(at === 0 && { label: "holds" }), lines: holdWords(hold, approval) })),
    ...answerEntries(approval),
    ...(onApproval === "" || approval.state !== ApprovalState.PENDING ? [] : [{ label: "on a yes", lines: [revealed(onApproval)] }]),
    endEntry(approval, page.now),
  ];
  return `${[folded(approvalHeadline(approval), page.columns), ...entries.map((entry) => entryText(entry, page.columns))].join("\n")}\n`;
}

/** The server has marked in the same way what it repeats. */
const warningWords = (warning: string): string =>
  warning
    .split(/(⟨U\+[0-9A-F]{4,6}⟩)/)
    .map((part, at) => (at % 2 === 1 ? part : revealed(part)))
    .join("");

const isOpen = ({ state }: ApprovalSummary): boolean => state === ApprovalState.PENDING || state === ApprovalState.APPROVED;

function whoEntries({ chain, statedOtherwise }: GetApprovalResponse, approval: ApprovalSummary): readonly Entry[] {
  const { agentId, caller, askedAt, asked, lastAskedAt, statement, taskId } = approval;
  const again = asked > 1 ? `; ${times(asked)}, last at ${momentOf(lastAskedAt)}` : "";
  return [
    { label: "agent", lines: [revealed(agentId)] },
    { label: "asked", lines: [`at ${momentOf(askedAt)} through ${revealed(caller)}${again}`] },
    { label: "for", lines: [approval.principal === "" ? "nobody: no registered task vouches for a person" : revealed(approval.principal)] },
    { label: "task", lines: [...(statement === "" ? ["nobody said what it is for"] : quotedLines(statement)), taskId] },
    ...(statedOtherwise === "" ? [] : [{ label: "! now says", lines: quotedLines(statedOtherwise), style: "yellow" as const }]),
    ...(chain.length === 0 ? [] : [{ label: "chain", lines: chain.map((hop, at) => hopWords(hop, at, approval.principal)) }]),
  ];
}

/** What somebody said, in full; with its length where it is long. */
function quotedLines(text: string): readonly string[] {
  const [first = "", ...more] = revealedLines(text);
  const last = more.at(-1) ?? first;
  const quoted = more.length === 0 ? [`“${first}”`] : [`“${first}`, ...more.slice(0, -1), `${last}”`].map((line) => GUTTER + line);
  return isLong(text) ? [`(${lengthWords(text)})`, ...quoted] : quoted;
}

const LONG_CHARACTERS = 280;
const isLong = (text: string): boolean => text.length > LONG_CHARACTERS;

/** Whoever opened the task vouches for whom it is for. */
function hopWords({ principal, taskId }: ChainHop, at: number, vouchedFor: string): string {
  const who = principal ? `${nameOf(PrincipalType, principal.type).toLowerCase()}:${principal.id}` : "nobody";
  const named = taskId === "" ? "" : `, in task ${revealed(taskId)}`;
  // In a chain that nobody vouches for, the task is the caller's word, too.
  const isVouchedFor = vouchedFor !== "" && (taskId !== "" || (at === 0 && who === vouchedFor));
  return `${at === 0 ? "" : "→ "}${revealed(who)}${isVouchedFor ? named : `${named}, for whom nobody vouches`}`;
}

function whatEntries(shown: GetApprovalResponse, { kind, tool, effect }: ApprovalSummary): readonly Entry[] {
  if (kind === ApprovalKind.FLOOD) return [{ label: "first", lines: ["this is the first of what it asks beyond; a yes allows none of it"] }];
  const { operation, toolOwner, toolListed, reversibility, resource, environment, classification } = shown;
  const listed = toolListed ? `owned by ${toolOwner === "" ? "nobody the catalog names" : revealed(toolOwner)}` : "which the catalog does not list";
  const back = reversibility === "" ? "" : `, ${reversibility === "unknown" ? "nobody knows whether it can be taken back" : revealed(reversibility)}`;
  return [
    { label: "tool", lines: [`${revealed(tool)}${operation === "" ? "" : `, operation ${revealed(operation)}`}, ${listed}`] },
    { label: "effect", lines: [`${effectWord(effect)}${back}`] },
    ...(resource === "" ? [] : [{ label: "resource", lines: [revealed(resource)] }]),
    { label: "where", lines: [`${revealed(environment)}, with ${revealed(classification)} data`] },
  ];
}

const ROLES: Readonly<Record<string, string>> = { free_text: "free text" };

const PROVENANCES: Readonly<Record<string, string>> = {
  stated: "named in the words of the task",
  endorsed: "endorsed by a person for this task",
  own: "an attribute of whom the task is for",
  attested: "from a field of what a tool returned",
  same_host: "of a host that the task names",
  named_source: "from a text that the task names",
  free_text: "from a text that anybody may have written",
  unseen: "nobody vouches for it",
};
const vouched = (provenance: string): string => PROVENANCES[provenance] ?? revealed(provenance);

function argumentEntry({ name, value, role, provenance, identifiers }: ShownArgument, at: number): Entry {
  const json = jsonOf(value);
  // What looks like a secret by its name never comes otherwise than masked.
  const isMasked = role === "secret" || (typeof json === "object" && looksSecret(name));
  // A text is as good as what it names, and a value that is nothing but a name need not be said twice.
  const isVouchedBelow = provenance === "" || isMasked || (role === "free_text" && provenance === "unseen");
  const named = isVouchedBelow ? identifiers : identifiers.filter((one) => one.provenance !== provenance);
  const about = [
    ...(role === "" ? [] : [ROLES[role] ?? revealed(role)]),
    ...(isVouchedBelow ? [] : [vouched(provenance)]),
    ...(typeof json === "string" && isLong(json) ? [lengthWords(json)] : []),
  ];
  return {
    ...(at === 0 && { label: "arguments" }),
    lines: [
      `${argumentName(name)}${about.length === 0 ? "" : `  (${about.join("; ")})`}`,
      ...(isMasked ? [secretWords(json)] : valueLines(json)).map((line) => GUTTER + line),
      ...named.map((one) => `names ${revealed(one.value)}: ${vouched(one.provenance)}`),
    ],
  };
}

/** One that could be read as more than a name is quoted. */
const argumentName = (name: string): string => (/^[\w.-]+$/.test(name) ? name : revealed(JSON.stringify(name)));

const jsonOf = (value: Value | undefined): unknown => (value ? toJson(ValueSchema, value) : undefined);

function secretWords(json: unknown): string {
  if (typeof json !== "object" || json === null) return "a secret";
  const { kind, length, digest } = Object.fromEntries(Object.entries(json));
  return `a secret: a ${revealed(String(kind))} of ${length} characters, ${revealed(String(digest))}`;
}

const INLINE_CHARACTERS = 72;

/** A text with several lines as it is; anything else as JSON, so that a number is told from a text. */
function valueLines(json: unknown): readonly string[] {
  if (json === undefined) return ["nothing"];
  if (typeof json === "string") return json.includes("\n") ? revealedLines(json) : [`"${revealed(json)}"`];
  const inline = JSON.stringify(json);
  return inline.length <= INLINE_CHARACTERS ? [revealed(inline)] : JSON.stringify(json, null, 2).split("\n").map(revealed);
}

function differenceEntries({ differences, comparedWith }: GetApprovalResponse): readonly Entry[] {
  if (comparedWith === "") return [{ label: "compared", lines: ["nothing of this agent for this tool was approved before that is remembered"] }];
  if (differences.length === 0) return [{ label: "compared", lines: [`no difference from ${comparedWith}, approved last`] }];
  return [
    { label: "compared", lines: [`with ${comparedWith}, approved last, this differs:`] },
    ...differences.map((difference): Entry => ({ lines: differenceLines(difference) })),
  ];
}

const differenceLines = ({ field, before, now }: Difference): readonly string[] => [
  argumentName(field),
  ...valueLines(jsonOf(before)).map((line) => `- ${line}`),
  ...valueLines(jsonOf(now)).map((line) => `+ ${line}`),
];

function findingWords({ rule, points, result, reason }: Finding): string {
  const sum = points === 0 ? "" : ` ${points > 0 ? "+" : ""}${points}`;
  return `${revealed(rule)}${sum}${result === FindingResult.UNKNOWN ? " (unknown)" : ""}: ${revealed(reason)}`;
}

function answerEntries(approval: ApprovalSummary): readonly Entry[] {
  const { answers, granted } = approval;
  const said = answers.map(({ approver, verdict, comment, at, endorsement }) => {
    const word = verdict === Verdict.APPROVE ? "yes" : "no";
    const wider = endorsement ? `, ${saidWords(endorsement)}` : "";
    return `${revealed(approver?.id ?? "")}: ${word} at ${momentOf(at)}${wider}${comment === "" ? "" : `, “${revealed(comment)}”`}`;
  });
  const all = [...(granted ? grantedWords(granted) : []), ...notGrantedWords(approval)];
  return [...(said.length === 0 ? [] : [{ label: "answers", lines: said }]), ...(all.length === 0 ? [] : [{ label: "granted", lines: all }])];
}

function endEntry(approval: ApprovalSummary, now: Instant): Entry {
  const ended = endedWords(approval);
  if (ended !== undefined) return { label: "ended", lines: [ended] };
  if (!isOpen(approval)) return { label: "ended", lines: [`at ${momentOf(approval.expiresAt)}`] };
  return { label: "expires", lines: [`in ${leftUntil(approval.expiresAt, now)}, at ${momentOf(approval.expiresAt)}`] };
}
