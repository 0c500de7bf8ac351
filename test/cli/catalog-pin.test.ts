import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

const TOOL = `{ "effect": "read", "reversibility": "reversible", "output": { "trust": "trusted" }, "owner": "team:crm" }`;
const [FIND, SEND] = ["find", "send"].map((name) => ({ name, description: `to ${name}`, inputSchema: { type: "object" } }));

let made = 0;
/** A rules directory with two tools of one server in its catalog, and a file that lists tools. */
function set(
  listed: unknown,
  { catalog = `{ "tools": {\n  "crm/find": ${TOOL},\n  "crm/send": ${TOOL}\n} }\n` }: { readonly catalog?: string } = {},
) {
  const rules = join(home.path, `rules-${++made}`);
  mkdirSync(join(rules, "catalog"), { recursive: true });
  writeFileSync(join(rules, "policy.json"), readFileSync(new URL("../../rules/policy.json", import.meta.url)));
  const file = join(rules, "catalog/crm.json");
  writeFileSync(file, catalog);
  const tools = join(home.path, `tools-${made}.json`);
  writeFileSync(tools, typeof listed === "string" ? listed : JSON.stringify(listed));
  const pin = (...args: readonly string[]) => run(["catalog", "pin", tools, "--rules", rules, ...args]);
  return { rules, file, tools, pin, text: () => readFileSync(file, "utf8") };
}

describe("behest catalog pin", () => {
  it("pins what a server lists, and finds it the same from then on", async () => {
    const { pin, text, file, rules } = set({ tools: [FIND, SEND] });
    const first = await pin("--server", "crm");
    expect(first).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^tool {6}state {5}pinned {2}listed {15}file\ncrm\/find {2}unpinned {10}sha256:[0-9a-f]{12} {2}\S+crm\.json\ncrm\/send/,
      ),
      stderr: `2 unpinned\npinned 2 in ${file}; next: bin/behest rules test ${rules}\n`,
    });
    const pinned = text();
    expect(pinned.match(/"definition_digest": "sha256:[0-9a-f]{64}"/g)).toHaveLength(2);
    expect(await pin("--server", "crm", "--check")).toMatchObject({ code: 0, stderr: "2 same\n" });
    expect(await pin("--server", "crm")).toMatchObject({ code: 0, stderr: "2 same\n" });
    expect(text()).toBe(pinned);
  });

  it("exits 4 on --check when one has drifted, and writes nothing", async () => {
    const { pin, tools, text } = set({ tools: [FIND, SEND] });
    await pin("--server", "crm");
    const pinned = text();
    writeFileSync(tools, JSON.stringify({ tools: [FIND, { ...SEND, description: "to send, and a copy to me" }] }));
    const checked = await pin("--server", "crm", "--check", "-o", "ndjson");
    expect(checked.code).toBe(4);
    expect(checked.stderr).toBe(
      "1 drifted, 1 same\ndrifted: an agent is shown another definition than somebody has reviewed; review it, then pin it without --check\n",
    );
    const [drifted, same] = checked.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(drifted).toMatchObject({ tool: "crm/send", state: "drifted", file: expect.stringMatching(/crm\.json$/), pinned: expect.any(String) });
    expect(drifted.pinned).not.toBe(drifted.listed);
    expect(same).toMatchObject({ tool: "crm/find", state: "same" });
    expect(text()).toBe(pinned);
    expect(await pin("--server", "crm")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("drifted, and pinned anew: review what has changed"),
    });
    expect(await pin("--server", "crm", "--check")).toMatchObject({ code: 0 });
  });

  it("says what is new, what is gone, and what is not pinned yet", async () => {
    const { pin } = set({ tools: [FIND, { ...FIND, name: "export" }] });
    const { code, stdout, stderr } = await pin("--server", "crm", "--check", "-o", "json");
    expect({ code, states: JSON.parse(stdout).map(({ tool, state }: Record<string, string>) => `${tool} ${state}`) }).toEqual({
      code: 0,
      states: ["crm/send gone", "crm/export new", "crm/find unpinned"],
    });
    expect(stderr.split("\n").map((line) => line.split(":")[0])).toEqual(["1 gone, 1 new, 1 unpinned", "gone", "new", "unpinned", ""]);
  });

  it.each([
    { says: "the message of JSON-RPC", listed: { jsonrpc: "2.0", id: 1, result: { tools: [FIND, SEND] } } },
    { says: "the last page", listed: { tools: [FIND, SEND], nextCursor: null } },
    { says: "a bare list", listed: [FIND, SEND] },
    { says: "one tool a line", listed: `${JSON.stringify(FIND)}\r\n\n${JSON.stringify(SEND)}\n` },
    { says: "members that do not count", listed: { tools: [{ ...FIND, title: "Find", annotations: { readOnlyHint: true } }, SEND] } },
    { says: "a byte order mark", listed: `\ufeff${JSON.stringify({ tools: [FIND, SEND] })}` },
  ])("reads $says", async ({ listed }) => {
    const whole = set({ tools: [FIND, SEND] });
    await whole.pin("--server", "crm");
    const { pin, text } = set(listed);
    expect((await pin("--server", "crm")).code).toBe(0);
    expect(text()).toBe(whole.text());
  });

  it("reads one tool, and from stdin", async () => {
    const { rules, text } = set([]);
    const piped = await run(["catalog", "pin", "-", "--rules", rules, "--server", "crm"], { input: JSON.stringify(FIND) });
    expect(piped).toMatchObject({ code: 0, stderr: expect.stringContaining("1 gone, 1 unpinned") });
    expect(text().match(/definition_digest/g)).toHaveLength(1);
  });

  it.each([
    { says: "a file that is not there", listed: null, message: "cannot be read: ENOENT" },
    { says: "what is no JSON", listed: "{ tools", message: "cannot be read as JSON" },
    { says: "a key twice", listed: `{ "tools": [], "tools": [] }`, message: "cannot be read as JSON: a key stands twice in one object" },
    { says: "a line that is no JSON", listed: `${JSON.stringify(FIND)}\n{ "name": }`, message: "of line 2" },
    { says: "levels without end", listed: "[".repeat(100_000), message: "has more than 100 levels" },
    {
      says: "a number that loses precision",
      listed: `{ "tools": [{ "name": "find", "inputSchema": { "maximum": 9007199254740993 } }] }`,
      message: "a number would lose precision",
    },
    { says: "no tool at all", listed: { tools: [] }, message: "lists no tool; nothing can be pinned by it" },
    { says: "something else", listed: { rules: [] }, message: "is no list of tools: it has no `tools`" },
    { says: "text", listed: `"tools"`, message: "is no list of tools: give it the result of `tools/list`" },
    { says: "one page of several", listed: { tools: [FIND], nextCursor: "x" }, message: "is one page of several: it has a `nextCursor`" },
    { says: "a tool that is none", listed: { tools: [FIND, 7] }, message: "is no list of tools: tool 2 is no object" },
    { says: "a tool without name", listed: { tools: [{ inputSchema: {} }] }, message: "tool 1 has no `name`" },
    { says: "a tool without schema", listed: { tools: [{ name: "find", input_schema: {} }] }, message: "tool 1 `find` has no `inputSchema`" },
    {
      says: "a description that is no text",
      listed: { tools: [{ ...FIND, description: null }] },
      message: "tool 1 `find` has a `description` that is no text",
    },
    { says: "a tool twice", listed: { tools: [FIND, FIND] }, message: "lists the tool `crm/find` twice, and only one of them can be pinned" },
    {
      says: "a name that no catalog can list",
      listed: { tools: [{ ...FIND, name: "a\u001bb" }] },
      message: "lists `crm/a�b`, which no catalog can list",
    },
    {
      says: "more tools than anybody has",
      listed: { tools: Array.from({ length: 10_001 }, (_, at) => ({ ...FIND, name: `t${at}` })) },
      message: "lists 10001 tools; at most 10000 are read",
    },
    {
      says: "tools of another server",
      listed: { tools: [{ ...FIND, name: "fly" }] },
      message: "the catalog has none of the tools listed, such as `crm/fly`; list there what they do",
    },
  ])("exits 2 on $says, and pins nothing", async ({ listed, message }) => {
    const { pin, text, rules } = set(listed);
    const before = text();
    const args = ["--server", "crm", "--check"];
    const { code, stdout, stderr } =
      listed === null ? await run(["catalog", "pin", join(home.path, "nowhere"), "--rules", rules, ...args]) : await pin(...args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
    expect(text()).toBe(before);
  });

  it("names the server that was probably asked: a check that compares nothing must not pass", async () => {
    const { pin } = set({ tools: [FIND] });
    expect(await pin("--check")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("such as `find`; it has `crm/find`: name the server that was asked, as `--server crm`"),
    });
  });

  it.each([
    { says: "a catalog with a byte order mark", catalog: `\ufeff{ "tools": {} }`, code: 3, message: "it begins with a byte order mark" },
    { says: "a catalog that is no JSON", catalog: "{", code: 3, message: "crm.json:1:2: not JSON" },
    {
      says: "a tool twice in the catalog",
      catalog: `{ "tools": { "crm/find": {}, "crm/find": {} } }`,
      code: 3,
      message: "the key `crm/find` stands twice",
    },
  ])("exits $code on $says", async ({ catalog, code, message }) => {
    const { pin, text } = set({ tools: [FIND] }, { catalog });
    expect(await pin("--server", "crm")).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
    expect(text()).toBe(catalog);
  });

  it("looks into one file of the catalog if it is named, and complains if that cannot be read", async () => {
    const { pin, file, rules, text } = set({ tools: [FIND, SEND] });
    const other = join(rules, "catalog/other.json");
    writeFileSync(other, `{ "tools": {} }`);
    expect(await pin("--server", "crm", "--catalog", other)).toMatchObject({ code: 2 });
    expect(await pin("--server", "crm", "--catalog", join(rules, "nowhere.json"))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("it does not exist"),
    });
    expect(await pin("--server", "crm", "--catalog", rules)).toMatchObject({ code: 3, stderr: expect.stringContaining("it is a directory") });
    expect(await pin("--server", "crm", "--catalog", file)).toMatchObject({ code: 0 });
    expect(text()).toContain("definition_digest");
  });

  it("keeps a file's mode and a link, and leaves no draft", async () => {
    const { pin, file, rules, text } = set({ tools: [FIND] }, { catalog: `{ "tools": { "crm/find": ${TOOL} } }` });
    chmodSync(file, 0o640);
    symlinkSync(file, join(rules, "catalog/link.json"));
    expect((await pin("--server", "crm", "--catalog", join(rules, "catalog/link.json"))).code).toBe(0);
    expect(text()).toMatch(/^\{ "tools": \{ "crm\/find": \{ .*, "definition_digest": "sha256:[0-9a-f]{64}" \} \} \}$/);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(rules, "catalog")).sort()).toEqual(["crm.json", "link.json"]);
  });

  it("finds the sample of the starter policy as it is pinned there", async () => {
    const rules = join(home.path, "starter");
    cpSync(new URL("../../rules", import.meta.url), rules, { recursive: true });
    const tools = new URL("../../docs/examples/wiki-tools.json", import.meta.url).pathname;
    expect(await run(["catalog", "pin", tools, "--rules", rules, "--server", "wiki", "--check"])).toMatchObject({ code: 0, stderr: "1 same\n" });
  });
});
