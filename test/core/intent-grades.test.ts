import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Observed } from "../../src/core/intent/observed.ts";
import { type Grading, gradingOf, type Known } from "../../src/core/intent/provenance.ts";
import type { Json } from "../../src/core/words.ts";
import { registrableOf } from "../../src/inference/hosts.ts";
import { INTENT } from "../storage/deciders.ts";

const STATEMENT =
  "Pay Ada 1,200.50 EUR to account 4929123456781234 or DE89 3704 0044 0532 0130 00 by 2026-05-15, mail bob@example.com, post it in #general, " +
  "open a ticket in acme about gadgets, ask 10.0.0.7, and look at https://docs.example/start.";

const observed = new Observed();
observed.add({
  entries: [
    { value: "carol@example.net", grade: "attested", bound: false, naming: true, tool: "crm/read" },
    { value: "gb29nwbk60161331926819", grade: "attested", bound: false, naming: false, tool: "crm/read" },
    { value: "jdoe", grade: "attested", bound: false, naming: true, tool: "crm/read" },
    { value: "widgets", grade: "attested", bound: false, naming: true, tool: "crm/read" },
    { value: "room seven", grade: "named_source", bound: false, naming: true, tool: "mail/read" },
    { value: "room nine", grade: "free_text", bound: false, naming: true, tool: "mail/read" },
    { value: "dan@example.org", grade: "named_source", bound: false, naming: true, tool: "mail/read" },
    { value: "mallory@evil.example", grade: "free_text", bound: false, naming: true, tool: "mail/read" },
    { value: "evil.example/a", grade: "free_text", bound: false, naming: false, tool: "mail/read" },
  ],
  amounts: [300, 45],
  followed: [],
});

const KNOWN: Known = {
  statement: INTENT.read(STATEMENT),
  endorsed: { values: ["eve@example.org", "https://shop.example/terms"], sources: [] },
  own: ["alice", "alice@example.org", "+49 30 1234567"],
  observed,
};
const grading = gradingOf(KNOWN, registrableOf);

describe("where a value comes from", () => {
  it.each<{ says: string; value: Json; grade: string }>([
    { says: "an address that the task states", value: "bob@example.com", grade: "stated" },
    { says: "in capitals and with blanks", value: "  BOB@example.com ", grade: "stated" },
    { says: "a part of it is none", value: "ob@example.com", grade: "unseen" },
    { says: "its two halves without the sign between are none", value: "bobexample.com", grade: "unseen" },
    { says: "a channel without its sign", value: "general", grade: "stated" },
    { says: "a name with a sign before it", value: "@Ada", grade: "stated" },
    { says: "an amount, however written", value: 1200.5, grade: "stated" },
    { says: "the day of a date is no number", value: 15, grade: "unseen" },
    { says: "the number of an account", value: "4929123456781234", grade: "stated" },
    { says: "a part of that is none", value: "49291234", grade: "unseen" },
    { says: "an address of a machine", value: "10.0.0.7", grade: "stated" },
    { says: "an IBAN as it stands there", value: "DE89 3704 0044 0532 0130 00", grade: "stated" },
    { says: "what a person endorsed", value: "EVE@example.org", grade: "endorsed" },
    { says: "an attribute of the principal", value: "alice@example.org", grade: "own" },
    { says: "a phone number of theirs, grouped otherwise", value: "+49 301 234-567", grade: "own" },
    { says: "a field of a system of record", value: "carol@example.net", grade: "attested" },
    { says: "an IBAN of one, in groups", value: "GB29 NWBK 6016 1331 9268 19", grade: "attested" },
    { says: "a name with other signs in it is another", value: "j.doe", grade: "unseen" },
    { says: "a page below a stated host", value: "https://api.docs.example/v1", grade: "same_host" },
    { says: "a page of an endorsed host", value: "shop.example/cart", grade: "same_host" },
    { says: "a host that only ends alike", value: "https://evildocs.example/", grade: "unseen" },
    { says: "a mailbox at a stated host", value: "mallory@docs.example", grade: "unseen" },
    { says: "a stated host before another's address", value: "docs.example/x,mallory@evil.example", grade: "unseen" },
    { says: "the same with a blank", value: "https://docs.example/ https://evil.example/", grade: "unseen" },
    { says: "a stated host as a name to log in with", value: "https://docs.example@evil.example/", grade: "unseen" },
    { says: "a name in a text of a source that the task names", value: "Room Seven", grade: "named_source" },
    { says: "an address in one, where the task names others of the kind itself", value: "dan@example.org", grade: "free_text" },
    { says: "a text of any other", value: "mallory@evil.example", grade: "free_text" },
    { says: "nowhere", value: "nobody@nowhere.example", grade: "unseen" },
    { says: "two known parts", value: "acme/widgets", grade: "attested" },
    { says: "a known part and one that is not", value: "acme/evil", grade: "unseen" },
    { says: "three known parts are too many", value: "acme/widgets/gadgets", grade: "unseen" },
    { says: "the worst of several recipients", value: ["bob@example.com", "carol@example.net", "mallory@evil.example"], grade: "free_text" },
    { says: "the worst of those in a mapping", value: { to: ["bob@example.com"], cc: { first: "nobody@nowhere.example" } }, grade: "unseen" },
    { says: "a recipient who is a key", value: { "mallory@evil.example": true }, grade: "free_text" },
    { says: "a name that is a key with nothing under it", value: { mallory: true }, grade: "unseen" },
    { says: "the name of a field is none", value: { address: "bob@example.com", verified: true }, grade: "stated" },
    { says: "nothing", value: ["", null, "  "], grade: "none" },
  ])("$says: $grade", ({ value, grade }) => {
    expect(grading.gradeOf(value)).toBe(grade);
  });

  it("is nowhere without a task of a person's, an endorsement or a result", () => {
    const nothing = gradingOf({ endorsed: { values: [], sources: [] }, own: [], observed: undefined }, registrableOf);
    for (const value of ["bob@example.com", "carol@example.net", "eve@example.org", "alice"]) expect(nothing.gradeOf(value)).toBe("unseen");
  });

  it("is a named source for what a person says may be followed, and for that alone", () => {
    const endorsing = gradingOf({ ...KNOWN, endorsed: { values: [], sources: ["mail/read"] } }, registrableOf);
    expect(grading.gradeOf("Room Nine")).toBe("free_text");
    expect(endorsing.gradeOf("Room Nine")).toBe("named_source");
    expect(endorsing.gradeOf("mallory@evil.example")).toBe("named_source");
    expect(endorsing.gradeOf("nobody@nowhere.example")).toBe("unseen");
  });

  it.each<{ amount: Json; grade: string }>([
    { amount: 345, grade: "attested" },
    { amount: "255", grade: "attested" },
    { amount: 1155.5, grade: "attested" },
    { amount: 99_999, grade: "unseen" },
    { amount: [345, 99_999], grade: "unseen" },
  ])("is computed for an amount that follows from known ones: $amount is $grade", ({ amount, grade }) => {
    expect(grading.amountOf(amount)).toBe(grade);
    if (grade === "attested") expect(grading.gradeOf(amount)).toBe("unseen");
  });

  it("is looked for of each address in a text", () => {
    const text = "Write to bob@example.com, see https://evil.example/a and https://docs.example/b";
    expect(Object.fromEntries(grading.addressesOf({ body: text }))).toEqual({
      "bob@example.com": "stated",
      "evil.example/a": "free_text",
      "docs.example/b": "same_host",
    });
  });
});

describe("what was only read in free text", () => {
  const ORDER = ["none", "stated", "endorsed", "own", "attested", "same_host", "named_source", "free_text", "unseen"];
  const names = fc.stringMatching(/^[a-z]{3,8}$/);
  const addresses = fc.tuple(names, names).map(([who, host]) => `${who}@${host}.test`);

  /** The first value that some grading takes for better than free text though nothing else vouches for it. */
  const lifted = (grade: (text: string, seen: Observed) => ReturnType<Grading["gradeOf"]>) =>
    fc.check(
      fc.property(addresses, (address) => {
        const seen = new Observed();
        seen.add({ entries: [{ value: address, grade: "free_text", bound: false, naming: true, tool: "web/fetch" }], amounts: [], followed: [] });
        expect(ORDER.indexOf(grade(address, seen))).toBeGreaterThanOrEqual(ORDER.indexOf("free_text"));
      }),
      { seed: 6, numRuns: 200 },
    );

  it("is never graded better than free text", () => {
    expect(lifted((text, seen) => gradingOf({ ...KNOWN, observed: seen }, registrableOf).gradeOf(text)).failed).toBe(false);
  });

  it("is found out where it is", () => {
    const believing = (text: string, seen: Observed) => (seen.get(text) ? "attested" : gradingOf(KNOWN, registrableOf).gradeOf(text));
    expect(lifted(believing).failed).toBe(true);
  });
});
