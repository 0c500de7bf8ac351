import type { ReadResult } from "../core/ports.ts";
import { readJson } from "./json.ts";
import { RESULT_CHARACTERS_MAX } from "./limits.ts";
import { readYaml } from "./yaml.ts";

/** JSON, else YAML, else prose. It never throws, and what it takes is bounded before anything is read. */
export const readResult: ReadResult = (text) => {
  if (text.length > RESULT_CHARACTERS_MAX) return undefined;
  const plain = text.replace(/^\uFEFF/u, "");
  return readJson(plain) ?? readYaml(plain);
};
