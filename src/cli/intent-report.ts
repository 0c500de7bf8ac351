import type { Ask } from "../core/intent/language.ts";
import type { ExplainedStatement, ExplainedTool } from "./intent-explain.ts";
import { folded, paint, type Row, screenColumns, tableOf, visible } from "./output.ts";

/** For programs. */
export function dataOfStatement({ statement, reading, values, foreign, isForeign, unreadSentences }: ExplainedStatement) {
  const { asks, superlatives, people, follows } = reading;
  return {
    statement,
    asks: asks.map(({ effect, verb, objects, universal }) => ({
      effect,
      verb,
      objects: [...objects].map(([stem, word]) => ({ word, stem })),
      universal,
    })),
    values,
    superlatives,
    people,
    follows: follows ?? null,
    unread: { nothing_asked: asks.length === 0, other_script: isForeign, words: foreign, sentences: unreadSentences },
  };
}

export const dataOfTool = ({ name, operation, effect, asked, reached, match, objects, objectsFrom }: ExplainedTool) => ({
  tool: name,
  operation: operation ?? null,
  effect,
  asked: asked ?? null,
  stands: reached,
  alignment: match.alignment,
  verb: match.verb ?? null,
  words: match.objects,
  universal: match.universal,
  objects,
  objects_from: objectsFrom,
});

interface ToolsShown {
  readonly tools: readonly ExplainedTool[];
  readonly all: boolean;
}

/** For people. */
export function explanationText(explained: ExplainedStatement, { tools, all }: ToolsShown): string {
  const { reading, values } = explained;
  const lines = [
    ...section("asks for", reading.asks.map(askLine)),
    ...section(
      "names",
      values.map(({ kind, value, words }) => labelled(kind, value === words ? value : `${value}, from ${ticked(words)}`)),
    ),
    ...section(
      "which of several",
      reading.superlatives.map(({ word, extreme }) => `${ticked(word)}: the one with the ${extreme}`),
    ),
    ...section("people without a name", reading.people.length > 0 ? [reading.people.map(ticked).join(", ")] : []),
    ...section("leaves what is to be done to a source", reading.follows === undefined ? [] : [ticked(reading.follows)]),
    ...section("could not be read", unreadLines(explained)),
  ];
  return `${lines.join("\n")}\n${toolsText(tools, all)}`.replace(/^\n/, "");
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", paint("bold", title), ...lines.map((line) => folded(`  ${line}`, screenColumns()))];

const LABEL_COLUMNS = 11;
const labelled = (label: string, text: string): string => `${label.padEnd(LABEL_COLUMNS)}${visible(text)}`;
const ticked = (words: string): string => `\`${visible(words)}\``;

function askLine({ effect, verb, objects, universal }: Ask): string {
  const to =
    objects.size === 0 ? "nothing that it names" : `${[...objects.values()].map(ticked).join(", ")}${universal ? ", all that there are" : ""}`;
  return labelled(effect, `by ${ticked(verb)}, of ${to}`);
}

function unreadLines({ reading, foreign, isForeign, unreadSentences }: ExplainedStatement): readonly string[] {
  const lines: string[] = [];
  if (isForeign) lines.push("no word of it: they are in letters that are not read");
  else if (foreign.length > 0) lines.push(`${foreign.map(ticked).join(", ")}: in letters that are not read`);
  if (reading.asks.length === 0) lines.push("anything that it asks for: whatever does more than read lies outside");
  if (unreadSentences > 0) lines.push(`its last ${unreadSentences} sentences: there are too many`);
  return lines;
}

/** Those that words reach; the others by their number. */
function toolsText(tools: readonly ExplainedTool[], all: boolean): string {
  const isShown = ({ reached, match, effect, asked }: ExplainedTool): boolean =>
    all || (reached !== "outside" && (match.objects.length > 0 || (effect === asked && effect !== "read")));
  const shown = tools.filter(isShown).sort((a, b) => rankOf(a) - rankOf(b));
  const hidden = tools.filter((tool) => !isShown(tool));
  const countOf = (wanted: (tool: ExplainedTool) => boolean): number => hidden.filter(wanted).length;
  const others = [
    { count: countOf(({ reached }) => reached === "inside"), says: "only read, and share no word with it: inside" },
    {
      count: countOf(({ reached }) => reached === "inside_if_bound"),
      says: "may be needed for what it asks for, and share no word with it: inside only for what it names",
    },
    { count: countOf(({ reached }) => reached === "outside"), says: "do what it does not ask for: outside" },
  ].filter(({ count }) => count > 0);
  const lines = section(
    hidden.length === tools.length ? "tools" : "other tools, which --all lists",
    others.map(({ count, says }) => `${String(count).padStart(5)} ${says}`),
  );
  const title = section("tools", shown.length > 0 ? [""] : [])[1];
  return [...(title === undefined ? [] : ["", title, tableOf(shown.map(rowOf), screenColumns()).trimEnd()]), ...lines, ""].join("\n");
}

const RANKS: readonly string[] = ["inside full", "inside partial", "inside_if_bound partial", "inside none"];
function rankOf({ reached, match }: ExplainedTool): number {
  const rank = RANKS.indexOf(`${reached} ${match.alignment}`);
  return rank === -1 ? RANKS.length : rank;
}

const STANDINGS = { inside: "inside", inside_if_bound: "for what it names", outside: "outside" } as const;

const rowOf = (tool: ExplainedTool): Row => ({
  tool: nameOf(tool),
  effect: tool.effect,
  stands: STANDINGS[tool.reached],
  match: tool.match.alignment,
  words: [...new Set([...(tool.match.verb === undefined ? [] : [tool.match.verb]), ...tool.match.objects])].join(", "),
});

const nameOf = ({ name, operation }: ExplainedTool): string => (operation === undefined ? name : `${name} ${operation}`);

/** How one tool stands, and why. */
export const toolText = (tools: readonly ExplainedTool[]): string =>
  tools
    .flatMap((tool) => [
      `${paint("bold", visible(nameOf(tool)))}: ${STANDINGS[tool.reached]}`,
      ...[whyOf(tool), objectsLine(tool)].map((line) => folded(`  ${line}`, screenColumns())),
      "",
    ])
    .join("\n");

function whyOf({ effect, asked = effect, reached, match }: ExplainedTool): string {
  const verb = ticked(match.verb ?? "");
  const words = match.objects.map(ticked).join(", ");
  const does = asked === effect ? `${verb} asks for what it does (${effect})` : `${verb} (${asked}) asks for what may need what it does (${effect})`;
  if (match.alignment === "full") return `${does}, and speaks of what it does that to: ${words}`;
  if (effect === "read") return "it only reads, which needs no words";
  if (effect === "browse" && reached === "inside") return `${verb} asks for something, and where it visits is looked at by its own rules`;
  if (reached === "outside") return `it does what nothing in the statement asks for (${effect})`;
  if (reached === "inside" && words === "") return `${does}; where it goes is looked at by its own rules`;
  if (reached === "inside") return `${does}, and the statement speaks of what it does that to: ${words}; where it goes is looked at by its own rules`;
  return words === ""
    ? `${does}, and no word of the statement names what it does that to: inside where a call names what the task means`
    : `${does}, and the statement speaks of ${words}: inside where a call names what the task means`;
}

const objectsLine = ({ objects, objectsFrom }: ExplainedTool): string =>
  objects.length === 0
    ? "nobody says what its actions are done to, and its name does not either"
    : `its actions are done to ${objects.map(ticked).join(", ")}, ${objectsFrom === "catalog" ? "as the catalog has it" : "as far as its name says: the catalog lists no `objects`"}`;
