import { GRADES, type Grade } from "../core/intent/grades.ts";
import { ALIGNMENTS } from "../core/intent/scope.ts";
import { type IntentStanding, OBJECT_STANDINGS, SCOPE_STANDINGS } from "../core/intent/standing.ts";
import type { Json, JsonObject } from "../core/words.ts";
import { described, jsonObject, listOf, mapOf, object, oneOf, plainValue, type Read, reading, text } from "./document.ts";

/** What an earlier call of the task returned. */
export interface CaseObserved {
  readonly tool: string;
  readonly arguments?: JsonObject;
  /** A text is what a tool returns as text. */
  readonly returned: Json;
}

const anyValue: Read<Json> = reading({}, (node) => plainValue(node));

export const observedShape = listOf(
  object(
    {
      tool: described(text, "which was called"),
      returned: described(anyValue, "what it returned: a value, or a text that is read as a report's is"),
    },
    { arguments: described(jsonObject, "with what it was called") },
  ),
);

/** What was found of a case's action beside the words of its task; what is left out is nothing. */
export type CaseIntent = Omit<IntentStanding, "words" | "provenance"> & Partial<IntentStanding>;

const grade: Read<Grade> = oneOf(GRADES);

export const intentShape = object(
  {
    scope: described(oneOf(SCOPE_STANDINGS), "whether the task asks for what the action does"),
    alignment: described(oneOf(ALIGNMENTS), "how well the words of the task match the tool"),
    object: described(oneOf(OBJECT_STANDINGS), "whether what the action names is what the task speaks of"),
  },
  {
    words: described(listOf(text), "the words by which it lies inside"),
    provenance: described(
      object({}, { destination: grade, target: grade, secret: grade, amount: grade, currency: grade, free_text: grade }),
      "where the values come from, by the role of the argument; what is left out is `none`",
    ),
    graded: described(mapOf(grade), "for whoever is asked: the grade of each argument with a role, and of each address in free text"),
  },
);
