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
  // Runs of stars are one `**`, so that no pattern backtracks over the same text twice.
  const parts = glob.split(/(\*{2,}|\*)/).filter((part) => part !== "");
  return (text) => matchesFrom(parts, text);
}

/** True when any glob of the list matches; an empty list matches nothing. */
export function compileGlobs(globs: readonly string[]): Matcher {
  if (globs.includes("*")) return everything;
  if (globs.length === 0) return nothing;
  const literals = new Set(globs.filter((glob) => !glob.includes("*")));
  const patterns = globs.filter((glob) => glob.includes("*")).map(compileGlob);
  return (text) => literals.has(text) || patterns.some((matches) => matches(text));
}

/** Linear in text × parts: the set of positions reached so far, part by part. */
function matchesFrom(parts: readonly string[], text: string): boolean {
  let reached: ReadonlySet<number> = new Set([0]);
  for (const part of parts) {
    reached = part[0] === "*" ? spread(part, text, reached) : advance(part, text, reached);
    if (reached.size === 0) return false;
  }
  return reached.has(text.length);
}

function advance(literal: string, text: string, reached: ReadonlySet<number>): ReadonlySet<number> {
  const next = new Set<number>();
  for (const from of reached) if (text.startsWith(literal, from)) next.add(from + literal.length);
  return next;
}

function spread(star: string, text: string, reached: ReadonlySet<number>): ReadonlySet<number> {
  const next = new Set<number>();
  for (const from of reached) {
    // A position that is there already has been spread from by an earlier start.
    for (let at = from; at <= text.length && !next.has(at); at++) {
      next.add(at);
      if (star === "*" && text[at] === "/") break;
    }
  }
  return next;
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
