import { hash } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROLES, type Role } from "../../src/core/request.ts";
import { type Instant, instant } from "../../src/core/words.ts";
import { type Authenticator, createLocalTokens, mintToken, tokenFileOf, watchTokens } from "../../src/identity/tokens.ts";
import { readTokens, type TokenEntry, writeTokens } from "../../src/identity/tokens-file.ts";
import { temporaryDirectory } from "../running-server.ts";

const NOW = instant(Date.UTC(2026, 10, 25, 12));

let directory: ReturnType<typeof temporaryDirectory>;
let problems: string[];
let now: Instant;
let watching: Authenticator[];
beforeEach(() => {
  directory = temporaryDirectory();
  problems = [];
  now = NOW;
  watching = [];
});
afterEach(() => {
  for (const authenticator of watching) authenticator.close();
  directory.remove();
});

const at = (name: string): string => join(directory.path, name);
const tokenOf = (role: Role): string => readFileSync(at(tokenFileOf(role)), "utf8").trim();
const watch = (): Authenticator => {
  const authenticator = watchTokens(directory.path, { now: () => now, onProblem: (error) => problems.push(error.message) });
  watching.push(authenticator);
  return authenticator;
};
/** As `mv` puts it there: whole. */
const replaceTokens = (text: string): void => {
  writeFileSync(at("draft"), text);
  renameSync(at("draft"), at("tokens.json"));
};
const PATIENCE = { timeout: 5_000 };

describe("the local tokens", () => {
  it("are one for each role, of the caller that the role stands for", () => {
    createLocalTokens(directory.path, NOW);
    const { authenticate } = watch();
    expect(ROLES.map((role) => authenticate(tokenOf(role)))).toEqual([
      { tenant: "default", id: "local-enforcer", roles: ["enforcer"] },
      { tenant: "default", id: "local-initiator", roles: ["initiator"] },
      { tenant: "default", id: "user:local", roles: ["approver"] },
      { tenant: "default", id: "local-auditor", roles: ["auditor"] },
      { tenant: "default", id: "local-operator", roles: ["operator"] },
    ]);
  });

  it("can be read by their owner alone, and leave no drafts", () => {
    createLocalTokens(directory.path, NOW);
    const names = readdirSync(directory.path);
    expect(names.sort()).toEqual([...ROLES.map(tokenFileOf), "tokens.json"].sort());
    expect(names.map((name) => (statSync(at(name)).mode & 0o777).toString(8))).toEqual(names.map(() => "600"));
  });

  it("are kept as hashes", () => {
    createLocalTokens(directory.path, NOW);
    const text = readFileSync(at("tokens.json"), "utf8");
    for (const role of ROLES) {
      expect(text).not.toContain(tokenOf(role).split(".")[2]);
      expect(text).toContain(hash("sha256", tokenOf(role)));
    }
  });

  it("are made once, and differ from those of another directory", () => {
    createLocalTokens(directory.path, NOW);
    const first = tokenOf("operator");
    createLocalTokens(directory.path, NOW);
    expect(tokenOf("operator")).toBe(first);
    const other = temporaryDirectory();
    createLocalTokens(other.path, NOW);
    expect(readFileSync(join(other.path, tokenFileOf("operator")), "utf8").trim()).not.toBe(first);
    other.remove();
  });
});

describe("a token", () => {
  it.each<{ says: string; spoil: (token: string) => string }>([
    { says: "nothing", spoil: () => "" },
    { says: "its name alone", spoil: () => "behest.enforcer." },
    { says: "its hash", spoil: (token) => `behest.enforcer.${hash("sha256", token)}` },
    { says: "another last character", spoil: (token) => token.slice(0, -1) + (token.endsWith("A") ? "B" : "A") },
    { says: "one character less", spoil: (token) => token.slice(0, -1) },
    { says: "one character more", spoil: (token) => `${token}A` },
    { says: "a line break after it", spoil: (token) => `${token}\n` },
    { says: "its name in upper case", spoil: (token) => token.replace("enforcer", "ENFORCER") },
    { says: "another name", spoil: (token) => token.replace("enforcer", "operator") },
    { says: "the name of a prototype", spoil: (token) => token.replace("enforcer", "__proto__") },
  ])("is nobody's when it is $says", ({ spoil }) => {
    createLocalTokens(directory.path, NOW);
    expect(watch().authenticate(spoil(tokenOf("enforcer")))).toBeUndefined();
  });
});

/** Puts one more entry into tokens.json, as it stands there. */
const addEntry = (id: string, fields: object): string => {
  const { token, sha256 } = mintToken(id);
  const { tokens } = JSON.parse(readFileSync(at("tokens.json"), "utf8"));
  replaceTokens(JSON.stringify({ tokens: [...tokens, { id, tenant: "default", caller: "gateway", roles: ["enforcer"], sha256, ...fields }] }));
  return token;
};

describe("a token that expires", () => {
  const END = Date.UTC(2027, 0, 1);

  it("is its caller's until the instant, and nobody's from then on, without the file being read again", () => {
    createLocalTokens(directory.path, NOW);
    const token = addEntry("gateway", { created_at: "2026-11-25T12:00:00.000Z", expires_at: "2027-01-01T00:00:00Z" });
    const { authenticate } = watch();
    now = instant(END - 1);
    expect(authenticate(token)).toEqual({ tenant: "default", id: "gateway", roles: ["enforcer"] });
    rmSync(at("tokens.json"));
    now = instant(END);
    expect(() => authenticate(token)).toThrow(
      expect.objectContaining({
        code: "CALLER_UNAUTHENTICATED",
        message: "the token `gateway` expired at 2027-01-01T00:00:00.000Z; have another made with `behest tokens create`",
      }),
    );
  });

  it("is simply unknown to whoever has only its name", () => {
    createLocalTokens(directory.path, NOW);
    const token = addEntry("gateway", { expires_at: "2026-01-01T00:00:00Z" });
    expect(watch().authenticate(`${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`)).toBeUndefined();
  });
});

describe("a token that covers some agents", () => {
  it("tells them of its caller", () => {
    createLocalTokens(directory.path, NOW);
    const token = addEntry("gateway", { agents: ["support-*"] });
    expect(watch().authenticate(token)).toEqual({ tenant: "default", id: "gateway", roles: ["enforcer"], agents: ["support-*"] });
  });

  it.each<{ says: string; entries: readonly object[]; agents: readonly string[] | undefined }>([
    { says: "all, for a caller without tokens", entries: [], agents: undefined },
    { says: "those of its one token", entries: [{ agents: ["a", "b*"] }], agents: ["a", "b*"] },
    { says: "those of all its tokens", entries: [{ agents: ["a"] }, { agents: ["a", "b"] }], agents: ["a", "b"] },
    { says: "all, if one token covers all", entries: [{ agents: ["a"] }, {}], agents: undefined },
    { says: "none, if its token covers none", entries: [{ agents: [] }], agents: [] },
    { says: "those of tokens that are still valid", entries: [{ agents: ["a"] }, { expires_at: "2026-11-25T12:00:00Z" }], agents: ["a"] },
    { says: "those of tokens that ask", entries: [{ agents: ["a"] }, { roles: ["auditor"] }], agents: ["a"] },
    { says: "those of its own tenant", entries: [{ agents: ["a"] }, { tenant: "other" }], agents: ["a"] },
    { says: "those of its own name", entries: [{ agents: ["a"] }, { caller: "other" }], agents: ["a"] },
  ])("is one of those whose agents a caller may ask for: $says", ({ entries, agents }) => {
    createLocalTokens(directory.path, NOW);
    for (const [index, entry] of entries.entries()) addEntry(`t${index}`, entry);
    expect(watch().agentsOf("default", "gateway")).toEqual(agents);
  });
});

describe("tokens.json, when it is written", () => {
  const entry: TokenEntry = { id: "a", tenant: "t", caller: "c", roles: ["enforcer"], agents: ["x"], sha256: "0".repeat(64) };

  it("comes back as it went in, and can be read by its owner alone", () => {
    writeTokens(directory.path, [entry]);
    expect(readTokens(directory.path)).toEqual([entry]);
    expect(statSync(at("tokens.json")).mode & 0o777).toBe(0o600);
  });

  it("replaces what a process that was killed left behind", () => {
    writeFileSync(at("tokens.json.new"), "half of a fi", { mode: 0o444 });
    writeTokens(directory.path, [entry]);
    expect(readdirSync(directory.path)).toEqual(["tokens.json"]);
    expect(readTokens(directory.path)).toEqual([entry]);
  });

  it("stays as it was when it cannot be replaced, and leaves no draft", () => {
    writeTokens(directory.path, [entry]);
    mkdirSync(at("tokens.json.new"));
    expect(() => writeTokens(directory.path, [])).toThrow("cannot be written");
    expect(readTokens(directory.path)).toEqual([entry]);
  });

  it("is refused beyond what would be read", () => {
    const many = Array.from({ length: 30_000 }, (_, index) => ({ ...entry, id: `t-${index}` }));
    expect(() => writeTokens(directory.path, many)).toThrow("the tokens would take more than 4194304 bytes; revoke some");
    expect(readdirSync(directory.path)).toEqual([]);
    writeFileSync(at("tokens.json"), " ".repeat(4_194_305));
    expect(() => readTokens(directory.path)).toThrow("has 4194305 bytes, at most 4194304 are read");
  });

  it.skipIf(process.geteuid?.() !== 0)("stays with the account that a server runs as, whoever edits it", () => {
    writeTokens(directory.path, [entry]);
    chownSync(at("tokens.json"), 65_534, 65_534);
    writeTokens(directory.path, []);
    const { uid, gid } = statSync(at("tokens.json"));
    expect({ uid, gid }).toEqual({ uid: 65_534, gid: 65_534 });
  });
});

describe("tokens.json, while it is watched", () => {
  it("is read anew when it is replaced", async () => {
    createLocalTokens(directory.path, NOW);
    const { authenticate } = watch();
    const { tokens } = JSON.parse(readFileSync(at("tokens.json"), "utf8"));
    replaceTokens(JSON.stringify({ tokens: tokens.filter(({ id }: { id: string }) => id !== "enforcer") }));
    await expect.poll(() => authenticate(tokenOf("enforcer")), PATIENCE).toBeUndefined();
    expect(authenticate(tokenOf("auditor"))).toBeDefined();
    expect(problems).toEqual([]);
  });

  it("knows nobody once it has gone, says so once, and comes back", async () => {
    createLocalTokens(directory.path, NOW);
    const text = readFileSync(at("tokens.json"), "utf8");
    const { authenticate } = watch();
    rmSync(at("tokens.json"));
    await expect.poll(() => authenticate(tokenOf("enforcer")), PATIENCE).toBeUndefined();
    replaceTokens(text);
    await expect.poll(() => authenticate(tokenOf("enforcer")), PATIENCE).toBeDefined();
    expect(problems).toEqual([`\`${at("tokens.json")}\` has gone: no caller is known until it is back`]);
  });

  it("is tried again while it cannot be read, though nothing else changes, and told of once", async () => {
    createLocalTokens(directory.path, NOW);
    const { authenticate } = watch();
    // Takes the place of a file that is held back for a moment, and is that file again afterwards.
    renameSync(at("tokens.json"), at("aside"));
    mkdirSync(at("tokens.json"));
    await expect.poll(() => problems, PATIENCE).toEqual([expect.stringContaining("cannot be read")]);
    await new Promise((later) => setTimeout(later, 1_200));
    expect(problems).toHaveLength(1);
    expect(authenticate(tokenOf("enforcer"))).toBeDefined();
    rmdirSync(at("tokens.json"));
    replaceTokens('{"tokens": []}');
    await expect.poll(() => authenticate(tokenOf("enforcer")), PATIENCE).toBeUndefined();
  });

  it("keeps its last good content in force while it cannot be read", async () => {
    createLocalTokens(directory.path, NOW);
    const text = readFileSync(at("tokens.json"), "utf8");
    const { authenticate } = watch();
    replaceTokens('{"tokens": [');
    await expect.poll(() => problems, PATIENCE).toEqual([expect.stringContaining("cannot be read")]);
    expect(authenticate(tokenOf("enforcer"))).toBeDefined();
    const { tokens } = JSON.parse(text);
    replaceTokens(JSON.stringify({ tokens: tokens.filter(({ id }: { id: string }) => id !== "auditor") }));
    await expect.poll(() => authenticate(tokenOf("auditor")), PATIENCE).toBeUndefined();
    expect(authenticate(tokenOf("enforcer"))).toBeDefined();
  });
});

describe("tokens.json, at the start", () => {
  const entry = { id: "a", tenant: "t", caller: "c", roles: ["enforcer"], sha256: "0".repeat(64) };
  const SHAPE = "does not hold tokens as Behest writes them";
  it.each<{ says: string; text: string; why: string }>([
    { says: "is empty", text: "", why: "cannot be read" },
    { says: "is no JSON", text: "tokens", why: "cannot be read" },
    { says: "is null", text: "null", why: SHAPE },
    { says: "is a list", text: "[]", why: SHAPE },
    { says: "lacks its tokens", text: "{}", why: SHAPE },
    { says: "has a role that there is not", text: JSON.stringify({ tokens: [{ ...entry, roles: ["root"] }] }), why: SHAPE },
    { says: "has roles that are no list", text: JSON.stringify({ tokens: [{ ...entry, roles: "enforcer" }] }), why: SHAPE },
    { says: "has a hash that is too short", text: JSON.stringify({ tokens: [{ ...entry, sha256: "00" }] }), why: SHAPE },
    { says: "has a caller without a name", text: JSON.stringify({ tokens: [{ ...entry, caller: "" }] }), why: SHAPE },
    { says: "has a key that is not known", text: JSON.stringify({ tokens: [{ ...entry, agent: ["x"] }] }), why: SHAPE },
    { says: "has agents that are no list", text: JSON.stringify({ tokens: [{ ...entry, agents: "x" }] }), why: SHAPE },
    { says: "has an agent without a name", text: JSON.stringify({ tokens: [{ ...entry, agents: [""] }] }), why: SHAPE },
    { says: "has an agent that is no text", text: JSON.stringify({ tokens: [{ ...entry, agents: [7] }] }), why: SHAPE },
    { says: "has a long agent", text: JSON.stringify({ tokens: [{ ...entry, agents: ["x".repeat(257)] }] }), why: SHAPE },
    { says: "has many agents", text: JSON.stringify({ tokens: [{ ...entry, agents: Array.from({ length: 33 }, () => "x") }] }), why: SHAPE },
    { says: "expires on a day that there is not", text: JSON.stringify({ tokens: [{ ...entry, expires_at: "2027-02-30T00:00:00Z" }] }), why: SHAPE },
    { says: "expires at no instant", text: JSON.stringify({ tokens: [{ ...entry, expires_at: "30d" }] }), why: SHAPE },
    { says: "expires at null", text: JSON.stringify({ tokens: [{ ...entry, expires_at: null }] }), why: SHAPE },
    { says: "was made at no instant", text: JSON.stringify({ tokens: [{ ...entry, created_at: 0 }] }), why: SHAPE },
    { says: "holds a token that is null", text: JSON.stringify({ tokens: [null] }), why: SHAPE },
    { says: "has a key of every object", text: JSON.stringify({ tokens: [{ ...entry, toString: "x" }] }), why: SHAPE },
    { says: "lacks a tenant", text: JSON.stringify({ tokens: [{ ...entry, tenant: undefined }] }), why: SHAPE },
    {
      says: "holds two tokens of one name",
      text: JSON.stringify({ tokens: [entry, { ...entry, caller: "d" }] }),
      why: "holds two tokens with one id",
    },
  ])("is refused when it $says, with what to do", ({ text, why }) => {
    writeFileSync(at("tokens.json"), text);
    expect(watch).toThrow(why);
    expect(watch).toThrow("mend it, or remove it together with the *.token files to have new tokens made");
  });

  it("is read as the version before this one wrote it", () => {
    const token = `behest.old.${"A".repeat(43)}`;
    writeFileSync(
      at("tokens.json"),
      `{\n  "tokens": [{ "id": "old", "tenant": "default", "caller": "local-enforcer", "roles": ["enforcer"], "sha256": "${hash("sha256", token)}" }]\n}\n`,
    );
    expect(watch().authenticate(token)).toEqual({ tenant: "default", id: "local-enforcer", roles: ["enforcer"] });
  });

  it("is refused when it is not there", () => {
    expect(watch).toThrow("cannot be read");
  });
});
