import { fromBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { batchesOf } from "../../bench/batch-load.ts";
import { numberedBodies } from "../../bench/numbered-bodies.ts";
import { CONVERSATIONS, type RequestKind, requestTemplates } from "../../bench/requests.ts";
import { DecideBatchRequestSchema, DecideRequestSchema } from "../../src/gen/behest/v1/decision_pb.ts";

const taken = (kind: RequestKind, count: number): readonly string[] => {
  const bodies = numberedBodies(requestTemplates(kind, CONVERSATIONS.slice(0, 3)));
  return Array.from({ length: count }, () => bodies.next().value?.toString("hex") ?? "");
};

it.each<{ says: string; kind: RequestKind; different: number }>([
  { says: "distinct requests, as JSON, are never alike", kind: { variety: "distinct", form: "json" }, different: 300 },
  { says: "distinct requests, as a Struct, are never alike", kind: { variety: "distinct", form: "struct" }, different: 300 },
  { says: "requests with the same facts differ in what they act upon", kind: { variety: "same_facts", form: "json" }, different: 300 },
  { says: "identical requests are one for each agent", kind: { variety: "identical", form: "json" }, different: 3 },
])("$says", ({ kind, different }) => {
  const bodies = taken(kind, 300);
  expect(new Set(bodies).size).toBe(different);
  const again = taken(kind, 300);
  expect(again.filter((body) => bodies.includes(body)).length).toBe(different === 300 ? 0 : 300);
});

it("numbers stand in the arguments that the rules read, in either form", () => {
  const limits = (["json", "struct"] as const).map((form) => {
    const body = Buffer.from(taken({ variety: "distinct", form }, 1)[0] ?? "", "hex");
    const { action } = fromBinary(DecideRequestSchema, body);
    const read = action?.argumentsForm;
    return read?.case === "argumentsJson" ? JSON.parse(read.value).limit : read?.value?.["limit"];
  });
  for (const limit of limits) expect(limit).toBeLessThan(-1_000_000_000);
});

it("a batch holds its requests whole, each once, whatever their lengths", () => {
  const lengths = [200, 127, 128, 0, 300, 5_000, 16_384];
  function* bodies(): Generator<Buffer, undefined> {
    for (const length of lengths) {
      // An unknown field of the request, so that any length is one that can be read.
      const head = length < 3 ? [] : [0xfa, 0x7d];
      let rest = Math.max(0, length);
      for (; head.length > 0 && rest >= 128; rest >>= 7) head.push((rest & 127) | 128);
      if (head.length > 0) head.push(rest);
      yield Buffer.concat([Buffer.from(head), Buffer.alloc(length < 3 ? 0 : length, 1)]);
    }
  }
  const sent = [...bodies()];
  const batch = batchesOf(bodies(), lengths.length).next().value;
  const { items } = fromBinary(DecideBatchRequestSchema, batch ?? Buffer.alloc(0));
  expect(items.map(({ $unknown }) => $unknown?.[0]?.data.length ?? 0)).toEqual(sent.map((body) => (body.length === 0 ? 0 : body.length - 2)));
});
