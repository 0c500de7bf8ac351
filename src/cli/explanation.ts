import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { FLIP_FACTS_TRIED } from "../core/flips.ts";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import { describe, headline, nameOf } from "./answers.ts";
import { asTyped } from "./hint.ts";
import { type Format, folded, paint, printJson, printLine, screenColumns, visible } from "./output.ts";

/** A decision with what it came from. */
export interface Explained {
  readonly request: wire.DecideRequest;
  readonly response: wire.ExplainResponse;
  /** Of a request: as whom it was asked, undefined for whoever holds the auditor's token. Absent of a recorded decision. */
  readonly asked?: { readonly caller: string | undefined };
}

export function printExplanations(explained: readonly Explained[], format: Format): void {
  if (format === "table") {
    const text = explained.map(pretty).join("\n");
    process.stdout.write(text);
    // What was decided has scrolled away.
    if (text.split("\n").length - 1 > LINES_AT_ONCE) process.stdout.write(`\n${explained.flatMap(outcomeLine).join("\n")}\n`);
    return;
  }
  const values = explained.map(({ response }) => toJson(wire.ExplainResponseSchema, response, { useProtoFieldName: true, alwaysEmitImplicit: true }));
  if (format === "ndjson") for (const value of values) printLine(value);
  else printJson(values.length === 1 ? values[0] : values);
}

const LINES_AT_ONCE = 24;

const outcomeLine = ({ request, response: { decision } }: Explained): readonly string[] =>
  decision ? [folded(headline(request, { case: "decision", value: decision }), screenColumns())] : [];

function pretty({ request, response: { decision, explanation }, asked }: Explained): string {
  const lines = asked && decision ? [paint("dim", askedLine(request, decision, asked.caller))] : [];
  if (decision) {
    // How it stood is no answer to how it stands.
    const sayApproval = ({ id }: wire.Approval): string => `approval ${id}: \`${asTyped(`approvals show ${id}`)}\` tells how it stands`;
    lines.push(describe(request, { case: "decision", value: decision }, sayApproval));
  }
  if (explanation) {
    const { rules, facts, score, flips, flipsCutShort, hints } = explanation;
    lines.push(...section("names", hints.map(visible)));
    const standing = rules.filter(({ result }) => isStanding(result));
    const others = rules.filter(({ result }) => !isStanding(result));
    lines.push(...section("rules, points and sum", [...standing, ...others].flatMap(ruleLines)));
    if (score) lines.push(...section("score", scoreLines(score)));
    lines.push(...section("facts read", factLines(facts)));
    lines.push(
      ...section("another outcome, if", [...flipLines(flips), ...(flipsCutShort ? ["(the search was cut short: there may be others)"] : [])]),
    );
  }
  return `${lines.join("\n")}\n`;
}

function askedLine({ task }: wire.DecideRequest, { taskId, reasonCodes }: wire.DecideResponse, caller: string | undefined): string {
  const named = taskId || (task?.id ?? "");
  const isOpen = taskId !== "" && !reasonCodes.some((code) => code.startsWith("TASK_"));
  const standing = named === "" ? "a new task" : `task ${named} (${isOpen ? "open" : "not open"})`;
  return visible(`as ${caller ?? "the auditor"}, ${standing}`);
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", `  ${paint("bold", title)}`, ...lines.map((line) => folded(`    ${line}`, screenColumns()))];

const signed = (points: number): string => (points > 0 ? `+${points}` : String(points));

function ruleLines({ rule, result, points, sum, position, decided }: wire.ExplainedRule): readonly string[] {
  const how = result === wire.FindingResult.UNKNOWN ? " (unknown)" : result === wire.FindingResult.MATCHED ? "" : " (does not stand)";
  const head = `${signed(points).padStart(4)} ${String(sum).padStart(4)}  ${visible(rule)}${how}  ${paint("dim", visible(position))}`;
  const lines = [head, ...decided.map((comparison) => `           ${comparisonLine(comparison)}`)];
  return isStanding(result) ? lines : lines.map((line) => paint("dim", line));
}

const isStanding = (result: wire.FindingResult): boolean => result === wire.FindingResult.MATCHED || result === wire.FindingResult.UNKNOWN;

function comparisonLine({ fact, operator, comparedWith, found, truth, position }: wire.DecidingComparison): string {
  const other = comparedWith.case === "otherFact" ? comparedWith.value : comparedWith.case === "value" ? textOf(comparedWith.value) : "?";
  const is = truth === wire.Truth.TRUE ? "is" : truth === wire.Truth.FALSE ? "is not: it is" : "unknown: it is";
  return `${visible(`${fact} ${operator} ${other}`)} ${paint("dim", `(${is} ${visible(textOf(found))})  ${visible(position)}`)}`;
}

const VALUE_MAX = 120;

function textOf(value: Value | undefined): string {
  if (!value) return "absent";
  const text = JSON.stringify(toJson(ValueSchema, value));
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

function scoreLines({ score, sum, level, middle, top, toNextBand, toBandBelow }: wire.ExplainedScore): readonly string[] {
  const clamped = sum === score ? `${score}` : `${sum}, counted as ${score}`;
  const words = nameOf(wire.RiskLevel, level).toLowerCase();
  const up =
    toNextBand === undefined
      ? []
      : [
          `${toNextBand} more reach ${level === wire.RiskLevel.LOW ? `the middle one, from ${middle}: a person is asked` : `the top one, from ${top}: denied`}`,
        ];
  const down = toBandBelow === undefined ? [] : [`${toBandBelow} fewer reach the one below`];
  return [`${clamped}: the ${words} band; ${[...up, ...down].join(", ")}`];
}

function factLines(facts: readonly wire.ExplainedFact[]): readonly string[] {
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  return facts.map(({ name, value, influence }) => `${visible(name).padEnd(width)}  ${visible(textOf(value))}  ${paint("dim", influence)}`);
}

const flipLines = (flips: readonly wire.Flip[]): readonly string[] =>
  flips.length === 0
    ? [`no change of up to ${FLIP_FACTS_TRIED} facts that was tried brings one about`]
    : flips.map(({ outcome, changes }) => `${nameOf(wire.Outcome, outcome)}: ${changes.map(changeText).join(" and ")}`);

const changeText = ({ fact, from, to }: wire.FactChange): string => visible(`${fact} were ${textOf(to)}, not ${textOf(from)}`);
