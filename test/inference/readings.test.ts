import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/words.ts";
import { createInference } from "../../src/inference/infer.ts";

const infer = createInference();
const effectOf = (name: string, description: string, properties: JsonObject = { hedge_id: { type: "string" }, page: { type: "integer" } }) => {
  const { value, confidence } = infer({ name, description, inputSchema: { type: "object", properties } }).effect;
  return `${value} ${confidence}`;
};

describe("a description that begins with what comes back", () => {
  it.each([
    { name: "t17", description: "What gardeners wrote about hedges." },
    { name: "t17", description: "Everything there is to know about one hedge: height, age." },
    { name: "t17", description: "Full-text search over the hedges of the garden." },
    { name: "t17", description: "The tool shed, newest first." },
    { name: "t17", description: "Bills that came for a garden, with what was written on them." },
    { name: "t17", description: "Orders of a garden." },
    { name: "t17", description: "List of orders." },
    { name: "hedge_info", description: "What is known about a hedge." },
    { name: "getHedges", description: "What is in the garden." },
    { name: "searchInventory", description: "Full-text search over the hedges of the garden. Results have height and price." },
    { name: "listBills", description: "Bills that came for a garden." },
  ])("reads it: `$name`, $description", ({ name, description }) => {
    expect(effectOf(name, description)).toBe("read high");
  });

  it.each([
    { says: "is something that is done", name: "t17", description: "The payment of a gardener.", effect: "unknown low" },
    { says: "is something that is done, without an article", name: "t17", description: "Deletion of a hedge.", effect: "unknown low" },
    { says: "is a thing alone", name: "t17", description: "The shed.", effect: "unknown low" },
    { says: "may be done by a verb that nobody knows", name: "t17", description: "Zonk orders of a garden.", effect: "unknown low" },
    { says: "has a verb in its name that nobody knows", name: "zonk_orders", description: "Orders of a garden.", effect: "unknown low" },
    {
      says: "has a verb at the end of its name that nobody knows",
      name: "hedges_zonk",
      description: "The hedges of a garden.",
      effect: "unknown low",
    },
    { says: "goes on with what is done", name: "t17", description: "The hedges of a garden, and removes them.", effect: "unknown low" },
    { says: "goes on in another sentence", name: "t17", description: "What is in the shed. The shed will be emptied.", effect: "delete low" },
    { says: "is called by what it does", name: "purge_hedges", description: "The hedges of a garden, newest first.", effect: "delete high" },
    { says: "reads and does something, by its name", name: "list_and_purge", description: "What is in the shed.", effect: "delete high" },
    { says: "reads or makes something, by its name", name: "get_or_create_hedge", description: "What is in the shed.", effect: "create low" },
    {
      says: "goes on in its name with a verb that nobody knows",
      name: "search_and_zonk",
      description: "What is in the shed.",
      effect: "unknown low",
    },
    { says: "is a verb, with its object", name: "t17", description: "Bills a gardener.", effect: "pay high" },
    { says: "is a verb, with a sentence", name: "t17", description: "Records that a gardener came.", effect: "create high" },
    { says: "is a secret", name: "t17", description: "The password of a garden, as it is kept.", effect: "unknown low" },
  ])("reads nothing where it $says: `$name`, $description", ({ name, description, effect }) => {
    expect(effectOf(name, description)).toBe(effect);
  });

  it("reads what is looked for by a price", () => {
    expect(effectOf("t17", "Full-text search over hedges.", { max_price: { type: "number" } })).toBe("read high");
    expect(effectOf("t17", "Full-text search over hedges.", { price: { type: "number" } })).toBe("unknown low");
  });

  it("reads nothing where something is handed over", () => {
    const description = "The hedges of a garden, newest first.";
    expect(effectOf("t17", description, { text: { type: "string" } })).toBe("unknown low");
    expect(effectOf("t17", description, { to: { type: "string" } })).toBe("unknown low");
    expect(effectOf("t17", description, { amount: { type: "number" } })).toBe("unknown low");
  });
});

describe("nouns that are verbs as well", () => {
  it.each([
    { name: "hedge_get", description: "Show a hedge with its posts, shipping, payments and refunds.", effect: "read high" },
    { name: "t17", description: "Show a hedge, mailing the rest to a gardener.", effect: "send low" },
    { name: "orders_list", description: "Lists the orders of a garden.", effect: "read high" },
    { name: "orders_and_list", description: "Lists the orders of a garden.", effect: "create low" },
    { name: "contacts_find", description: "Finds gardeners.", effect: "read high" },
    { name: "orders_refund", description: "Refund an order.", effect: "pay high" },
    { name: "mail_search", description: "Searches the letters.", effect: "read high" },
    { name: "mail_search", description: "Mails what a search finds.", effect: "send high" },
    { name: "search_and_mail", description: "Searches the letters.", effect: "send low" },
    { name: "search_mail_gardener", description: "Searches the letters.", effect: "read high" },
    { name: "remove_search", description: "Searches the letters.", effect: "delete low" },
  ])("are told from verbs: `$name`, $description", ({ name, description, effect }) => {
    expect(effectOf(name, description)).toBe(effect);
  });

  it("are verbs where something is handed over", () => {
    expect(effectOf("mail_search", "Searches the letters.", { to: { type: "string" }, body: { type: "string" } })).toBe("send low");
  });
});

describe("what was read", () => {
  it.each([
    { description: "Gets the letters. They are marked as read once this tool is called.", effect: "read high" },
    { description: "Gets the letters. They are marked as junk once this tool is called.", effect: "update low" },
    { description: "Gets the letters. They will be flagged as seen.", effect: "read high" },
    { description: "Gets the letters. They are marked as perused once this tool is called.", effect: "read high" },
    { description: "Gets the letters. They are marked as answered once this tool is called.", effect: "update low" },
    { description: "Gets the letters. They will be deleted as read.", effect: "delete low" },
  ])("counts as read by then: $description", ({ description, effect }) => {
    expect(effectOf("t17", description)).toBe(effect);
  });
});
