import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BehestClient, CallFailed } from "../../src/client/client.ts";
import { createPolicyHandlers } from "../../src/endpoints/grpc/handler-policy.ts";
import * as wire from "../../src/gen/behest/v1/policy_pb.ts";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { compilePolicy } from "../../src/policy/load.ts";
import { FULL_REACH, filesOf } from "../policies.ts";
import { denyRule, writeRules } from "../policy/bad-directories.ts";
import { temporaryDirectory } from "../running-server.ts";
import { type HostileServer, requestOf, runHostileServer } from "./raw-calls.ts";

const agents = { reader: { trust: "high", reach: FULL_REACH } };
const A = filesOf({ agents, rules: [denyRule("a"), denyRule("b")] });
const B = filesOf({ agents, rules: [denyRule("a"), { ...denyRule("c"), priority: 5 }] });
const DIGEST_A = compilePolicy(A).policy.digest;
const DIGEST_B = compilePolicy(B).policy.digest;
const BAD = { ...A, "test.rules.json": '{ "rules": [ { "name": "A" } ] }' };

const parent = temporaryDirectory();
const rules = join(parent.path, "rules");
let server: HostileServer;
let operator: BehestClient;
let auditor: BehestClient;
beforeAll(async () => {
  writeRules(rules, A);
  // Nothing is reloaded but what these tests ask for.
  server = await runHostileServer({ rules, rules_poll_ms: 0 });
  operator = server.client("operator");
  auditor = server.client("auditor");
});
beforeEach(async () => {
  writeRules(rules, A);
  await operator.reloadPolicy();
});
afterEach(async () => {
  expect((await server.decideAsOther()).policyDigest).toMatch(/^sha256:/);
});
afterAll(async () => {
  await server.close();
  parent.remove();
});

const unasked = (): never => {
  throw new Error("not asked for here");
};

async function failureOf(call: Promise<unknown>): Promise<CallFailed> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallFailed) return error;
    throw error;
  }
  throw new Error("it was answered");
}

describe("GetPolicy", () => {
  it("tells of the policy in force, to auditors as to operators", async () => {
    for (const client of [auditor, operator]) {
      const { policy, refusal } = await client.getPolicy();
      expect(policy).toMatchObject({ digest: DIGEST_A, inForce: true, directory: rules, rules: 2, agents: 1, tools: 0, warnings: [], files: {} });
      expect(Math.abs(Number(policy?.loadedAt?.seconds) - Date.now() / 1_000)).toBeLessThan(60);
      expect(refusal).toBeUndefined();
    }
  });

  it("hands out its files when they are asked for", async () => {
    expect((await auditor.getPolicy({ withFiles: true })).policy?.files).toEqual(A);
    expect((await auditor.getPolicy({ digest: DIGEST_A, withFiles: true })).policy).toMatchObject({ inForce: true, files: A });
  });

  it("hands out a policy that was once loaded, by its digest", async () => {
    writeRules(rules, B);
    await operator.reloadPolicy();
    const { policy, refusal } = await auditor.getPolicy({ digest: DIGEST_A, withFiles: true });
    expect(policy).toMatchObject({ digest: DIGEST_A, inForce: false, rules: 2, agents: 1, files: A });
    expect(refusal).toBeUndefined();
  });

  it("tells why what the directory holds is not in force", async () => {
    writeRules(rules, BAD);
    await expect(operator.reloadPolicy()).rejects.toThrow();
    const { policy, refusal } = await auditor.getPolicy();
    expect(policy?.digest).toBe(DIGEST_A);
    expect(refusal).toMatchObject({ complaintsTotal: 3 });
    expect(refusal?.complaints[0]).toMatchObject({
      id: "wrong-value",
      severity: wire.ComplaintSeverity.ERROR,
      file: join(rules, "test.rules.json"),
      line: 1,
      column: 24,
      source: '{ "rules": [ { "name": "A" } ] }',
      caret: 23,
      message: "`A` is not a rule name: words of `a-z 0-9`, joined by `-`",
      suggestion: "",
    });
  });

  it.each([
    { says: "a digest that is none", digest: "sha256:12", code: 3, message: "`digest` is not `sha256:` and 64 hexadecimal digits" },
    {
      says: "a policy that was never loaded",
      digest: `sha256:${"0".repeat(64)}`,
      code: 5,
      message: `no policy \`sha256:${"0".repeat(64)}\` was ever loaded here`,
    },
  ])("refuses $says", async ({ digest, code, message }) => {
    expect(await failureOf(auditor.getPolicy({ digest }))).toMatchObject({ code, message });
  });
});

describe("ReloadPolicy", () => {
  it("answers once every request decides by the new policy, with its warnings", async () => {
    writeRules(rules, B);
    const answer = await operator.reloadPolicy();
    expect(answer).toMatchObject({ digest: DIGEST_B, changed: true });
    expect(answer.warnings.map(({ id, message }) => ({ id, message }))).toEqual([
      { id: "priority-of-rule", message: "rule `c`: `priority` orders findings and has no effect on outcomes" },
    ]);
    expect((await server.decide(requestOf())).policyDigest).toBe(DIGEST_B);
    expect(await operator.reloadPolicy()).toMatchObject({ digest: DIGEST_B, changed: false });
  });

  it("fails when what it finds is refused, names the first complaints, and keeps the last good policy", async () => {
    writeRules(rules, BAD);
    const failed = await failureOf(operator.reloadPolicy());
    expect(failed).toMatchObject({ code: 9, message: `the rules in \`${rules}\` have 3 errors and were refused; \`${DIGEST_A}\` stays in force` });
    const [bad] = (failed.status?.details ?? []).flatMap((any) => anyUnpack(any, BadRequestSchema) ?? []);
    expect(bad?.fieldViolations[0]).toMatchObject({
      field: `${rules}/test.rules.json:1:24`,
      description: "`A` is not a rule name: words of `a-z 0-9`, joined by `-`",
      reason: "WRONG_VALUE",
    });
    expect((await server.decide(requestOf())).policyDigest).toBe(DIGEST_A);
  });

  it("fits what it says into trailers that every client takes, however much there is to say", async () => {
    const long = "é".repeat(500);
    writeRules(rules, { ...A, "test.rules.json": JSON.stringify({ rules: Array.from({ length: 900 }, () => ({ [long]: long, name: long })) }) });
    const failed = await failureOf(operator.reloadPolicy());
    expect(failed.code).toBe(9);
    expect(failed.status?.details.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThan(6_000);
    const { refusal } = await auditor.getPolicy();
    expect(refusal?.complaints).toHaveLength(200);
    expect(refusal?.complaintsTotal).toBeGreaterThan(900);
  });
});

describe("health", () => {
  it("says that the policy is not what the directory holds, and that decisions are made all the same", async () => {
    const anybody = server.client();
    writeRules(rules, BAD);
    await failureOf(operator.reloadPolicy());
    expect({ policy: await anybody.isServing("policy"), decisions: await anybody.isServing() }).toEqual({ policy: false, decisions: true });
    writeRules(rules, A);
    await operator.reloadPolicy();
    expect(await anybody.isServing("policy")).toBe(true);
  });
});

describe("ValidatePolicy", () => {
  it("says of good files which policy they would be, and loads nothing", async () => {
    expect(await auditor.validatePolicy(B)).toMatchObject({
      valid: true,
      digest: DIGEST_B,
      complaintsTotal: 1,
      complaints: [{ id: "priority-of-rule" }],
    });
    expect((await auditor.getPolicy()).policy?.digest).toBe(DIGEST_A);
    expect((await failureOf(auditor.getPolicy({ digest: `sha256:${"1".repeat(64)}` }))).code).toBe(5);
  });

  it.each<{ says: string; files: Readonly<Record<string, string>>; message: string; file: string }>([
    { says: "a mistake in a file", files: { ...A, "x.rules.json": "{" }, file: "rules/x.rules.json", message: "not JSON: close brace expected" },
    { says: "no files", files: {}, file: "rules/policy.json", message: "is missing; without it nothing can be decided; `behest init` makes one" },
    {
      says: "a file that is none of a policy's",
      files: { ...A, "../x.json": "{}", "x.json": "{}" },
      file: "rules/x.json",
      message: "nothing that Behest reads: name it `NAME.rules.json` or `NAME.cases.json`, put it into `catalog/`, or move it away",
    },
    {
      says: "a directory in the catalog",
      files: { ...A, "catalog/x/y.json": "{}" },
      file: "rules/catalog/x",
      message: "nothing that Behest reads: a catalog is a `NAME.json`, not in a directory of its own",
    },
    {
      says: "a directory in place of a file",
      files: { ...A, "x.rules.json/y": "{}" },
      file: "rules/x.rules.json",
      message: "cannot be read: it is a directory",
    },
    {
      says: "too many files",
      files: { ...A, ...Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`x${n}.rules.json`, "{}"])) },
      file: "rules",
      message: "the rules directory cannot be read: it holds more than 1000 names; a rules directory holds rules alone",
    },
  ])("complains of $says", async ({ files, file, message }) => {
    const answer = await operator.validatePolicy(files);
    expect(answer).toMatchObject({ valid: false, digest: "" });
    expect(answer.complaints.map((complaint) => ({ file: complaint.file, message: complaint.message }))).toContainEqual({ file, message });
  });

  it("takes 4 MiB and no more", async () => {
    const filling = (bytes: number) => ({ ...A, "x.rules.json": `{ "rules": [] }${" ".repeat(bytes)}` });
    expect(await auditor.validatePolicy(filling(4_190_000))).toMatchObject({ valid: true });
    expect((await failureOf(auditor.validatePolicy(filling(4_194_304)))).code).toBe(8);
  });

  it("looks at one policy at a time", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const handlers = createPolicyHandlers({
      authenticate: () => ({ tenant: "default", id: "somebody", roles: ["auditor"] }),
      policies: {
        get status(): never {
          throw new Error("not asked for here");
        },
        reload: unasked,
      },
      findPolicy: unasked,
      validatePolicy: async () => held.then(() => ({ digest: DIGEST_A, complaints: [] })),
      limits: { requestBytesMax: 1_024, batchBytesMax: 1_024 },
    });
    const metadata = new Metadata();
    metadata.set("authorization", "Bearer token");
    const validate = () => handlers.ValidatePolicy(Buffer.alloc(0), metadata, () => new AbortController().signal);
    const first = validate();
    await expect(validate()).rejects.toMatchObject({
      code: "OVERLOADED",
      message: "another policy is being validated; retry after a moment",
    });
    release();
    expect(fromBinary(wire.ValidatePolicyResponseSchema, await first).valid).toBe(true);
    expect(fromBinary(wire.ValidatePolicyResponseSchema, await validate()).valid).toBe(true);
  });

  it.each(["GetPolicy", "ReloadPolicy", "ValidatePolicy"])("%s refuses what is no message of its own", async (method) => {
    const reply = await server.raw.call(method, Buffer.from([0x0a, 0xff]), `Bearer ${server.token("operator")}`);
    expect(reply).toMatchObject({ code: "INVALID_ARGUMENT", message: `the message is no behest.v1.${method}Request`, reason: "REQUEST_MALFORMED" });
  });
});

it("answers no differently for a directory that has gone", async () => {
  rmSync(rules, { recursive: true });
  expect(await failureOf(operator.reloadPolicy())).toMatchObject({ code: 9 });
  expect((await auditor.getPolicy()).refusal?.complaints).toMatchObject([{ line: 0, file: rules, source: "", id: "unreadable-file" }]);
  writeFileSync(rules, "");
  expect((await failureOf(operator.reloadPolicy())).message).toContain("have an error and were refused");
  rmSync(rules);
});
