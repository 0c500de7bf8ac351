/**
 * Finds in free text what names somebody or something outside it: addresses of the web and of mail, domains, IBANs, phone numbers, long keys. It rather
 * finds one too many: what is found has to be accounted for.
 */
const IDENTIFIERS: readonly RegExp[] = [
  /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s<>"'`]+/giu,
  /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{1,253}\p{L}/giu,
  /(?<![@\p{L}\p{N}.-])(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,32}\p{L}{2,24}(?![\p{L}\p{N}@-])(?:\/[^\s<>"'`]*)?/giu,
  /(?<![\p{L}\p{N}])@[\p{L}\p{N}_.-]{2,64}/giu,
  /\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b/giu,
  /(?<![\p{L}\p{N}])\+?\d(?:[\s()./-]{0,3}\d){6,19}(?![\p{L}\p{N}])/gu,
  /(?<![\p{L}\p{N}])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\p{N}])/gu,
  /(?<![\p{L}\p{N}_-])(?=[A-Za-z0-9_+/=-]*\d)[A-Za-z0-9_+/=-]{16,}(?![\p{L}\p{N}_-])/gu,
];

/** Each once, in one spelling. */
export function identifiersIn(text: string): readonly string[] {
  const found = new Set<string>();
  const plain = text.normalize("NFKC").replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "");
  for (const pattern of IDENTIFIERS) for (const [match] of plain.matchAll(pattern)) found.add(spelledOnce(match));
  return [...found];
}

const spelledOnce = (identifier: string): string => identifier.toLowerCase().replaceAll(/[.,;:!?)\]}'"]+$/gu, "");
