import { isList, isObject } from "../json.ts";
import type { Json } from "../words.ts";
import { type Address, addressesIn } from "./addresses.ts";
import { type Grade, type Provenance, worseOf } from "./grades.ts";
import type { ObservedView } from "./observed.ts";
import type { StatementWords } from "./observing.ts";
import { holds, plainly, squeezed } from "./spelling.ts";

/** Everything that a value can be known from. */
export interface Known {
  /** Of the one who opened the task; absent for a task that no initiator opened, whose words are the agent's. */
  readonly statement?: StatementWords;
  readonly endorsed: { readonly values: readonly string[]; readonly sources: readonly string[] };
  /** Attributes of whom the task is for, and its id. */
  readonly own: readonly string[];
  readonly observed: ObservedView | undefined;
}

export interface Grading {
  /** The worst over every text of a value; `none` where it holds none. */
  gradeOf(value: Json): Provenance;
  /** The addresses that stand in a value, each once. */
  addressesOf(value: Json): readonly (readonly [string, Grade])[];
  amountOf(value: Json): Provenance;
}

/** Whoever asks chooses how many values there are, and decisions wait meanwhile: each is looked for once. */
export function gradingOf(known: Known): Grading {
  const graded = new Map<string, Grade>();
  const hosts = hostsOf(known);
  const [endorsed, own] = [spellingsOf(known.endorsed.values), spellingsOf(known.own)];
  const once = (text: string, look: () => Grade): Grade => {
    const before = graded.get(text);
    if (before !== undefined) return before;
    const found = look();
    graded.set(text, found);
    return found;
  };
  const look = (text: string): Grade => {
    const plain = plainly(text);
    if (isStated(known.statement, plain)) return "stated";
    const [address] = addressesIn(text);
    const spellings = [plain, squeezed(plain), ...(address && isWhole(plain, address) ? [address.value] : [])];
    if (spellings.some((spelling) => known.statement?.addresses.has(spelling))) return "stated";
    if (spellings.some((spelling) => endorsed.has(spelling))) return "endorsed";
    if (spellings.some((spelling) => own.has(spelling))) return "own";
    const observed = observedGrade(known, spellings);
    if (observed === "attested") return observed;
    if (address?.host !== undefined && isWithinHosts(address.host, hosts)) return "same_host";
    if (observed === "named_source" && address && isWhole(plain, address)) return sourceGrade(known, address);
    return observed ?? joinedGrade(known, { plain, endorsed, own }) ?? "unseen";
  };
  const grade = (text: string): Grade => once(text, () => look(text));
  return {
    gradeOf: (value) => worst(textsOf(value), grade),
    addressesOf: (value) =>
      addressesOfTexts(textsOf(value)).map((address) => [
        address.value,
        once(`address ${address.value}`, () => addressGrade(address, { known, grade, hosts })),
      ]),
    amountOf: (value) =>
      worst(textsOf(value), (text) => (grade(text) === "unseen" || grade(text) === "free_text" ? computedGrade(known, text) : grade(text))),
  };
}

/** Nothing but an address, which is known by the spelling that all have that name the same. */
const isWhole = (plain: string, { value }: Address): boolean => plain.replace(/^https?:\/+/u, "").replace(/\/+$/u, "") === value;

const addressesOfTexts = (texts: readonly string[]): readonly Address[] => [
  ...new Map(texts.flatMap(addressesIn).map((address) => [address.value, address])).values(),
];

const worst = (texts: readonly string[], grade: (text: string) => Grade): Provenance => {
  let found: Provenance = "none";
  for (const text of texts) {
    if (text.trim() === "") continue;
    found = worseOf(found, grade(text));
    if (found === "unseen") break;
  }
  return found;
};

function textsOf(value: Json): readonly string[] {
  if (isList(value)) return value.flatMap(textsOf);
  if (isObject(value)) return Object.values(value).flatMap(textsOf);
  return value === null || typeof value === "boolean" ? [] : [String(value)];
}

/** Whole words of the statement. A bare number counts where the statement says it as a number, not inside a date or a time. */
function isStated(statement: StatementWords | undefined, plain: string): boolean {
  if (!statement || plain === "") return false;
  if (/^[\d.,]+$/u.test(plain)) {
    const number = Number(plain.replace(",", "."));
    return statement.reading.numbers.includes(number) || statement.reading.quoted.includes(plain);
  }
  return holds(statement.plain, plain) || holdsWithoutSign(statement.plain, plain);
}

/** `#general` is `general`, and `@bob` is `bob`. */
const holdsWithoutSign = (words: string, plain: string): boolean => {
  const bare = plain.replace(/^[#@]/u, "");
  return (bare !== plain && bare.length > 1 && holds(words, bare)) || holds(words.replaceAll(/[#@](?=\p{L})/gu, ""), bare);
};

const spellingsOf = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(
    texts.flatMap((text) => [plainly(text), ...(/\d/.test(text) ? [squeezed(plainly(text))] : []), ...addressesIn(text).map(({ value }) => value)]),
  );

function observedGrade({ observed, endorsed }: Known, spellings: readonly string[]): Grade | undefined {
  for (const spelling of spellings) {
    const found = spelling === "" ? undefined : observed?.get(spelling);
    if (!found) continue;
    // A person said that what this tool returns may be followed.
    return found.grade === "free_text" && endorsed.sources.includes(found.tool) ? "named_source" : found.grade;
  }
  return undefined;
}

/**
 * An address in a source that the task names is one that the task wants if it speaks of addresses of the kind and states none: of a page that is to be
 * summarised, no link is wanted, and instead of a number that is stated, no other.
 */
function sourceGrade({ statement }: Known, { kind }: Address): Grade {
  if (!statement?.reading.addressKinds.has(kind)) return "free_text";
  return [...statement.addresses.values()].includes(kind) ? "free_text" : "named_source";
}

interface AddressQuestion {
  readonly known: Known;
  readonly grade: (text: string) => Grade;
  readonly hosts: ReadonlySet<string>;
}

function addressGrade({ value, host }: Address, { grade, hosts }: AddressQuestion): Grade {
  const itself = grade(value);
  if (itself === "free_text" && host !== undefined && isWithinHosts(host, hosts)) return "same_host";
  if (host === undefined || itself !== "unseen") return itself;
  return isWithinHosts(host, hosts) ? "same_host" : "unseen";
}

/** Hosts that the statement, an endorsement or the principal names. */
function hostsOf({ statement, endorsed, own }: Known): ReadonlySet<string> {
  const texts = [...(statement ? [statement.plain] : []), ...endorsed.values, ...own];
  return new Set(texts.flatMap(addressesIn).flatMap(({ kind, host }) => (kind === "url" && host !== undefined ? [withoutWww(host)] : [])));
}

const withoutWww = (host: string): string => host.replace(/^www\./u, "");

/** The host itself or one below it: nobody else can give out names there. */
function isWithinHosts(host: string, hosts: ReadonlySet<string>): boolean {
  if (hosts.size === 0) return false;
  let name = withoutWww(host);
  for (;;) {
    if (hosts.has(name)) return true;
    const dot = name.indexOf(".");
    if (dot === -1) return false;
    name = name.slice(dot + 1);
  }
}

interface Joined {
  readonly plain: string;
  readonly endorsed: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
}

/** `owner/name`, where both are known, or where it is a part of an address that the statement holds. Two parts at most: of many short ones anything can be made. */
function joinedGrade(known: Known, { plain, endorsed, own }: Joined): Grade | undefined {
  const parts = plain.split("/");
  if (parts.length !== 2 || parts.some((part) => part.length < 2)) return undefined;
  for (const address of known.statement?.addresses.keys() ?? []) if (`${address}/`.includes(`/${plain}/`)) return "stated";
  let found: Grade = "stated";
  for (const part of parts) {
    const named = endorsed.has(part) ? "endorsed" : own.has(part) ? "own" : observedGrade(known, [part]);
    const grade: Grade | undefined = isStated(known.statement, part) ? "stated" : named;
    if (grade === undefined) return undefined;
    found = worseOf(found, grade);
  }
  return found;
}

/** An amount that follows from known ones by one or two steps: a sum, a difference, a share in percent. */
function computedGrade({ statement, observed }: Known, text: string): Grade {
  const amount = Number(text.replace(",", "."));
  if (!Number.isFinite(amount)) return "unseen";
  const stated = statement?.reading.numbers ?? [];
  const base = [...new Set([...stated, ...(observed?.amounts ?? [])])].slice(-COMPUTED_FROM_MAX);
  const same = (value: number): boolean => Math.abs(value - amount) < 0.006;
  const steps = base.flatMap((a) => base.flatMap((b) => [a + b, a - b, (a * b) / 100, a / b]));
  if (steps.some(same)) return "attested";
  return steps.some((step) => base.some((c) => same(step + c) || same(step - c) || same(c - step))) ? "attested" : "unseen";
}

const COMPUTED_FROM_MAX = 24;
