// What shows nothing makes two names look alike: besides control and format characters, fillers and variation selectors.
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{fffd}]|^\s|\s$/u;
const PLAIN = /^[\w.:@/+=#-]+$/;

/** Whether two people who read the text read the same name: nothing in it is invisible, undecodable, or space at either end. */
export const isFitIdentifier = (text: string): boolean => PLAIN.test(text) || (text !== "" && !UNFIT.test(text));

/** What is to be said of a text that is not fit. */
export const UNFIT_IDENTIFIER = "holds a control, invisible or undecodable character, or begins or ends with space";
