import { isList, isObject } from "../json.ts";
import type { Json } from "../words.ts";
import { type Address, addressesIn } from "./addresses.ts";
import { type Grade, type Provenance, worseOf } from "./grades.ts";
import type { Language } from "./language.ts";
import type { ObservedView } from "./observed.ts";
import type { StatementWords } from "./observing.ts";
import { FIELD_NAME, holds, plainly, squeezed } from "./spelling.ts";

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

/** Texts and addresses of one call whose grade is looked for, some 20 ms; where more of them differ, nobody vouches for the rest. */
export const GRADED_MAX = 2_048;

/** Whoever asks chooses how many values there are, and decisions wait meanwhile: each is looked for once. */
export function gradingOf(known: Known, registrableOf: Language["registrableOf"]): Grading {
  const graded = new Map<string, Grade>();
  let hosts: ReadonlySet<string> | undefined;
  const isOurs = (host: string): boolean => {
    hosts ??= hostsOf(known, registrableOf);
    return hosts.size > 0 && hosts.has(registrableOf(host) ?? withoutWww(host));
  };
  const endorsed = spelledOnce(known.endorsed.values);
  const own = spelledOnce(known.own);
  const found = new Map<string, readonly Address[]>();
  const addressesOf = (text: string): readonly Address[] => {
    const before = found.get(text);
    if (before) return before;
    const addresses = addressesIn(text);
    found.set(text, addresses);
    return addresses;
  };
  const once = (text: string, look: () => Grade): Grade => {
    const before = graded.get(text);
    if (before !== undefined) return before;
    if (graded.size >= GRADED_MAX) return "unseen";
    const found = look();
    graded.set(text, found);
    return found;
  };
  const look = (text: string): Grade => {
    const plain = plainly(text);
    if (isStated(known.statement, plain)) return "stated";
    const addresses = addressesOf(text);
    const [address] = addresses;
    const spellings = [plain, ...numbersOf(plain), ...(address && isWhole(plain, address) ? [address.value] : [])];
    if (spellings.some((spelling) => known.statement?.addresses.has(spelling))) return "stated";
    if (holdsAny(endorsed(), spellings)) return "endorsed";
    if (holdsAny(own(), spellings)) return "own";
    const observed = observedGrade(known, spellings);
    if (observed === "attested") return observed;
    if (isOneOf(text, addresses, isOurs)) return "same_host";
    if (observed === "named_source" && address && isWhole(plain, address)) return sourceGrade(known, address);
    return observed ?? joinedGrade(known, { plain, endorsed: endorsed(), own: own() }) ?? "unseen";
  };
  const grade = (text: string): Grade => once(text, () => look(text));
  return {
    gradeOf: (value) => worst(textsOf(value), grade),
    addressesOf: (value) =>
      onceEach(typeof value === "string" ? addressesOf(value) : textsOf(value).flatMap(addressesOf)).map((address) => [
        address.value,
        once(`address ${address.value}`, () => addressGrade(address, { known, grade, isOurs })),
      ]),
    amountOf: (value) =>
      // What anybody may have written is not computed by being written: any number is two others apart, added and taken away again.
      worst(textsOf(value), (text) => (grade(text) === "unseen" ? computedGrade(known, text) : grade(text))),
  };
}

/** Nothing but an address, which is known by the spelling that all have that name the same. */
const isWhole = (plain: string, { value }: Address): boolean => plain.replace(/^https?:\/+/u, "").replace(/\/+$/u, "") === value;

/** One address of the web, and nothing behind it: of several, one would speak for the others. */
const isOneOf = (text: string, addresses: readonly Address[], isOurs: (host: string) => boolean): boolean =>
  addresses.length > 0 && !/[\s,;|]/u.test(text.trim()) && addresses.every((address) => isPageOf(address, isOurs));

/** A page of the web of theirs, and none that leads on to another's or is no page, such as `javascript://`. */
const isPageOf = ({ host, value }: Address, isOurs: (host: string) => boolean): boolean =>
  host !== undefined && isOurs(host) && !/:[/\\]|(?:[/?#&=]|%2f)(?:[/\\]|%2f|%5c){2}|%3a(?:[/\\]|%2f|%5c)/iu.test(value);

/** Of what is a number in groups, its one spelling. Names are told apart by their signs: `j.doe` is not `jdoe`. */
const numbersOf = (plain: string): readonly string[] => (GROUPED.test(plain) ? [squeezed(plain)] : []);
const GROUPED_DIGITS_MIN = 7;
const GROUPED = new RegExp(`^(?:\\D*\\d){${GROUPED_DIGITS_MIN}}`);

const onceEach = (addresses: readonly Address[]): readonly Address[] =>
  addresses.length < 2 ? addresses : [...new Map(addresses.map((address) => [address.value, address])).values()];

const worst = (texts: readonly string[], grade: (text: string) => Grade): Provenance => {
  let found: Provenance = "none";
  for (const text of texts) {
    if (text.trim() === "") continue;
    found = worseOf(found, grade(text));
    if (found === "unseen") break;
  }
  return found;
};

/** Every text of an argument, however deep. A key is one where it cannot be the name of a field, or names nothing: `{"ada": true}`. */
export function textsOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (isList(value)) return value.flatMap(textsOf);
  if (!isObject(value)) return value === null || typeof value === "boolean" ? [] : [String(value)];
  const texts = Object.values(value).flatMap(textsOf);
  return [...Object.keys(value).filter((key) => texts.length === 0 || !FIELD_NAME.test(key)), ...texts];
}

/** Whole words of the statement. A bare number counts where the statement says it as a number, not inside a date or a time; a long one may be an account. */
function isStated(statement: StatementWords | undefined, plain: string): boolean {
  if (!statement || plain === "") return false;
  if (/^(?:0|[1-9]\d*)(?:[.,]\d+)?$/u.test(plain)) {
    const number = Number(plain.replace(",", "."));
    if (statement.reading.numbers.includes(number) || statement.reading.quoted.includes(plain)) return true;
    if (plain.length < GROUPED_DIGITS_MIN) return false;
  }
  if (holds(statement.plain, plain) || holdsWithoutSign(statement, plain)) return true;
  // `the README` is README.md.
  const named = /^([^/\\\s]{4,})\.[a-z0-9]{1,5}$/u.exec(plain)?.[1];
  return named !== undefined && holds(statement.plain, named);
}

/** `#general` is `general`, and `@bob` is `bob`. */
const holdsWithoutSign = (statement: StatementWords, plain: string): boolean => {
  const bare = plain.replace(/^[#@]/, "");
  return (bare !== plain && bare.length > 1 && holds(statement.plain, bare)) || holds(statement.plainWithoutSigns, bare);
};

const NO_SPELLINGS: ReadonlySet<string> = new Set();
/** Whom a task is for never changes, so what was made of it stays with the list. */
const spelled = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Made where something is compared with them, and once. */
const spelledOnce = (texts: readonly string[]) => (): ReadonlySet<string> => {
  if (texts.length === 0) return NO_SPELLINGS;
  const known = spelled.get(texts);
  if (known) return known;
  const spellings = spellingsOf(texts);
  spelled.set(texts, spellings);
  return spellings;
};
const holdsAny = (known: ReadonlySet<string>, spellings: readonly string[]): boolean =>
  known.size > 0 && spellings.some((spelling) => known.has(spelling));

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
 * An address in a source that the task names is one that the task wants if it speaks of addresses of the kind, and states none but of pages, which it may
 * want read: of a page that is to be summarised, no link is wanted, and instead of a number that is stated, no other.
 */
function sourceGrade({ statement, endorsed, observed }: Known, { kind, value }: Address): Grade {
  // Of what a person has said may be followed, every address may be.
  if (endorsed.sources.includes(observed?.get(value)?.tool ?? "")) return "named_source";
  if (!statement?.reading.addressKinds.has(kind)) return "free_text";
  return kind !== "url" && [...statement.addresses.values()].includes(kind) ? "free_text" : "named_source";
}

interface AddressQuestion {
  readonly known: Known;
  readonly grade: (text: string) => Grade;
  /** Of somebody whom the statement, an endorsement or the principal names. */
  readonly isOurs: (host: string) => boolean;
}

function addressGrade(address: Address, { grade, isOurs }: AddressQuestion): Grade {
  const itself = grade(address.value);
  const isWorse = itself === "named_source" || itself === "free_text" || itself === "unseen";
  return isWorse && isPageOf(address, isOurs) ? "same_host" : itself;
}

/** What is registered of the hosts that the statement, an endorsement or the principal names; of the principal's own mail address, its host. */
function hostsOf({ statement, endorsed, own }: Known, registrableOf: Language["registrableOf"]): ReadonlySet<string> {
  const named = [...(statement?.addresses.keys() ?? []), ...[...endorsed.values, ...own].flatMap(addressesIn).map(({ value }) => value)];
  const hosts = named.flatMap(addressesIn).flatMap(({ kind, host }) => (kind === "url" && host !== undefined ? [host] : []));
  const mailHosts = own.flatMap(addressesIn).flatMap(({ kind, value }) => (kind === "email" ? [value.slice(value.lastIndexOf("@") + 1)] : []));
  return new Set([...hosts, ...mailHosts].map((host) => registrableOf(host) ?? withoutWww(host)));
}

const withoutWww = (host: string): string => host.replace(/^www\./u, "");

interface Joined {
  readonly plain: string;
  readonly endorsed: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
}

/** `owner/name`, where both are known, or where it is a part of an address that the statement holds. Two parts at most: of many short ones anything can be made. */
function joinedGrade(known: Known, { plain, endorsed, own }: Joined): Grade | undefined {
  const slash = plain.indexOf("/");
  if (slash === -1 || plain.includes("/", slash + 1)) return undefined;
  const parts = plain.split("/");
  if (parts.some((part) => part.length < 2)) return undefined;
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

/** Halves, thirds and tenths. */
const PARTS = [2, 3, 4, 10];

/** An amount that follows from known ones by one or two steps, and may be rounded: a sum, a difference, a part, a share in percent. */
function computedGrade({ statement, observed }: Known, text: string): Grade {
  const amount = Number(text.replace(",", "."));
  if (!Number.isFinite(amount)) return "unseen";
  const stated = statement?.reading.numbers ?? [];
  const base = [...new Set([...stated, ...(observed?.amounts ?? [])])].slice(-COMPUTED_FROM_MAX);
  const within = Number.isInteger(amount) ? 0.999 : 0.006;
  const same = (value: number): boolean => Math.abs(value - amount) < within;
  const steps = base.flatMap((a) => [...base.flatMap((b) => [a + b, a - b, (a * b) / 100, a / b]), ...PARTS.map((part) => a / part)]);
  if (steps.some(same)) return "attested";
  return steps.some((step) => base.some((c) => same(step + c) || same(step - c) || same(c - step))) ? "attested" : "unseen";
}

const COMPUTED_FROM_MAX = 24;
