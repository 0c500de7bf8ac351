import canonicalize from "canonicalize";

/** RFC 8785 text. */
export function canonical(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a value without a canonical form");
  return text;
}
