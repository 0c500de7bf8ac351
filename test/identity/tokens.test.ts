import { hash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROLES, type Role } from "../../src/core/request.ts";
import { type Instant, instant } from "../../src/core/words.ts";
import { type Authenticator, createLocalTokens, tokenFileOf, watchTokens } from "../../src/identity/tokens.ts";
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

  it("is refused when it is not there", () => {
    expect(watch).toThrow("cannot be read");
  });
});
