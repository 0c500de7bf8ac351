import { addressesIn } from "../intent/addresses.ts";
import { GRADES, type Grade, worseOf } from "../intent/grades.ts";
import { identifiersIn } from "../intent/identifiers.ts";
import { holds, plainly } from "../intent/spelling.ts";
import type { Subject } from "../situation.ts";
import type { Json } from "../words.ts";
import { identifiersOf, textsOf } from "./texts.ts";

/** What is known of where values come from when people are asked. */
export interface Known {
  /** What the decision found of its arguments, by their names, and of the addresses in them. What it says nothing of is known from people's words alone. */
  readonly graded: Readonly<Record<string, Grade>>;
  /** Of the task at the root; absent for one that no initiator opened, whose words are the agent's. */
  readonly statement?: string;
  readonly endorsed: readonly string[];
  readonly own: readonly string[];
}

export const knownOf = ({ task, endorsed, intent }: Subject, statement: string | undefined): Known => ({
  graded: intent?.graded ?? {},
  ...(statement !== undefined && { statement }),
  endorsed: endorsed?.values ?? [],
  own: textsOf(task.registered?.principal.attributes ?? {}),
});

export interface GradedIdentifier {
  readonly value: string;
  readonly provenance: Grade;
}

/** Says where values are known from. Whoever asks chooses how many there are, and decisions wait meanwhile: each text is looked for once. */
export interface Grading {
  /** The worst over every text of an argument. */
  gradeOf(name: string, value: Json): Grade;
  identifiersOf(name: string, value: Json): readonly GradedIdentifier[];
}

export function gradingOf({ graded, statement, endorsed, own }: Known): Grading {
  const words = statement === undefined ? undefined : plainly(statement);
  const [inEndorsed, inOwn] = [namedIn(endorsed), namedIn(own)];
  const known = new Map<string, Grade>();
  const found = (what: string): Grade | undefined => (Object.hasOwn(graded, what) ? graded[what] : undefined);
  const look = (text: string): Grade => {
    const plain = plainly(text);
    if (plain === "") return "unseen";
    if (words !== undefined && holds(words, plain)) return "stated";
    if (inEndorsed.has(plain) || inEndorsed.has(text)) return "endorsed";
    return inOwn.has(plain) || inOwn.has(text) ? "own" : "unseen";
  };
  const grade = (text: string): Grade => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const looked = look(text);
    known.set(text, looked);
    return looked;
  };
  return {
    gradeOf: (name, value) => found(name) ?? worst(textsOf(value), grade),
    identifiersOf(name, value) {
      const whole = found(name);
      return [...new Set(identifiersOf(value))].map((identifier) => {
        const itself = found(identifier) ?? addressesIn(identifier).map(({ value: address }) => found(address))[0] ?? grade(identifier);
        // What is part of a value is as good as that, which is at least as good as the worst of its argument.
        return { value: identifier, provenance: whole === undefined ? itself : betterOf(itself, whole) };
      });
    },
  };
}

function worst(texts: readonly string[], grade: (text: string) => Grade): Grade {
  let found: Grade | undefined;
  for (const text of texts) {
    found = found === undefined ? grade(text) : worseOf(found, grade(text));
    if (found === GRADES.at(-1)) break;
  }
  return found ?? "unseen";
}

const betterOf = (a: Grade, b: Grade): Grade => (worseOf(a, b) === a ? b : a);

/** The texts, and what they name. */
const namedIn = (texts: readonly string[]): ReadonlySet<string> => new Set(texts.flatMap((text) => [plainly(text), ...identifiersIn(text)]));
