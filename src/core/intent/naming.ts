/** How the task names a record: not; by one word; by several; in so many words, or by what the system says of it. */
export const NAMINGS = ["none", "word", "words", "exact"] as const;
export type Naming = (typeof NAMINGS)[number];
export const strongerOf = (a: Naming, b: Naming): Naming => (NAMINGS.indexOf(a) >= NAMINGS.indexOf(b) ? a : b);
