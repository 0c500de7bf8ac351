/**
 * Kleene's strong three-valued logic, ordered FALSE < UNKNOWN < TRUE, so that `all` is the least part, `any` the greatest and `not` the
 * mirror image (S. C. Kleene, Introduction to Metamathematics, §64).
 */
export const FALSE = 0;
export const UNKNOWN = 1;
export const TRUE = 2;
export type Kleene = typeof FALSE | typeof UNKNOWN | typeof TRUE;

export const kleene = (value: boolean): Kleene => (value ? TRUE : FALSE);
export const not = (value: Kleene): Kleene => (2 - value) as Kleene;
