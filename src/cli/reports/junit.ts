/** What a run found, as JUnit's XML tells it: suites of cases, and of each case what failed. */
export interface JunitReport {
  readonly name: string;
  readonly suites: readonly JunitSuite[];
}

export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly name: string;
  /** What the case belongs to; a CI groups by it. */
  readonly classname: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly durationMs?: number;
  /** None: the case passed, unless it was skipped. */
  readonly failures: readonly JunitFailure[];
  /** Why it was not run. */
  readonly skipped?: string;
}

export interface JunitFailure {
  /** What kind of failure: one word. */
  readonly type: string;
  /** One line. */
  readonly message: string;
  /** All that is known of it, over several lines. */
  readonly detail?: string;
}

/**
 * JUnit's XML, in the common subset that CI systems read (https://github.com/testmoapp/junitxml). A case with several failures has one
 * element for each.
 */
export function junitOf({ name, suites }: JunitReport): string {
  const whole = suites.flatMap(({ cases }) => cases);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", { name, ...tally(whole) }, suites.map(suiteOf))}\n`;
}

const suiteOf = ({ name, cases }: JunitSuite): string => element("testsuite", { name, ...tally(cases) }, cases.map(caseOf));

function caseOf({ name, classname, file, line, durationMs, failures, skipped }: JunitCase): string {
  const inside = [
    ...failures.map(({ type, message, detail }) => element("failure", { type, message }, [escaped(detail ?? message)])),
    ...(skipped === undefined ? [] : [element("skipped", { message: skipped }, [])]),
  ];
  return element("testcase", { name, classname, file, line, time: seconds(durationMs ?? 0) }, inside);
}

function tally(cases: readonly JunitCase[]): Attributes {
  return {
    tests: cases.length,
    failures: cases.filter(({ failures }) => failures.length > 0).length,
    errors: 0,
    skipped: cases.filter(({ skipped }) => skipped !== undefined).length,
    time: seconds(cases.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)),
  };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

type Attributes = Readonly<Record<string, string | number | undefined>>;

function element(tag: string, attributes: Attributes, inside: readonly string[]): string {
  const stated = Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  const open = [
    tag,
    ...stated.map(([key, value]) => `${key}="${escaped(String(value)).replaceAll(/[\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`)}"`),
  ].join(" ");
  if (inside.length === 0) return `<${open}/>`;
  const leaf = !inside.some((part) => part.startsWith("<"));
  return leaf ? `<${open}>${inside.join("")}</${tag}>` : `<${open}>\n${inside.join("\n")}\n</${tag}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** What XML 1.0 cannot hold, not even as an entity (§2.2), is shown as a mark. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\u{FFFD}")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
