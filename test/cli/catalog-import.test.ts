import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commandWords } from "../../src/cli/mcp-tools.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { temporaryDirectory } from "../running-server.ts";
import { run } from "./running-command.ts";

const home = temporaryDirectory();
afterAll(() => home.remove());

const schemaOf = (...names: readonly string[]) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
});
const [FIND, SEND, WEIRD] = [
  { name: "find_lead", description: "Finds a lead by its number.", inputSchema: schemaOf("lead_id") },
  { name: "write_lead", description: "Sends a letter to a lead.", inputSchema: schemaOf("recipient", "text") },
  { name: "check_and_delete", description: "Checks a lead.", inputSchema: schemaOf("lead_id"), annotations: { readOnlyHint: true } },
];

let made = 0;
/** A rules directory with an empty catalog, and a file that lists tools. */
function set(listed: unknown) {
  const rules = join(home.path, `rules-${++made}`);
  mkdirSync(join(rules, "catalog"), { recursive: true });
  writeFileSync(join(rules, "policy.json"), readFileSync(new URL("../../rules/policy.json", import.meta.url)));
  const file = join(rules, "catalog/crm.json");
  const tools = join(home.path, `tools-${made}.json`);
  writeFileSync(tools, typeof listed === "string" ? listed : JSON.stringify(listed));
  return {
    rules,
    file,
    tools,
    text: () => readFileSync(file, "utf8"),
    run: (...args: readonly string[]) => run(["catalog", "import", tools, "--server", "crm", ...args]),
  };
}

describe("behest catalog import", () => {
  it("shows what it infers, and writes nothing unless it is told where", async () => {
    const { run: load } = set({ tools: [FIND, SEND, WEIRD] });
    const { code, stdout, stderr } = await load();
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "tool | effect | confidence | why | arguments | state",
      "crm/check_and_delete | delete | low | name: delete; description: Checks a lead; annotation: readOnlyHint | lead_id=target | new",
      "crm/write_lead | send | high | name: write; description: Sends a letter | recipient=destination text=free_text | new",
      "crm/find_lead | read | high | name: find; description: Finds a lead | lead_id=target | new",
      "",
    ]);
    expect(stderr).toBe(
      "3 new\nreview first:\n  crm/check_and_delete: delete is the worst of what is said of it; what its server says of it beside the definition does not fit\n" +
        "nothing is written; with --into rules/catalog/NAME.json the new ones are added to a file of the catalog\n",
    );
  });

  it("makes a catalog that the loader takes, pinned as `catalog pin` pins", async () => {
    const { run: load, rules, file, tools, text } = set({ tools: [FIND, SEND, WEIRD] });
    expect(await load("--into", file)).toMatchObject({ code: 0, stderr: expect.stringContaining(`added 3 to ${file}; next: review them`) });
    const { policy } = loadPolicy(rules);
    expect(policy.tools.get("crm/write_lead")).toMatchObject({
      effect: "send",
      reversibility: "irreversible",
      roles: new Map([
        ["recipient", "destination"],
        ["text", "free_text"],
      ]),
      objects: ["letter", "lead"],
      output: { trust: "trusted" },
    });
    expect(JSON.parse(text()).tools["crm/check_and_delete"].description).toBe(
      "inferred, not reviewed: low confidence, from `delete` (name), `Checks a lead` (description), `readOnlyHint` (annotation)",
    );
    expect(await run(["catalog", "pin", tools, "--rules", rules, "--server", "crm", "--check"])).toMatchObject({ code: 0, stderr: "3 same\n" });
  });

  it("keeps what an operator wrote, adds what is new, and says what is otherwise or gone", async () => {
    const { run: load, file, tools, text } = set({ tools: [FIND, SEND] });
    await load("--into", file);
    const reviewed = text().replace('"effect": "send"', '"effect":   "create"');
    writeFileSync(file, reviewed);
    writeFileSync(tools, JSON.stringify({ tools: [{ ...FIND, description: "Finds a lead by anything." }, SEND, WEIRD] }));
    const { stdout, stderr } = await load("--into", file, "-o", "json");
    expect(JSON.parse(stdout).map(({ tool, state, review }: Record<string, unknown>) => ({ tool, state, review }))).toEqual([
      { tool: "crm/find_lead", state: "drifted", review: ["its definition is another than the pinned one"] },
      { tool: "crm/write_lead", state: "kept", review: ['effect: "create" is written, "send" inferred'] },
      expect.objectContaining({ tool: "crm/check_and_delete", state: "new" }),
    ]);
    expect(stderr).toContain("added 1 to");
    const before = reviewed.slice(0, reviewed.lastIndexOf("\n  }\n}"));
    expect(text().startsWith(`${before},\n    "crm/check_and_delete": {`)).toBe(true);
    writeFileSync(tools, JSON.stringify({ tools: [SEND] }));
    const last = text();
    expect((await load("--into", file)).stderr).toContain("1 kept, 2 gone");
    expect(text()).toBe(last);
  });

  it("tells what a tool's actions are done to with the words that say so, and where other nouns are written, in whatever order", async () => {
    const { run: load, file, text } = set({ tools: [FIND, SEND] });
    await load("--into", file);
    const written = text();
    const reviewOf = async (objects: string) => {
      writeFileSync(file, written.replace('"objects": ["letter", "lead"]', objects));
      const rows: Record<string, unknown>[] = JSON.parse((await load("--into", file, "-o", "json")).stdout);
      return rows.find(({ tool }) => tool === "crm/write_lead");
    };
    expect(await reviewOf('"objects": ["lead", "letter"]')).toMatchObject({
      review: [],
      objects: { value: ["letter", "lead"], confidence: "high", words: [{ from: "description", words: "letter lead" }] },
    });
    expect(await reviewOf('"objects": ["mail"]')).toMatchObject({ review: ['objects: ["mail"] is written, ["lead","letter"] inferred'] });
    expect(await reviewOf('"owner": "team:crm"')).toMatchObject({ review: ['objects: nothing is written, ["lead","letter"] inferred'] });
  });

  it("adds no tool that another file of the catalog lists", async () => {
    const { run: load, rules, file } = set({ tools: [FIND, SEND] });
    writeFileSync(
      join(rules, "catalog/other.json"),
      `{ "tools": { "crm/find_lead": { "effect": "read", "reversibility": "reversible", "output": { "trust": "trusted" } } } }`,
    );
    expect((await load("--into", file)).stderr).toContain("1 new, 1 elsewhere");
    expect([...loadPolicy(rules).policy.tools.keys()].sort()).toEqual(["crm/find_lead", "crm/write_lead"]);
  });

  it("writes every operation of a tool that has several, and an unknown effect as unknown", async () => {
    const tool = {
      name: "leads",
      description: "Manages leads.",
      inputSchema: { type: "object", properties: { action: { enum: ["list", "remove", "frob"] } } },
    };
    const { run: load, rules, file } = set([tool, { name: "glorp", description: "Glorps.", inputSchema: {} }]);
    expect((await load("--into", file)).stderr).toContain("the gateway must send it as `action.operation`");
    const { tools } = loadPolicy(rules).policy;
    expect(Object.fromEntries(tools.get("crm/leads")?.operations ?? [])).toEqual({ list: "read", remove: "delete", frob: "unknown" });
    expect(tools.get("crm/glorp")?.effect).toBe("unknown");
  });

  it("imports what a server lists badly: no schema, five hundred arguments, forbidden names, other scripts, descriptions without end", async () => {
    const listed = [
      { name: "no_schema", description: "Finds a lead." },
      { name: "many", description: "Deletes leads.", inputSchema: schemaOf(...Array.from({ length: 500 }, (_, at) => `lead_${at}_id`)) },
      { name: "odd", description: "Finds a lead.", inputSchema: schemaOf("constructor", "prototype", "lead_id") },
      { name: "choosy", inputSchema: { properties: { action: { enum: ["list", "remove", "constructor"] } } } },
      { name: "获取", description: "获取天气", inputSchema: {} },
      { name: "long", description: `Deletes a lead. ${"word ".repeat(200_000)}`, inputSchema: {} },
    ];
    const { run: load, rules, file } = set(listed);
    const { code, stderr } = await load("--into", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("5 new, 1 unlistable") });
    expect(stderr).toContain("crm/no_schema: it has no input schema");
    expect(stderr).toContain("crm/long: only the first 16384 characters");
    const { tools } = loadPolicy(rules).policy;
    expect(tools.get("crm/no_schema")).not.toHaveProperty("definitionDigest");
    expect(tools.get("crm/many")?.roles.size).toBe(500);
    expect([...(tools.get("crm/odd")?.roles.keys() ?? [])]).toEqual(["lead_id"]);
    expect([...(tools.get("crm/choosy")?.operations?.keys() ?? [])]).toEqual(["list", "remove"]);
    expect(tools.get("crm/long")?.effect).toBe("delete");
  });

  it("lists no tool by a name that no file of a policy may have", async () => {
    const { file, tools } = set([{ ...FIND, name: "constructor" }]);
    expect(await run(["catalog", "import", tools, "--into", file])).toMatchObject({ code: 0, stderr: expect.stringContaining("1 unlistable") });
  });

  it.each([
    { says: "no list", listed: { rules: [] }, message: "is no list of tools" },
    { says: "no tool", listed: { tools: [] }, message: "the list has no tool" },
    { says: "a tool without a name", listed: [{ description: "x" }], message: "tool 1 of the list has no `name`" },
    { says: "what is no tool", listed: [FIND, 7], message: "tool 2 of the list is no object" },
    { says: "a tool twice", listed: [FIND, FIND], message: "the list has the tool `crm/find_lead` twice" },
    { says: "a description that is no text", listed: [{ ...FIND, description: 7 }], message: "has a `description` that is no text" },
  ])("exits 2 on $says, and writes nothing", async ({ listed, message }) => {
    const { run: load, file, text } = set(listed);
    expect(await load("--into", file)).toEqual({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
    expect(text).toThrow("ENOENT");
  });

  it("exits 2 without a list, with two, and on a place that is not there", async () => {
    const { tools } = set([FIND]);
    for (const args of [[], [tools, "--mcp", "true"]])
      expect(await run(["catalog", "import", ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining("name one of a file") });
    expect(await run(["catalog", "import", tools, "--into", join(home.path, "nowhere/x.json")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no directory"),
    });
    expect(await run(["catalog", "import", tools, "--timeout", "0"])).toMatchObject({ code: 2 });
  });
});

/** A server over stdio with two pages of tools, which writes its process id down. */
const SERVER = `
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
const [, , mode, pidFile] = process.argv;
writeFileSync(pidFile, String(process.pid));
const answer = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
const tools = ${JSON.stringify([FIND, SEND])};
if (mode === "deaf") { setInterval(() => {}, 1000); process.on("SIGTERM", () => {}); }
else if (mode === "dying") { console.error("no key was given"); process.exit(3); }
else for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize") answer(id, { protocolVersion: params.protocolVersion, capabilities: mode === "toolless" ? {} : { tools: {} }, serverInfo: { name: "x", version: "1" } });
  if (method !== "tools/list") continue;
  if (mode === "endless") answer(id, { tools: [tools[0]], nextCursor: String(Math.random()) });
  else if (mode === "flooding") { setInterval(() => {}, 1000); process.on("SIGTERM", () => {}); process.stdout.write("x".repeat(20_000_000)); }
  else if (mode === "odd") answer(id, { tools: [{ name: 7 }] });
  else answer(id, params?.cursor === "2" ? { tools: [tools[1]] } : { tools: [tools[0]], nextCursor: "2" });
}
`;

describe("behest catalog import --mcp", () => {
  const script = join(home.path, "server.mjs");
  writeFileSync(script, SERVER);
  const importFrom = async (mode: string, ...args: readonly string[]) => {
    const pidFile = join(home.path, `pid-${++made}`);
    const finished = await run(["catalog", "import", "--mcp", `'${process.execPath}' ${script} ${mode} "${pidFile}"`, "--server", "crm", ...args]);
    return { ...finished, pid: Number(readFileSync(pidFile, "utf8")) };
  };
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it("asks a server for all pages of its tools, and pins just what a file of them would", async () => {
    const { rules, tools, file } = set({ tools: [FIND, SEND] });
    const { code, stderr, pid } = await importFrom("good", "--into", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("2 new\nadded 2 to") });
    expect(isAlive(pid)).toBe(false);
    expect(await run(["catalog", "pin", tools, "--rules", rules, "--server", "crm", "--check"])).toMatchObject({ code: 0, stderr: "2 same\n" });
  });

  it.each([
    { mode: "deaf", message: "it did not answer within 1 s" },
    { mode: "dying", message: "it said: no key was given" },
    { mode: "toolless", message: "the server says that it has no tools" },
    { mode: "endless", message: "no tools from" },
    { mode: "flooding", message: "no tools from" },
    { mode: "odd", message: "no tools from" },
  ])("exits 6 on a server that is $mode, and ends it", { timeout: 20_000 }, async ({ mode, message }) => {
    const { code, stdout, stderr, pid } = await importFrom(mode, "--timeout", "1");
    expect({ code, stdout, stderr }).toEqual({ code: 6, stdout: "", stderr: expect.stringContaining(message) });
    expect(isAlive(pid)).toBe(false);
  });

  it("exits 6 on a command that is not there", async () => {
    expect(await run(["catalog", "import", "--mcp", "behest-no-such-server"])).toMatchObject({ code: 6, stderr: expect.stringContaining("ENOENT") });
  });

  it.each([
    { command: "npx -y server /tmp", words: ["npx", "-y", "server", "/tmp"] },
    { command: `env KEY="a b" x 'c "d"' e\\ f ""`, words: ["env", "KEY=a b", "x", 'c "d"', "e f", ""] },
    { command: "  x;  rm $HOME  ", words: ["x;", "rm", "$HOME"] },
    { command: " ", words: [] },
  ])("takes `$command` apart without a shell", ({ command, words }) => {
    expect(commandWords(command)).toEqual(words);
  });

  it("refuses a quote that nothing closes", () => {
    expect(() => commandWords(`x "y`)).toThrow('the command of --mcp has a " that nothing closes');
  });
});
