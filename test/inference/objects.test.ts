import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInference, type ListedTool } from "../../src/inference/infer.ts";
import { OBJECTS_MAX } from "../../src/inference/objects.ts";

const infer = createInference();
const objectsOf = (description: string, name = "t17") => infer({ name, description }).objects.value.join(" ");

describe("what a tool's actions are done to", () => {
  it.each([
    { says: "Opens a plan on a desk and returns beds and paths.", objects: "plan desk" },
    { says: "Lists the orders and returns of a gardener.", objects: "orders returns gardener" },
    { says: "Waters a flower bed.", objects: "flower bed" },
    { says: "Creates a new garden plan with the given details and adds it to the shed.", objects: "garden plan" },
    { says: "Changes the details of a hedge.", objects: "hedge" },
    { says: "Adds a gardener to a team.", objects: "gardener team" },
    { says: "Removes a list of plants from the bed entirely, regardless of their age.", objects: "plants bed" },
    { says: "Add, remove or view plants in the user's greenhouse.", objects: "plants greenhouse" },
    { says: "Cancel a delivery and process any applicable refunds.", objects: "delivery refunds" },
    { says: "Cancel a delivery and return the receipt.", objects: "delivery" },
    { says: "Places an order for a shovel.", objects: "order shovel" },
    { says: "Sends a secure letter to a gardener by providing the gardener's number.", objects: "letter gardener" },
    { says: "Updates the delivery address of a pending order, such as its street.", objects: "delivery address order" },
    { says: "Changes the shipping address of an order.", objects: "address order" },
    { says: "Cancels a booking.", objects: "booking" },
    { says: "Gets a quote for shipping a parcel.", objects: "quote parcel" },
    { says: "Lets the robot mow a lawn.", objects: "robot mow lawn" },
    { says: "Lets the robot move to a shed.", objects: "robot shed" },
    { says: "Allows you to delete the hedges.", objects: "hedges" },
    { says: "Looks up a hedge that was planted last year.", objects: "hedge" },
    { says: "Zonks a hedge.", objects: "hedge" },
    { says: "Interact with a sprinkler by calling it.", objects: "sprinkler" },
    { says: "Tool for watering the hedges.", objects: "hedges" },
    { says: "Disconnects any active VPN (Virtual Private Network) connection.", objects: "vpn connection" },
    { says: "Cuts the hedge. It also sends a letter to the neighbour.", objects: "hedge" },
    { says: "Changes its details. Updates the hedge.", objects: "hedge" },
    { says: "Updates the `plants` of the bed with the given `bed_id`.", objects: "plants bed" },
    { says: "Removes a user from a team.", objects: "user team" },
    { says: "Sets the nickname of a user.", objects: "nickname" },
    { says: "Makes line-based changes to a plan.", objects: "plan" },
    { says: "Sets an automatic reply.", objects: "reply" },
    { says: "Adds a plant to the mailing list.", objects: "plant mailing" },
    { says: "Drafts a plan for a gardener to review before the start.", objects: "plan gardener" },
    { says: "Logs the reason why a gardener wants to leave.", objects: "reason" },
    { says: "Changes the lamps that your shed needs.", objects: "lamps" },
    { says: "Feeds a plant, adding to the gardener's bill.", objects: "plant" },
    { says: "Changes its details. If there is none, removes the hedge.", objects: "details" },
    { says: "Changes its details. Returns the hedge.", objects: "details" },
    { says: "Hedges and lawns.", objects: "hedges lawns" },
    { says: "Cuts hedges, and the hedge.", objects: "hedges" },
  ])("is said by `$says`", ({ says, objects }) => {
    expect(objectsOf(says)).toBe(objects);
  });

  it("is told by a name, where there is no description", () => {
    const named = (name: string) => infer({ name }).objects;
    expect(named("add_garden_bed")).toEqual({ value: ["garden", "bed"], confidence: "low", words: [{ from: "name", words: "garden bed" }] });
    expect(named("GardenManagerRemoveHedges").value).toEqual(["hedges"]);
    expect(named("crm/find_hedges_by_name").value).toEqual(["hedges"]);
    expect(named("hedge_delete").value).toEqual(["hedge"]);
    expect(named("t17").value).toEqual([]);
  });

  it("is told by the description first, then by what only the name or an operation says, with the words of each", () => {
    const inputSchema = { type: "object", properties: { action: { enum: ["cut_hedge", "remove_weeds", "list"] } } };
    expect(infer({ name: "update_lawn", description: "Updates the garden.", inputSchema }).objects).toEqual({
      value: ["garden", "lawn", "weeds"],
      confidence: "high",
      words: [
        { from: "description", words: "garden" },
        { from: "name", words: "lawn" },
        { from: "schema", words: "weeds" },
      ],
    });
  });

  it("is no word that says nothing, unless there is no other", () => {
    expect(objectsOf("Updates the details of an item.", "update_hedge")).toBe("hedge");
    expect(objectsOf("Updates the details of an item.")).toBe("details item");
    expect(infer({ name: "t17", description: "Updates the details of an item." }).objects.confidence).toBe("low");
  });

  it("is nothing where no word is read", () => {
    expect([objectsOf(""), objectsOf("删除所有文件"), objectsOf("Deletes it."), objectsOf("Updates `bed_id` and 17.")]).toEqual(["", "", "", ""]);
  });

  it("is told in no more words than there is a limit for", () => {
    const many = Array.from({ length: 30 }, (_, at) => `plant${String.fromCharCode(97 + (at % 26))}${at}`);
    expect(infer({ name: "t17", description: `Removes ${many.join(", ")}.` }).objects.value).toEqual(many.slice(0, OBJECTS_MAX));
  });

  describe("can be written into a catalog, whatever a server says", () => {
    const words = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("Deletes", "the", "hedge", "and", "to", ",", ".", "(", ")", "İ", "ß", "ŉ"));
    const holds = (objectsIn: (tool: ListedTool) => readonly string[]) =>
      fc.check(
        fc.property(fc.array(words, { maxLength: 60, size: "max" }), fc.string({ unit: "binary" }), (said, name) => {
          const objects = objectsIn({ name, description: said.join(" ") });
          return objects.length <= OBJECTS_MAX && objects.every((word) => /^[^A-Z\s]{1,64}$/.test(word));
        }),
        { seed: 6, numRuns: 500 },
      );

    it("always", () => {
      expect(holds((tool) => infer(tool).objects.value)).toMatchObject({ failed: false });
    });

    it.each<{ says: string; objectsIn: (tool: ListedTool) => readonly string[] }>([
      { says: "takes words as they stand", objectsIn: ({ description = "" }) => description.split(" ").slice(0, OBJECTS_MAX) },
      { says: "knows no limit", objectsIn: ({ description = "" }) => description.match(/[a-z]+/g) ?? [] },
    ])("which is found broken in one that $says", ({ objectsIn }) => {
      expect(holds(objectsIn)).toMatchObject({ failed: true });
    });
  });
});
