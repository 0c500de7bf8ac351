import { describe, expect, it } from "vitest";
import { Observed } from "../../src/core/intent/observed.ts";
import { type Grading, gradingOf } from "../../src/core/intent/provenance.ts";
import type { Json } from "../../src/core/words.ts";
import { registrableOf } from "../../src/inference/hosts.ts";
import { policyOf } from "../policies.ts";
import { INTENT } from "../storage/deciders.ts";

const tool = (trust: string): object => ({ effect: "read", reversibility: "reversible", output: { trust } });
const { tools } = policyOf({ tools: { "mail/read": tool("untrusted"), "calendar/read": tool("trusted") } });

interface Came {
  readonly from: string;
  readonly result: Json;
}

const STATEMENT = "Pay the invoice that came in May and look at https://bank.example/pay";

/** What is known once somebody who can write into a result has done so, without knowing the words of the task. */
function knownFrom({ from, result }: Came): Grading {
  const observed = new Observed();
  const returned = { text: JSON.stringify(result), toolName: from, tool: tools.get(from), arguments: {} };
  observed.add(INTENT.observe(returned, { statement: STATEMENT, observed: undefined }));
  return gradingOf({ statement: INTENT.read(STATEMENT), endorsed: { values: [], sources: [] }, own: ["alice"], observed }, registrableOf);
}

describe("what somebody writes who wants to be taken for another", () => {
  it.each<{ says: string; came: Came; value: string; grade: string }>([
    { says: "an id, which the system gives", came: { from: "mail/read", result: [{ id: "m-17" }] }, value: "m-17", grade: "attested" },
    { says: "a host in an id", came: { from: "mail/read", result: [{ id: "evil.com" }] }, value: "evil.com", grade: "free_text" },
    {
      says: "an account in an id",
      came: { from: "mail/read", result: [{ id: "DE89370400440532013000" }] },
      value: "DE89370400440532013000",
      grade: "free_text",
    },
    {
      says: "whoever invites, in a calendar",
      came: { from: "calendar/read", result: [{ organizer: "eve@evil.com" }] },
      value: "eve@evil.com",
      grade: "free_text",
    },
    {
      says: "what the calendar itself says",
      came: { from: "calendar/read", result: [{ desk: "ada@example.org" }] },
      value: "ada@example.org",
      grade: "attested",
    },
  ])("$says is $grade", ({ came, value, grade }) => {
    expect(knownFrom(came).gradeOf(value)).toBe(grade);
  });

  it("computes no amount from others that is written where anybody writes, and computes one that is not", () => {
    const grading = knownFrom({ from: "mail/read", result: [{ subject: "Hi", amount: 9999.5 }, { amount: 0.25 }] });
    expect(grading.amountOf(9999.5)).toBe("free_text");
    expect(grading.amountOf(9999.75)).toBe("attested");
  });
});

describe("a page of a host that the task states", () => {
  const grading = knownFrom({ from: "mail/read", result: [] });
  it.each([
    { page: "https://bank.example/help?page=2", grade: "same_host" },
    { page: "https://pay.bank.example/", grade: "same_host" },
    { page: "https://bank.example/go?to=https://evil.com", grade: "unseen" },
    { page: "https://bank.example/go?to=https%3A%2F%2Fevil.com", grade: "unseen" },
    { page: "https://bank.example/go?to=//evil.com", grade: "unseen" },
    { page: "javascript://bank.example/%0aalert(1)", grade: "unseen" },
    { page: "https://bank.example@evil.com/pay", grade: "unseen" },
    { page: "https://bank.example.evil.com/pay", grade: "unseen" },
    { page: "https://bаnk.example/pay", grade: "unseen" },
  ])("is $grade as $page", ({ page, grade }) => {
    expect(grading.gradeOf(page)).toBe(grade);
    expect(grading.addressesOf(`Look at ${page} now`).map(([, found]) => found)).toContain(grade);
    expect(grading.addressesOf(`Look at ${page} now`).some(([, found]) => found === "same_host" && grade !== "same_host")).toBe(false);
  });
});

describe("what stands in one of all things that a task means", () => {
  const known = (statement: string, result: Json): Observed => {
    const observed = new Observed();
    const returned = { text: JSON.stringify(result), toolName: "mail/list", tool: policy.tools.get("mail/list"), arguments: {} };
    observed.add(INTENT.observe(returned, { statement, observed: undefined }));
    return observed;
  };
  const policy = policyOf({
    tools: { "mail/list": { effect: "read", objects: ["mail", "participant"], reversibility: "reversible", output: { trust: "untrusted" } } },
  });

  it("is no address to which its author would have it go, and is its name", () => {
    const seen = known("Forward all mails to bob@x.example", [{ title: "Minutes", cc: "eve@evil.com", website: "https://evil.com/x" }]);
    expect(["eve@evil.com", "evil.com/x", "minutes"].map((value) => seen.get(value)?.grade)).toEqual(["free_text", "free_text", "attested"]);
  });

  it("is an address where it is those that are meant", () => {
    expect(known("Write a mail to all participants", { participants: ["ada@x.example"] }).get("ada@x.example")?.grade).toBe("attested");
  });
});

describe("what somebody says that he does not want", () => {
  it.each([
    { says: "I do not want you to delete the file", asks: [] },
    { says: "I don't want to delete the file", asks: [] },
    { says: "I never wish you to delete the file", asks: [] },
    { says: "I want you to delete the file", asks: ["delete"] },
    { says: "Don't forget to delete the file", asks: ["delete"] },
  ])("is not asked for: $says", ({ says, asks }) => {
    expect(INTENT.read(says).reading.asks.flatMap(({ effect }) => (effect === "delete" ? [effect] : []))).toEqual(asks);
  });
});
