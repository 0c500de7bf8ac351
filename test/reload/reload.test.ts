import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "../../src/cli/failure.ts";
import type { BehestClient } from "../../src/client/client.ts";
import { PolicyInvalid } from "../../src/policy/complaints.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { requestOf } from "../endpoints/raw-calls.ts";
import { filesOf } from "../policies.ts";
import { BAD_DIRECTORIES, complaintAt, denyRule, writeRules } from "../policy/bad-directories.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";

type Files = Readonly<Record<string, string>>;
const named = (name: string): Files => ({
  ...filesOf({ rules: [denyRule(name)] }),
  "catalog/more.json": JSON.stringify({ tools: { [name]: TOOL } }),
});
const TOOL = { effect: "read", reversibility: "reversible", output: { trust: "trusted" } };
const digestOf = (files: Files): string => compilePolicy(files).policy.digest;
const A = named("a");
const B = named("b");

let parent: ReturnType<typeof temporaryDirectory>;
let rules: string;
let server: RunningServer | undefined;
beforeEach(() => {
  parent = temporaryDirectory();
  rules = join(parent.path, "rules");
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  parent.remove();
});

/** Polled so seldom that only the watcher can have noticed. */
const WATCHED = { rules_poll_ms: 600_000 };
const POLLED = { rules_poll_ms: 50 };

async function serve(settings: { readonly rules_poll_ms: number }): Promise<{ decide(): Promise<string>; operator: BehestClient }> {
  const running = await runServer({ rules, ...settings });
  server = running;
  const client = running.client("enforcer");
  return { decide: async () => (await client.decide(requestOf())).policyDigest, operator: running.client("operator") };
}

const logged = (): readonly { readonly level: number; readonly msg: string }[] => (server?.log ?? []).map((line) => JSON.parse(line));
const soon = { timeout: 10_000, interval: 20 };

describe("a change in the rules directory", () => {
  it.each([
    { says: "by the watcher", settings: WATCHED },
    { says: "by the poll", settings: POLLED },
  ])("is noticed $says, of a file, a new file, and the catalog", async ({ settings }) => {
    writeRules(rules, A);
    const { decide } = await serve(settings);
    expect(await decide()).toBe(digestOf(A));
    let files: Files = A;
    for (const [name, text] of Object.entries({
      "test.rules.json": B["test.rules.json"],
      "x.rules.json": '{ "rules": [] }',
      "catalog/more.json": B["catalog/more.json"],
    })) {
      files = { ...files, [name]: text ?? "" };
      writeFileSync(join(rules, name), files[name] ?? "");
      await expect.poll(decide, soon).toBe(digestOf(files));
    }
  });

  it("is noticed in a catalog that was made after the start", async () => {
    const { "catalog/more.json": more = "", "catalog/test.json": _, ...rest } = A;
    writeRules(rules, rest);
    const { decide } = await serve(WATCHED);
    mkdirSync(join(rules, "catalog"));
    await new Promise((later) => setTimeout(later, 300));
    writeFileSync(join(rules, "catalog/more.json"), more);
    await expect.poll(decide, soon).toBe(digestOf({ ...rest, "catalog/more.json": more }));
  });

  it("is left alone when rules are reloaded only when asked", async () => {
    writeRules(rules, A);
    const { decide, operator } = await serve({ rules_poll_ms: 0 });
    writeRules(rules, B);
    await new Promise((later) => setTimeout(later, 500));
    expect(await decide()).toBe(digestOf(A));
    await operator.reloadPolicy();
    expect(await decide()).toBe(digestOf(B));
  });

  it("is loaded once when it comes as a burst", async () => {
    writeRules(rules, A);
    const { decide } = await serve(WATCHED);
    for (let n = 0; n < 10; n++) {
      writeFileSync(join(rules, "test.rules.json"), JSON.stringify({ rules: [denyRule(`version-${n}`)] }));
      await new Promise((later) => setTimeout(later, 30));
    }
    await expect.poll(decide, soon).toBe(digestOf({ ...A, "test.rules.json": JSON.stringify({ rules: [denyRule("version-9")] }) }));
    expect(logged().filter(({ msg }) => msg === "another policy is in force")).toHaveLength(1);
  });

  it("is loaded at last when changes never end", async () => {
    writeRules(rules, A);
    const { decide } = await serve(WATCHED);
    let version = 0;
    const changing = setInterval(
      () => writeFileSync(join(rules, "test.rules.json"), JSON.stringify({ rules: [denyRule(`version-${version++}`)] })),
      60,
    );
    await expect.poll(decide, soon).not.toBe(digestOf(A));
    clearInterval(changing);
  });
});

/** A ConfigMap or projected volume, as the kubelet lays it out: names are links into `..data`, which is a link to the version of now. */
function mountConfigMap(version: string, files: Files): void {
  const whole = join(rules, version);
  writeRules(whole, files);
  symlinkSync(version, join(rules, "..data_tmp"));
  renameSync(join(rules, "..data_tmp"), join(rules, "..data"));
  for (const name of new Set(Object.keys(files).map((file) => file.split("/")[0] ?? ""))) {
    const link = join(rules, name);
    rmSync(link, { force: true });
    symlinkSync(join("..data", name), link);
  }
}

/** What the kubelet does to change it: a whole new version, one renaming, and the old version goes. */
function updateConfigMap(before: string, after: string, files: Files): void {
  writeRules(join(rules, after), files);
  symlinkSync(after, join(rules, "..data_tmp"));
  renameSync(join(rules, "..data_tmp"), join(rules, "..data"));
  rmSync(join(rules, before), { recursive: true });
}

describe("a directory that is replaced", () => {
  it.each([
    { says: "by the watcher", settings: WATCHED },
    { says: "by the poll", settings: POLLED },
  ])("is read whole when it is a mounted ConfigMap, and each swap of it is noticed $says", async ({ settings }) => {
    mkdirSync(rules);
    mountConfigMap("..2026_01_05_09_00_00.1", A);
    const { decide, operator } = await serve(settings);
    expect(await decide()).toBe(digestOf(A));
    expect((await operator.getPolicy({ withFiles: true })).policy?.files).toEqual(A);
    let before = "..2026_01_05_09_00_00.1";
    for (let swap = 2; swap < 6; swap++) {
      const files = swap % 2 === 0 ? B : A;
      const after = `..2026_01_05_09_00_00.${swap}`;
      updateConfigMap(before, after, files);
      await expect.poll(decide, soon).toBe(digestOf(files));
      before = after;
    }
    // The catalog alone, below the link.
    const files = { ...A, "catalog/more.json": B["catalog/more.json"] ?? "" };
    updateConfigMap(before, "..2026_01_05_09_00_00.9", files);
    await expect.poll(decide, soon).toBe(digestOf(files));
    expect(logged().filter(({ level }) => level >= 50)).toEqual([]);
  });

  it("is followed when it is a link that is renamed over", async () => {
    writeRules(join(parent.path, "v1"), A);
    writeRules(join(parent.path, "v2"), B);
    symlinkSync("v1", rules);
    // Nothing in the watched directory changes: only the poll can see it.
    const { decide } = await serve(POLLED);
    expect(await decide()).toBe(digestOf(A));
    symlinkSync("v2", `${rules}.new`);
    renameSync(`${rules}.new`, rules);
    await expect.poll(decide, soon).toBe(digestOf(B));
    // And what then changes in the other directory is noticed as well.
    writeFileSync(join(parent.path, "v2", "test.rules.json"), A["test.rules.json"] ?? "");
    await expect.poll(decide, soon).toBe(digestOf({ ...B, "test.rules.json": A["test.rules.json"] ?? "" }));
  });

  it("decides by the last good policy while it is gone, and is followed again once it is back", async () => {
    writeRules(rules, A);
    const { decide, operator } = await serve({ rules_poll_ms: 200 });
    rmSync(rules, { recursive: true });
    await expect.poll(async () => (await operator.getPolicy()).refusal?.complaints[0]?.message, soon).toContain("cannot be read: it does not exist");
    expect(await decide()).toBe(digestOf(A));
    writeRules(rules, B);
    await expect.poll(decide, soon).toBe(digestOf(B));
    await new Promise((later) => setTimeout(later, 400));
    writeFileSync(join(rules, "test.rules.json"), A["test.rules.json"] ?? "");
    await expect.poll(decide, soon).toBe(digestOf({ ...B, "test.rules.json": A["test.rules.json"] ?? "" }));
  });
});

describe("a directory that cannot be used", () => {
  const good = filesOf({});

  it.each(BAD_DIRECTORIES)("keeps the last good policy and goes on deciding, and nothing starts on it, when $says", async (bad) => {
    writeRules(rules, good);
    const { decide, operator } = await serve(POLLED);
    bad.spoil(rules);
    const [expected = ""] = complaintAt(bad, rules).split("\n");
    const refused = async (): Promise<readonly string[]> =>
      (await operator.getPolicy()).refusal?.complaints.map(({ file, line, column, message }) =>
        line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`,
      ) ?? [];
    await expect.poll(refused, soon).not.toEqual([]);
    // Beyond 200, complaints are counted and no longer told.
    if (!bad.complaint.includes("more than 1000 errors")) expect(await refused()).toContain(expected);
    await expect(operator.reloadPolicy()).rejects.toThrow("were refused");
    expect(await decide()).toBe(digestOf(good));
    expect(logged().filter(({ msg }) => msg.includes("the rules were refused"))).toHaveLength(1);

    const starting = runServer({ rules });
    await expect(starting).rejects.toThrow(PolicyInvalid);
    const { exitCode, message } = failureOf(await starting.catch((error: unknown) => error));
    expect(exitCode).toBe(3);
    expect(message).toContain(expected);

    writeRules(rules, good);
    await expect.poll(async () => (await operator.getPolicy()).refusal, soon).toBeUndefined();
    expect(await decide()).toBe(digestOf(good));
  });
});

it("a policy that is refused is told in the log with its place, once, and again when it is mended", async () => {
  writeRules(rules, A);
  const { operator } = await serve(POLLED);
  for (let time = 0; time < 3; time++) {
    writeFileSync(join(rules, "test.rules.json"), `{ "rules": [ { "nam": 1 } ]${" ".repeat(time)} }`);
    await expect.poll(async () => (await operator.getPolicy()).refusal?.complaintsTotal, soon).toBeGreaterThan(0);
    await new Promise((later) => setTimeout(later, 250));
  }
  writeFileSync(join(rules, "test.rules.json"), A["test.rules.json"] ?? "");
  await expect.poll(async () => (await operator.getPolicy()).refusal, soon).toBeUndefined();
  const told = logged()
    .filter(({ msg }) => msg !== "decided")
    .map(({ level, msg }) => ({ level, msg: msg.split("\n").slice(0, 4) }));
  expect(told.at(-1)).toEqual({ level: 30, msg: ["the rules directory holds the policy in force again"] });
  expect(told[0]).toEqual({
    level: 50,
    msg: [
      "the rules were refused, and the last good ones stay in force:",
      `${join(rules, "test.rules.json")}:1:16: unknown key \`nam\`; did you mean \`name\`?`,
      '  { "rules": [ { "nam": 1 } ] }',
      "                 ^",
    ],
  });
  expect(readFileSync(join(rules, "test.rules.json"), "utf8")).toBe(A["test.rules.json"]);
});
