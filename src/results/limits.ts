/** Characters of the longest text that is read as JSON: 1 MiB takes some milliseconds. */
export const RESULT_CHARACTERS_MAX = 1_048_576;
/** Characters of the longest text that is read as YAML, which takes about twenty times as long for each. */
export const YAML_CHARACTERS_MAX = 65_536;
/** Lines, commas, brackets, dashes and the like in a text that is read as YAML: what takes the time is they, and no two values stand without one between. */
export const YAML_MARKS_MAX = 5_000;
/** Mappings, lists and values in one JSON text, itself included: what takes the time is they, more than characters. */
export const NODES_MAX = 10_000;
/** Levels of mappings and lists in one result, itself included. */
export const LEVELS_MAX = 32;
