/** One spelling for many: compatibility characters, case, and blanks around. */
export const plainly = (text: string): string => text.normalize("NFKC").trim().replaceAll(/\s+/gu, " ").toLowerCase();

/** For what is grouped in many ways, such as an IBAN or a phone number: its letters and digits alone. */
export const squeezed = (plain: string): string => plain.replaceAll(/[^\p{L}\p{N}]/gu, "");

/** Whether words hold a text as whole words: no part of a longer address or number. Both in plain spelling. */
export function holds(words: string, plain: string): boolean {
  for (let at = words.indexOf(plain); at !== -1; at = words.indexOf(plain, at + 1)) {
    // A character can be two units long.
    const before = words.slice(Math.max(0, at - 2), at);
    const after = words.slice(at + plain.length, at + plain.length + 3);
    if (!/[\p{L}\p{N}@._%+-]$/u.test(before) && !/^(?:[\p{L}\p{N}@_%+-]|[.,/:][\p{L}\p{N}])/u.test(after)) return true;
  }
  return false;
}

/** A key that is a name of a field, and not itself a value: no blanks, dots or signs. */
export const FIELD_NAME = /^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$/;
