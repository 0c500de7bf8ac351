/** One spelling for many: compatibility characters, case, and blanks around. */
export const plainly = (text: string): string => (IS_PLAIN.test(text) ? text : text.normalize("NFKC").trim().replaceAll(/\s+/gu, " ").toLowerCase());

/** Nothing to change: most values are like this, and to look is cheaper. */
const IS_PLAIN = /^[!-@[-~]+(?: [!-@[-~]+)*$/;

/** For what is grouped in many ways, such as an IBAN or a phone number: its letters and digits alone. */
export const squeezed = (plain: string): string => plain.replaceAll(/[^\p{L}\p{N}]/gu, "");

/** A text that stands in words as often as this, and each time within a longer word, is none of them: whoever writes both could make each look cost thousands. */
const PLACES_MAX = 32;

/** Whether words hold a text as whole words: no part of a longer address or number. Both in plain spelling. */
export function holds(words: string, plain: string): boolean {
  if (plain === "") return false;
  let looked = 0;
  for (let at = words.indexOf(plain); at !== -1 && looked < PLACES_MAX; at = words.indexOf(plain, at + 1)) {
    looked++;
    // A character can be two units long.
    const before = words.slice(Math.max(0, at - 2), at);
    const after = words.slice(at + plain.length, at + plain.length + 3);
    if (!/[\p{L}\p{N}@._%+-]$/u.test(before) && !/^(?:[\p{L}\p{N}@_%+-]|[.,/:][\p{L}\p{N}])/u.test(after)) return true;
  }
  return false;
}

/** A key that is a name of a field, and not itself a value: no blanks, dots or signs. */
export const FIELD_NAME = /^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$/;
