/**
 * Globs of scopes, reach and catalog: `*` matches within a segment, `**` across segments; `*` alone matches everything. Segments are
 * parted by `/`.
 */
export type Matcher = (text: string) => boolean;

const everything: Matcher = () => true;
const nothing: Matcher = () => false;

export function compileGlob(glob: string): Matcher {
  if (glob === "*") return everything;
  if (!glob.includes("*")) return (text) => text === glob;
  // Runs of stars are one `**`, so that no pattern looks at the same text twice.
  const parts = glob.split(/(\*{2,}|\*)/).filter((part) => part !== "");
  return parts.includes("*") ? (text) => matchesSegments(parts, text) : (text) => matchesInOrder(parts, text);
}

/** True when any glob of the list matches; an empty list matches nothing. */
export function compileGlobs(globs: readonly string[]): Matcher {
  if (globs.includes("*")) return everything;
  if (globs.length === 0) return nothing;
  const literals = new Set(globs.filter((glob) => !glob.includes("*")));
  const patterns = globs.filter((glob) => glob.includes("*")).map(compileGlob);
  return (text) => literals.has(text) || patterns.some((matches) => matches(text));
}

/** A scope is compared with every action of its task, so what was compiled stays with the list, which never changes. */
const compiledLists = new WeakMap<readonly string[], Matcher>();

export function matcherOf(globs: readonly string[]): Matcher {
  const known = compiledLists.get(globs);
  if (known) return known;
  const matcher = compileGlobs(globs);
  compiledLists.set(globs, matcher);
  return matcher;
}

export const matchesAnyGlob = (globs: readonly string[], text: string): boolean => matcherOf(globs)(text);

/** Stand for what a star of the narrower glob may be: no text holds them, and only a star of the wider glob goes over them. */
const [WITHIN, ACROSS] = ["\u0001", "\u0002"];

/**
 * Whether everything that `narrower` matches is matched by `wider` too. Sound, not complete: it asks whether `wider` matches the other's very
 * pattern, star by star.
 */
export function globCovers(wider: string, narrower: string): boolean {
  if (wider === "*") return true;
  const pattern = narrower === "*" ? ACROSS : narrower.replaceAll(/\*+/g, (stars) => (stars.length > 1 ? ACROSS : WITHIN));
  return compileGlob(wider)(pattern);
}

/** Only `**` and literals: each literal is taken where it first stands after the one before. */
function matchesInOrder(parts: readonly string[], text: string): boolean {
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part.startsWith("**")) continue;
    const last = index === parts.length - 1;
    const from = index === 0 ? 0 : last ? Math.max(at, text.length - part.length) : text.indexOf(part, at);
    if (from === -1 || !text.startsWith(part, from)) return false;
    at = from + part.length;
  }
  return parts.at(-1)?.startsWith("**") === true || at === text.length;
}

/** Linear in text × parts: which positions are reached, part by part. */
function matchesSegments(parts: readonly string[], text: string): boolean {
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  // Most texts begin or end otherwise, and a star at either end says nothing of that.
  if ((!first.startsWith("*") && !text.startsWith(first)) || (!last.startsWith("*") && !text.endsWith(last))) return false;
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const part of parts) {
    const next = new Uint8Array(text.length + 1);
    if (part.startsWith("*")) spread(part, text, { reached, next });
    else for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) if (reached[at] === 1) next[at + part.length] = 1;
    reached = next;
    if (!reached.includes(1)) return false;
  }
  return reached[text.length] === 1;
}

interface Positions {
  readonly reached: Uint8Array;
  readonly next: Uint8Array;
}

function spread(star: string, text: string, { reached, next }: Positions): void {
  let open = false;
  for (let at = 0; at <= text.length; at++) {
    open ||= reached[at] === 1;
    if (!open) continue;
    next[at] = 1;
    // A single star ends before the slash that it has come to.
    if (star === "*" && (text[at] === "/" || text[at] === ACROSS)) open = false;
  }
}

/** Entries found by a glob of theirs. */
export interface GlobIndex<T> {
  find(text: string): readonly T[];
}

/**
 * Looks a text up among many globs. Most texts match none: one regular expression over a literal part of every glob says so at once.
 */
export function createGlobIndex<T>(entries: readonly { readonly glob: string; readonly value: T }[]): GlobIndex<T> {
  const compiled = entries.map(({ glob, value }) => ({ matches: compileGlob(glob), value }));
  const literals = entries.map(({ glob }) => longestLiteral(glob));
  const hint = literals.includes("")
    ? undefined
    : new RegExp([...new Set(literals)].map((literal) => literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"));
  return {
    find(text) {
      if (compiled.length === 0 || (hint && !hint.test(text))) return [];
      return compiled.filter(({ matches }) => matches(text)).map(({ value }) => value);
    },
  };
}

const longestLiteral = (glob: string): string => glob.split("*").reduce((longest, part) => (part.length > longest.length ? part : longest), "");
