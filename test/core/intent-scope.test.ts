import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createToolWords, matchOf, reachedBy } from "../../src/core/intent/scope.ts";
import { EFFECTS } from "../../src/core/words.ts";
import { createInference, type ListedTool } from "../../src/inference/infer.ts";
import { createLanguage } from "../../src/inference/statement.ts";
import { policyOf } from "../policies.ts";

const language = createLanguage();
const toolWords = createToolWords(language);
const { tools } = policyOf({
  tools: Object.fromEntries(
    EFFECTS.flatMap((effect) =>
      ["letter", "lamp"].flatMap((object) =>
        [{}, { arguments: { to: "destination" } }].map((more, at) => [
          `${effect}-${object}-${at}`,
          { effect, reversibility: "reversible", objects: [object], output: { trust: "trusted" }, ...more },
        ]),
      ),
    ),
  ),
});
const all = [...tools.values()];

/** How tools stand to a statement, by their names. */
const reachedOf = (statement: string) => {
  const reading = language.readStatement(statement);
  return new Map(all.map((tool) => [tool.name, reachedBy(matchOf(reading, tool.effect, toolWords(tool)), tool, tool.effect)]));
};

describe("which tools a statement reaches", () => {
  it.each([
    { statement: "Send the letter", tool: "send-letter-0", reached: "inside" },
    { statement: "Send the letter", tool: "send-lamp-0", reached: "inside_if_bound" },
    { statement: "Send the letter", tool: "delete-letter-0", reached: "outside" },
    { statement: "Send the letter", tool: "unknown-letter-0", reached: "outside" },
    { statement: "Read the letter", tool: "send-letter-1", reached: "outside" },
    { statement: "Read the letter", tool: "read-lamp-0", reached: "inside" },
    { statement: "Delete the letter", tool: "delete-letter-0", reached: "inside" },
    { statement: "Delete the letter", tool: "delete-lamp-0", reached: "inside_if_bound" },
    { statement: "Delete the letter", tool: "send-letter-0", reached: "outside" },
    { statement: "Read the letter and send a lamp", tool: "send-letter-1", reached: "inside" },
    { statement: "Do not send the letter", tool: "send-letter-1", reached: "outside" },
    { statement: "Change the lamp, but do not send the letter", tool: "delete-letter-0", reached: "outside" },
  ])("$statement: $tool is $reached", ({ statement, tool, reached }) => {
    expect(reachedOf(statement).get(tool)).toBe(reached);
  });

  const words = fc.constantFrom(
    "send",
    "delete",
    "read",
    "pay",
    "the",
    "letter",
    "lamp",
    "not",
    "Mark",
    "it",
    "all",
    ".",
    ",",
    "and",
    "'delete it'",
    "to",
    "I",
    "always allow",
  );
  const statements = fc.array(words, { maxLength: 12 }).map((some) => some.join(" "));

  /** How the first of some statements fails a claim about what it reaches, read in some way. */
  const failing = (claim: (statement: string, reached: typeof reachedOf) => void, reached: typeof reachedOf) =>
    fc.check(
      fc.property(statements, (statement) => claim(statement, reached)),
      { seed: 6, numRuns: 500 },
    );

  const deletesOnlyWhereAsked = (statement: string, reached: typeof reachedOf): void => {
    if (/delete(?! it')/.test(statement)) return;
    for (const [name, how] of reached(statement)) if (name.startsWith("delete")) expect(how).toBe("outside");
  };
  const minglesNoBlanks = (statement: string, reached: typeof reachedOf): void => {
    expect(reached(statement.replaceAll(" ", "  "))).toEqual(reached(statement));
  };

  it("reaches no deletion where no verb of deleting stands outside of quotes", () => {
    expect(failing(deletesOnlyWhereAsked, reachedOf)).toMatchObject({ failed: false, counterexample: null });
    expect(failing(deletesOnlyWhereAsked, (statement) => reachedOf(statement.replaceAll("'", ""))).failed).toBe(true);
  });

  it("reaches the same however many blanks stand between words", () => {
    expect(failing(minglesNoBlanks, reachedOf)).toMatchObject({ failed: false, counterexample: null });
    expect(failing(minglesNoBlanks, (statement) => reachedOf(statement.replaceAll("  ", ""))).failed).toBe(true);
  });
});

/** Tools as no server has them, said in full by their descriptions. */
const MADE_UP: readonly (readonly [name: readonly string[], description: string])[] = [
  [["water", "orchid"], "Waters an orchid."],
  [["find", "orchid"], "Finds an orchid by its name."],
  [["delete", "hedge"], "Deletes a hedge."],
  [["send", "postcard"], "Sends a postcard to a gardener."],
  [["rename", "shed"], "Renames a shed."],
  [["plan", "harvest"], "Creates a harvest plan."],
  [["pay", "gardener"], "Pays a gardener for a day."],
  [["share", "greenhouse"], "Shares a greenhouse with a neighbour."],
  [["list", "sprinklers"], "Lists the sprinklers of a lawn."],
  [["cancel", "delivery"], "Cancels a delivery of soil."],
];

type Spell = (words: readonly string[], at: number) => string;
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const SPELLINGS: Readonly<Record<string, Spell>> = {
  snake: (words) => words.join("_"),
  kebab: (words) => words.join("-"),
  camel: ([first = "", ...others]) => first + others.map(capital).join(""),
  pascal: (words) => words.map(capital).join(""),
  "with its server": (words) => `garden/${words.join("_")}`,
  "with a product": (words) => `Acme${words.map(capital).join("")}`,
  opaque: (_, at) => `t${at}`,
};

describe("a tool under another name", () => {
  const infer = createInference();
  const inferred = (tool: ListedTool) => {
    const { effect, objects } = infer(tool);
    return { effect: effect.value, objects: [...new Set(objects.value)].sort() };
  };
  const nameOnly = ({ name }: ListedTool) => inferred({ name });
  /** The first of some renamed tools of which something else is inferred than of the first spelling. */
  const differing = (read: (tool: ListedTool) => unknown) =>
    fc.check(
      fc.property(
        fc.nat(MADE_UP.length - 1),
        fc.constantFrom(...Object.values(SPELLINGS)),
        fc.constantFrom(...Object.values(SPELLINGS)),
        (at, one, other) => {
          const [words, description] = MADE_UP[at] ?? [[], ""];
          expect(read({ name: one(words, at), description })).toEqual(read({ name: other(words, at), description }));
        },
      ),
      { seed: 6, numRuns: 400 },
    );

  it("does what it did, to what it did it to, while its description stays", () => {
    const { failed, counterexample } = differing(inferred);
    expect({ failed, counterexample }).toEqual({ failed: false, counterexample: null });
  });

  it("would show if it were judged by its name", () => {
    expect(differing(nameOnly).failed).toBe(true);
  });
});
