import fc from "fast-check";
import { expect, it } from "vitest";
import { framed } from "../../faults/wire/hostile-connection.ts";
import { MessageArrival } from "../../src/endpoints/grpc/message-arrival.ts";

it("knows of each byte of a stream how much of its message has arrived, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (lengths, cuts) => {
        const arrived = lengths.flatMap((length) => Array.from({ length: 5 + length }, (_, index) => (index + 1) % (5 + length)));
        const bytes = Buffer.concat(lengths.map((length) => framed(new Uint8Array(length).fill(7))));
        const arrival = new MessageArrival();
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const chunk = bytes.subarray(at, at + (cuts[cut % cuts.length] ?? 1));
          arrival.take(chunk);
          at += chunk.length;
          expect(arrival.bytes).toBe(arrived[at - 1]);
        }
      },
    ),
  );
});
