import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { createInference } from "../../src/inference/infer.ts";

const infer = createInference();
const inferred = (description: string, properties: JsonObject = {}, name = "t17") =>
  infer({ name, description, inputSchema: { type: "object", properties } });
const effectOf = (description: string, properties: JsonObject = {}) => {
  const { value, confidence } = inferred(description, properties).effect;
  return `${value} ${confidence}`;
};

describe("what a tool does beside", () => {
  it.each([
    { description: "Books a shed. The card on file is charged on arrival.", effect: "pay high" },
    { description: "Books a shed; a fee is charged.", effect: "pay high" },
    { description: "Books a shed. If you stay away, a fee is charged.", effect: "create high" },
    { description: "Books a shed. The card is not charged.", effect: "create high" },
    { description: "Books a robot. Its battery is charged.", effect: "create high" },
    { description: "Shows the card that is charged.", effect: "read high" },
    { description: "Shows a shed. The card is charged on arrival.", effect: "read high" },
    { description: "Adds a person to a room.", effect: "share high" },
    { description: "Adds a person of the garden to one of its teams.", effect: "share high" },
    { description: "Opens a room and puts the gardeners into it.", effect: "update low" },
    { description: "Creates a room and puts the given people into it.", effect: "share high" },
    { description: "Adds a person to a waiting list.", effect: "create high" },
    { description: "Adds a lamp to a room.", effect: "create high" },
    { description: "Removes a person from a room.", effect: "delete high" },
    { description: "Merges a branch into another.", effect: "update high" },
    { description: "Publishes a release.", effect: "send high" },
    { description: "Triggers a build.", effect: "update high" },
    { description: "Starts a workflow.", effect: "execute high" },
  ])("counts: $description", ({ description, effect }) => {
    expect(effectOf(description)).toBe(effect);
  });

  it("is reading, where nothing but an address is opened", () => {
    const url = { url: { type: "string", description: "Address of the page." } };
    expect(effectOf("Opens a plan on the web and returns its text.", url)).toBe("browse high");
    expect(effectOf("Opens a plan on the web and returns its text.")).toBe("create low");
    expect(effectOf("Opens an account on a page of the web.", { ...url, title: { type: "string" } })).toBe("create low");
    expect(effectOf("Opens a plan on the web and deletes it.", url)).toBe("delete low");
  });
});

describe("whether it can be taken back", () => {
  it.each([
    { description: "Takes a plant out of the cart.", reversibility: "reversible" },
    { description: "Removes a plant from the shared list.", reversibility: "reversible" },
    { description: "Removes a plant from the cart permanently.", reversibility: "irreversible" },
    { description: "Deletes a plant from the list.", reversibility: "irreversible" },
    { description: "Removes a plant from the bed.", reversibility: "irreversible" },
    { description: "Removes a list of plants.", reversibility: "irreversible" },
  ])("depends on what it is taken from: $description", ({ description, reversibility }) => {
    expect(inferred(description).reversibility.value).toBe(reversibility);
  });
});

describe("how far what comes back is trusted", () => {
  it.each([
    { description: "Shows what is in the cart.", trust: "trusted" },
    { description: "Lists the bookings of the gardener: sheds and train tickets.", trust: "trusted" },
    { description: "Lists the tickets of the gardener.", trust: "untrusted" },
    { description: "Lists the bookings with the comments on them.", trust: "untrusted" },
    { description: "Lists the members of a garden.", trust: "trusted" },
    { description: "Lists the rooms of a garden, with topic and number of members.", trust: "untrusted" },
    { description: "Finds customers by e-mail address.", trust: "trusted" },
    { description: "Finds the e-mails of customers.", trust: "untrusted" },
    { description: "Everything about a garden: address, plants.", trust: "untrusted" },
    { description: "What customers wrote about an order.", trust: "untrusted" },
    { description: "Registers a return of a plant and issues a label.", trust: "trusted" },
    { description: "Registers a plant. Returns the issues of the garden.", trust: "untrusted" },
  ])("is told by who writes it: $description", ({ description, trust }) => {
    expect(inferred(description).trust.value).toBe(trust);
  });
});
