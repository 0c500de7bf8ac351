/** A member that would be an object's prototype where somebody copies it by assignment. */
export const isForbiddenKey = (key: string): boolean => key === "__proto__";

/** Whether a number can be kept as one: whole numbers above 2^53, such as an account's, would lose their last digits. */
export const isNumberAsWritten = (source: string): boolean => !/^-?\d+$/u.test(source) || Number.isSafeInteger(Number(source));
