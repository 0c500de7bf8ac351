import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandFailed, EXIT } from "../../src/cli/exit.ts";
import { readWish, type TokenWish } from "../../src/cli/wished-token.ts";
import { instant } from "../../src/core/words.ts";

const NOW = instant(Date.UTC(2026, 10, 25, 12));

const ROLES = "`enforcer`, `initiator`, `approver`, `auditor`, `operator`";
const good = { role: ["enforcer"] };

describe("a wish for a token", () => {
  it.each<{ says: string; wish: TokenWish; complaint: string }>([
    { says: "no role", wish: {}, complaint: `--role: say what the token is for: one or more of ${ROLES}` },
    { says: "a misspelled role", wish: { role: ["enforcr"] }, complaint: "--role: there is no role `enforcr`; did you mean `enforcer`?" },
    { says: "a role that there is not", wish: { role: ["root"] }, complaint: `--role: there is no role \`root\`; there are ${ROLES}` },
    {
      says: "an approver without a name",
      wish: { role: ["approver"] },
      complaint: "--name: an approver is a person; name them, such as `user:alice`",
    },
    {
      says: "an approver that is a program",
      wish: { role: ["approver"], name: "service:bot" },
      complaint: "--name: an approver is a person; name them, such as `user:alice`",
    },
    { says: "an odd id", wish: { ...good, id: "A.b" }, complaint: "--id: `A.b` is no id; write 1 to 64 of `a` to `z`, `0` to `9` and `-`" },
    { says: "an empty id", wish: { ...good, id: "" }, complaint: "--id: `` is no id; write 1 to 64 of `a` to `z`, `0` to `9` and `-`" },
    { says: "an empty name", wish: { ...good, name: "" }, complaint: "--name: is empty" },
    { says: "a long name", wish: { ...good, name: "x".repeat(1_025) }, complaint: "--name: is longer than 1024 bytes" },
    {
      says: "a name with a line break",
      wish: { ...good, name: "a\nb" },
      complaint: "--name: `a\ufffdb` holds a control, invisible or undecodable character, or begins or ends with space",
    },
    { says: "a name of a type alone", wish: { ...good, name: "user:" }, complaint: "--name: `user:` lacks a good name after `user:`" },
    {
      says: "an agent's name",
      wish: { ...good, name: "agent:bot" },
      complaint: "--name: `agent:bot` is an agent; name the program that asks for it, such as `service:gateway`",
    },
    {
      says: "a misspelled type",
      wish: { ...good, name: "usr:bob" },
      complaint: "--name: `usr:bob` is neither a person, `user:…`, nor a program, `service:…`; did you mean `user`?",
    },
    { says: "an empty tenant", wish: { ...good, tenant: "" }, complaint: "--tenant: is empty" },
    {
      says: "an invisible tenant",
      wish: { ...good, tenant: "a\u200b" },
      complaint: "--tenant: `a\ufffd` holds a control, invisible or undecodable character, or begins or ends with space",
    },
    { says: "an empty glob", wish: { ...good, agents: [""] }, complaint: "--agents: a glob is empty" },
    {
      says: "a glob with space around it",
      wish: { ...good, agents: [" x"] },
      complaint: "--agents: ` x` holds a control, invisible or undecodable character, or begins or ends with space",
    },
    { says: "a long glob", wish: { ...good, agents: ["x".repeat(257)] }, complaint: "--agents: a glob is longer than 256 bytes" },
    {
      says: "many globs",
      wish: { ...good, agents: [...Array.from({ length: 33 }, (_, index) => `a${index}`)] },
      complaint: "--agents: 33 globs, at most 32 are taken; one with a `*` covers many agents",
    },
    {
      says: "agents for an auditor",
      wish: { role: ["auditor"], agents: ["x"] },
      complaint: "--agents: says whom a token may ask or open tasks for, which takes the role `enforcer` or `initiator`",
    },
    {
      says: "an expiry in the past",
      wish: { ...good, expires: "2020-01-01T00:00:00Z" },
      complaint: "--expires: `2020-01-01T00:00:00Z` is not in the future",
    },
    { says: "an expiry now", wish: { ...good, expires: "0d" }, complaint: "--expires: `0d` is not in the future" },
    {
      says: "an expiry beyond all bounds",
      wish: { ...good, expires: "999999999d" },
      complaint: "--expires: `999999999d` is more than 3650 days away",
    },
    {
      says: "a day for an expiry",
      wish: { ...good, expires: "2027-01-01" },
      complaint: "--expires: `2027-01-01` is no time; write how long, such as `12h` or `30d`, or when in UTC, such as `2027-01-01T00:00:00Z`",
    },
    {
      says: "a day that there is not",
      wish: { ...good, expires: "2027-02-30T00:00:00Z" },
      complaint:
        "--expires: `2027-02-30T00:00:00Z` is no time; write how long, such as `12h` or `30d`, or when in UTC, such as `2027-01-01T00:00:00Z`",
    },
  ])("$says is refused", ({ wish, complaint }) => {
    expect(() => readWish(wish, NOW)).toThrow(new CommandFailed(EXIT.usage, complaint));
  });

  it.each<{ says: string; wish: TokenWish; made: object }>([
    { says: "as little as there is", wish: good, made: {} },
    { says: "roles in any order, and twice", wish: { role: ["auditor", "enforcer", "auditor"] }, made: { roles: ["enforcer", "auditor"] } },
    { says: "a name without a type", wish: { ...good, name: "local-enforcer" }, made: { caller: "local-enforcer" } },
    { says: "a name with colons", wish: { ...good, name: "service:spiffe://acme/gateway" }, made: { caller: "service:spiffe://acme/gateway" } },
    { says: "a name in another script", wish: { ...good, name: "user:李雷" }, made: { caller: "user:李雷" } },
    { says: "a person who approves", wish: { role: ["approver"], name: "user:alice" }, made: { roles: ["approver"], caller: "user:alice" } },
    { says: "agents, each once", wish: { ...good, agents: ["a*", "b", "a*"] }, made: { agents: ["a*", "b"] } },
    { says: "an initiator's agents", wish: { role: ["initiator"], agents: ["a"] }, made: { roles: ["initiator"], agents: ["a"] } },
    { says: "a tenant", wish: { ...good, tenant: "acme" }, made: { tenant: "acme" } },
    { says: "an expiry after a time", wish: { ...good, expires: "90s" }, made: { expires_at: "2026-11-25T12:01:30.000Z" } },
    { says: "an expiry after the longest time", wish: { ...good, expires: "3650d" }, made: { expires_at: "2036-11-22T12:00:00.000Z" } },
    { says: "an expiry at an instant", wish: { ...good, expires: "2026-11-25T12:00:01Z" }, made: { expires_at: "2026-11-25T12:00:01.000Z" } },
    { says: "an id", wish: { ...good, id: "gateway-7" }, made: { id: "gateway-7" } },
  ])("may say $says", ({ wish, made }) => {
    expect(readWish(wish, NOW)).toEqual({ tenant: "default", roles: ["enforcer"], created_at: "2026-11-25T12:00:00.000Z", ...made });
  });

  it("is granted or complained of, whatever it says, and never shows a terminal what it would obey", () => {
    const word = fc.string({ unit: "binary", maxLength: 12 });
    const wishes = fc.record(
      { role: fc.array(word), name: word, tenant: word, agents: fc.array(word), expires: word, id: word },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(wishes, (wish) => {
        try {
          readWish(wish, NOW);
        } catch (error) {
          expect(error).toBeInstanceOf(CommandFailed);
          expect(String(error)).not.toMatch(/[^\P{Cc}\n]/u);
        }
      }),
    );
  });
});
