import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { createInference } from "../../src/inference/infer.ts";

const infer = createInference();
const roleOf = (description: string, argument: string, stated: JsonObject, name = "t17") =>
  infer({ name, description, inputSchema: { type: "object", properties: { [argument]: stated } } }).arguments[0]?.value;
const text = (description: string): JsonObject => ({ type: "string", description });
const number = (description: string): JsonObject => ({ type: "integer", description });

describe("which thing is meant", () => {
  it.each([
    {
      tool: "Waters and trims a hedge.",
      argument: "hedge",
      stated: text(""),
      role: "free_text",
      says: "not of a tool that nobody knows to do something",
    },
    { tool: "Trims and locks a hedge.", argument: "hedge", stated: text(""), role: "free_text", says: "not where nobody knows the first verb" },
    { tool: "Locks a hedge.", argument: "hedge", stated: text(""), role: "target", says: "its name alone" },
    { tool: "Locks a hedge.", argument: "a1", stated: text("Hedge that is locked."), role: "target", says: "its name alone in a description" },
    { tool: "Locks a hedge.", argument: "into_hedge", stated: text(""), role: "target", says: "a preposition before it" },
    { tool: "Locks a hedge.", argument: "hedge_no", stated: text(""), role: "target", says: "a word for its number" },
    { tool: "Locks a hedge.", argument: "code", stated: text("The hedge code."), role: "target", says: "a word that is explained" },
    { tool: "Locks a hedge.", argument: "code", stated: text(""), role: "free_text", says: "not such a word alone" },
    { tool: "Locks a hedge.", argument: "number", stated: number("Number of the hedge."), role: "target", says: "a number that is one" },
    { tool: "Locks hedges.", argument: "hedges", stated: number("Hedges."), role: undefined, says: "not how many" },
    { tool: "Locks a hedge.", argument: "minutes", stated: number("1 to 60"), role: undefined, says: "not how long" },
    { tool: "Locks a hedge.", argument: "name", stated: text("Name of the hedge."), role: "target", says: "the name of what is there" },
    { tool: "Books a hedge.", argument: "hedge", stated: text(""), role: "target", says: "what is booked" },
    { tool: "Creates a hedge.", argument: "name", stated: text("Name of the hedge."), role: "free_text", says: "not the name of what is made" },
    { tool: "Creates a hedge in a garden.", argument: "garden", stated: text("Name of the garden."), role: "target", says: "where it is made" },
    {
      tool: "Saves a hedge. One of the same name is replaced.",
      argument: "name",
      stated: text("Name of the hedge."),
      role: "target",
      says: "what is replaced",
    },
    { tool: "Saves a hedge.", argument: "name", stated: text("Name of the hedge."), role: "free_text", says: "not what is saved under a name" },
    { tool: "Puts a plant into the shed.", argument: "sku", stated: text("SKU of the plant."), role: "target", says: "what is put somewhere" },
    { tool: "Sets the height of a hedge.", argument: "height", stated: text(""), role: "free_text", says: "not another value" },
    { tool: "Sets the height of a hedge.", argument: "hedge", stated: text(""), role: "target", says: "whose value it is" },
    { tool: "Locks a hedge.", argument: "a1", stated: text("Text of the hedge."), role: "free_text", says: "not what stands on it" },
    { tool: "Reads a hedge.", argument: "hedge", stated: text(""), role: "free_text", says: "not of what only reads" },
    { tool: "Assigns a hedge to a gardener.", argument: "gardener", stated: text(""), role: "target", says: "who gets it" },
    {
      tool: "Gives a user access to a garden.",
      argument: "login",
      stated: text("Login of the user."),
      role: "destination",
      says: "not who is let in",
    },
    { tool: "Blocks a user.", argument: "login", stated: text("Login of the user."), role: "target", says: "who is meant" },
  ])("is told by $says: $tool $argument", ({ tool, argument, stated, role }) => {
    expect(roleOf(tool, argument, stated)).toBe(role);
  });

  it("is none of the choices that the tool lists, unless anything else will do as well", () => {
    const choices = { type: "string", enum: ["tall", "low"] };
    expect(roleOf("Locks a hedge.", "hedge", choices)).toBeUndefined();
    expect(roleOf("Sends a letter.", "subject", choices)).toBeUndefined();
    expect(roleOf("Sends a letter.", "subject", { anyOf: [choices, { type: "string" }] })).toBe("free_text");
  });
});

describe("where something goes", () => {
  it.each([
    { tool: "Registers a return of a plant.", argument: "refundTo", says: "Where the refund goes.", role: "destination" },
    { tool: "Registers a return of a plant.", argument: "place", says: "Where the plant stands.", role: "free_text" },
    { tool: "Adds a delivery address.", argument: "name", says: "Who receives it.", role: "destination" },
    { tool: "Adds a delivery address.", argument: "street", says: "", role: "destination" },
    { tool: "Adds a plant.", argument: "street", says: "", role: "free_text" },
    { tool: "Updates an account.", argument: "email", says: "", role: "destination" },
    { tool: "Updates a hedge.", argument: "email", says: "", role: "free_text" },
    { tool: "Gets an account.", argument: "email", says: "", role: "free_text" },
    { tool: "Posts a message to a room.", argument: "room", says: "", role: "destination" },
    { tool: "Pins a message in a room.", argument: "room", says: "", role: "target" },
  ])("is told by what the tool does: $tool $argument, $says", ({ tool, argument, says, role }) => {
    expect(roleOf(tool, argument, text(says))).toBe(role);
  });

  it("has a worth where its unit is money", () => {
    expect(roleOf("Sends a voucher.", "value", { type: "number", description: "Value in euros." })).toBe("amount");
    expect(roleOf("Sends a voucher.", "value", { type: "number", description: "Value in metres." })).toBeUndefined();
    expect(roleOf("Gets a voucher.", "value", { type: "number", description: "Value in euros." })).toBeUndefined();
  });
});
