import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { ENGLISH } from "../../src/inference/english.ts";
import { createInference } from "../../src/inference/infer.ts";
import { createLanguage } from "../../src/inference/statement.ts";

const infer = createInference();
const schemaOf = (properties: JsonObject): JsonObject => ({ type: "object", properties });
const effectOf = (description: string, properties: JsonObject = {}) => {
  const { value, confidence } = infer({ name: "t17", description, inputSchema: schemaOf(properties) }).effect;
  return `${value} ${confidence}`;
};

describe("what a tool does whose name says nothing", () => {
  it.each([
    { says: "Gives back the hedges' details.", effect: "read high" },
    { says: "Gives the details of the hedge back.", effect: "read high" },
    { says: "Hands back a list of hedges.", effect: "read high" },
    { says: "Brings up what was planted.", effect: "read high" },
    { says: "Pulls up the weather of the garden.", effect: "read high" },
    { says: "Pulls the records of a bed, e.g. to compare them.", effect: "read high" },
    { says: "Goes through the notes on a bed.", effect: "read high" },
    { says: "Digs out a hedge by its number.", effect: "read high" },
    { says: "Comes back with the height of the hedge.", effect: "read high" },
    { says: "Scans the notes on a bed.", effect: "read high" },
    { says: "Establishes whether the gate is open.", effect: "read high" },
    { says: "Works out the height of the hedge.", effect: "read high" },
    { says: "Puts together a plan of the beds.", effect: "create high" },
    { says: "Jots down what was planted.", effect: "create high" },
    { says: "Makes changes to a bed.", effect: "update high" },
    { says: "Brings a plan up to date.", effect: "update high" },
    { says: "Gets rid of a hedge.", effect: "delete high" },
    { says: "Takes the hedge away.", effect: "delete high" },
    { says: "Calls off a delivery.", effect: "delete high" },
    { says: "Fires off a postcard.", effect: "send high" },
    { says: "Drops a line to the neighbours.", effect: "send high" },
    { says: "Lets the neighbours know.", effect: "send high" },
    { says: "Makes a plan available to the neighbours.", effect: "share high" },
    { says: "Lets others see a plan.", effect: "share high" },
    { says: "Settles up with the gardener.", effect: "pay high" },
    { says: "Moves money to the gardener.", effect: "pay high" },
    { says: "Revises a planned money transfer.", effect: "pay high" },
    { says: "Changes the secret phrase of the shed.", effect: "credential high" },
    { says: "Kicks off a shell script.", effect: "execute high" },
  ])("is said by more than one word: $says", ({ says, effect }) => {
    expect(effectOf(says)).toBe(effect);
  });

  it.each([
    { says: "gives goods back", description: "Gives back the books." },
    { says: "gives money back", description: "Gives back the deposit." },
    { says: "hands something to somebody", description: "Hands over the report to the gardener." },
    { says: "hands somebody something", description: "Gives a member the report." },
    { says: "pulls what is no information", description: "Pulls the fire alarm." },
    { says: "brings up what is no information", description: "Brings up the pump." },
    { says: "offers somebody something", description: "Offers a price to the seller." },
    { says: "has somebody else's things delivered", description: "Delivers a message." },
    { says: "gets goods", description: "Acquires a product." },
    { says: "tells somebody something", description: "Tells the members the date." },
    { says: "does what nobody knows and tells what came of it", description: "Zonks the hedge. Gives back the details of the hedge." },
    { says: "has a list of what it answers behind it", description: "Zonks the hedge. Includes the date and the name." },
  ])("is no reading where it $says", ({ description }) => {
    expect(effectOf(description)).not.toMatch(/^(read|browse)/);
  });

  it.each<{ says: string; properties: JsonObject; effect: string }>([
    { says: "a day to look for", properties: { a1: { type: "string", description: "The day to look for." } }, effect: "read high" },
    { says: "whom it goes to", properties: { a1: { type: "string", description: "The recipient." } }, effect: "unknown low" },
    { says: "what it says", properties: { a1: { type: "string", description: "The text of it." } }, effect: "unknown low" },
    { says: "an amount", properties: { a1: { type: "number", description: "The amount." } }, effect: "unknown low" },
  ])("by a verb of getting is a reading as long as nothing is handed over with it, such as $says", ({ properties, effect }) => {
    expect(effectOf("Brings in the report.", properties)).toBe(effect);
  });

  it("does not help out a name that says to get something by a later sentence", () => {
    expect(infer({ name: "get_hedge", description: "Zonks the hedge. Pulls the hedge." }).effect.value).not.toBe("read");
  });
});

describe("what an argument is for", () => {
  it.each([
    { of: "Sends a letter.", says: "The person who receives it.", role: "destination" },
    { of: "Sends a letter.", says: "The person on the receiving end.", role: "destination" },
    { of: "Sends a letter.", says: "The letter addresses of the addressees.", role: "destination" },
    { of: "Revises a bed.", says: "The mail address of the gardener.", role: "destination" },
    { of: "Revises a bed.", says: "The mail address of the sender.", role: "free_text" },
    { of: "Gets a bed.", says: "The mail address of the gardener.", role: "free_text" },
  ])("$role: `$says`", ({ of, says, role }) => {
    const inputSchema = schemaOf({ a1: { type: "string", description: says } });
    expect(infer({ name: "t17", description: of, inputSchema }).arguments.map(({ value }) => value)).toEqual([role]);
  });

  it.each([
    { says: "How much to pay.", role: "amount" },
    { says: "The quantity of money.", role: "amount" },
    { says: "The ID of the payment.", role: "target" },
    { says: "How many times.", role: undefined },
  ])("$role, where it is a number: `$says`", ({ says, role }) => {
    const inputSchema = schemaOf({ a1: { type: "integer", description: says } });
    expect(infer({ name: "t17", description: "Pays the gardener.", inputSchema }).arguments.map(({ value }) => value)).toEqual([role]);
  });
});

describe("words of one meaning", () => {
  const { stemsIn } = createLanguage();
  const meet = (one: string, other: string): boolean => [...stemsIn(one)].some((stem) => stemsIn(other).has(stem));

  it.each([
    ["document", "paper"],
    ["email", "letter"],
    ["email", "message"],
    ["text", "message"],
    ["payment", "sum"],
    ["meeting", "engagement"],
    ["folder", "directory"],
    ["password", "passphrase"],
  ])("meet: %s and %s", (one, other) => {
    expect(meet(one, other)).toBe(true);
  });

  it.each([
    ["email", "text"],
    ["file", "message"],
    ["file", "email"],
    ["meeting", "message"],
    ["meeting", "payment"],
    ["person", "payment"],
    ["folder", "file"],
  ])("do not make one thing of two: %s and %s", (one, other) => {
    expect(meet(one, other)).toBe(false);
  });
});

it("stands every phrase of the language for a verb that it knows", () => {
  const verbs = new Set([...Object.values(ENGLISH.verbs), ENGLISH.fetching, ENGLISH.light].flatMap((words) => words.split(/\s+/)));
  expect(Object.keys(ENGLISH.phrases).filter((meaning) => !verbs.has(meaning))).toEqual([]);
});
