import { type FactDeclaration, ranked, total } from "../fact.ts";
import type { ArgumentRole } from "../policy.ts";
import type { Subject } from "../situation.ts";
import { PROVENANCES } from "./grades.ts";
import { ALIGNMENTS } from "./scope.ts";
import { type IntentStanding, NOTHING_FOUND, OBJECT_STANDINGS, SCOPE_STANDINGS } from "./standing.ts";

const foundOf = ({ intent = NOTHING_FOUND }: Subject): IntentStanding => intent;

/** By the role of the argument. */
const provenance = (role: ArgumentRole, what: string): FactDeclaration =>
  total("string", "agent", {
    meaning: `where ${what} come from, the worst of them; \`none\` if there are none`,
    example: "free_text",
    read: ({ subject }) => foundOf(subject).provenance[role] ?? "none",
    ...ranked(PROVENANCES),
  });

/** What an action has to do with the words of its task (design.md §4). */
export const INTENT_FACTS: Readonly<Record<string, FactDeclaration>> = {
  "intent.scope": total("string", "agent", {
    meaning: "whether the task asks for what the action does: by its words, or by the tools that its scope lists",
    example: "outside",
    read: ({ subject }) => foundOf(subject).scope,
    ...ranked(SCOPE_STANDINGS),
  }),
  "intent.alignment": total("string", "agent", {
    meaning: "how well the words of the task match the tool: `full` in what is done and what it is done to, `partial` in what is done, or `none`",
    example: "partial",
    read: ({ subject }) => foundOf(subject).alignment,
    ...ranked(ALIGNMENTS),
  }),
  "intent.object": total("string", "agent", {
    meaning: "whether what the action names, such as what is deleted or booked, is what the task speaks of; `none` if it names nothing that is known",
    example: "unbound",
    read: ({ subject }) => foundOf(subject).object,
    ...ranked(OBJECT_STANDINGS),
  }),
  "provenance.destination": provenance("destination", "recipients and other destinations"),
  "provenance.target": provenance("target", "the things that the action is done to"),
  "provenance.secret": provenance("secret", "passwords and other secrets"),
  "provenance.amount": provenance("amount", "amounts"),
  "provenance.currency": provenance("currency", "currencies"),
  "provenance.free_text": provenance("free_text", "addresses of the web and of mail, accounts, phone numbers and keys inside free text"),
};
