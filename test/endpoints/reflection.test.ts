import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { type RunningServer, runServer, temporaryDirectory } from "../running-server.ts";

const BUF = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));

let server: RunningServer;
const directory = temporaryDirectory();
beforeAll(async () => {
  server = await runServer();
});
afterAll(async () => {
  await server.close();
  directory.remove();
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `buf curl` as a user would type it, in a directory without any proto file. */
const curl = (method: string, ...flags: readonly string[]): Promise<Finished> =>
  new Promise((resolve) => {
    const url = `http://${server.address}${method === "" ? "" : `/${method}`}`;
    const env = { PATH: process.env["PATH"], HOME: directory.path, XDG_CACHE_HOME: directory.path };
    const options = { cwd: directory.path, env, timeout: 30_000 };
    execFile(BUF, ["curl", "--protocol", "grpc", "--http2-prior-knowledge", url, ...flags], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });

const bearer = () => ["-H", `authorization: Bearer ${server.token("enforcer")}`];
const REQUEST = JSON.stringify({ agent: { id: "reader" }, action: { tool: "filesystem/read_text_file", arguments: { path: "/srv/handbook.md" } } });

it("lists every method to anybody", async () => {
  const { code, stdout } = await curl("", "--list-methods");
  expect(code).toBe(0);
  expect(stdout.trim().split("\n")).toEqual(
    expect.arrayContaining([
      "behest.v1.DecisionService/Decide",
      "behest.v1.DecisionService/DecideBatch",
      "behest.v1.DecisionService/DecideStream",
      "behest.v1.DecisionService/Explain",
      "behest.v1.DecisionService/ReportOutcome",
      "behest.v1.TaskService/OpenTask",
      "behest.v1.TaskService/DelegateTask",
      "behest.v1.TaskService/GetTask",
      "behest.v1.TaskService/ListTasks",
      "behest.v1.TaskService/CloseTask",
      "behest.v1.TaskService/RevokeTask",
      "behest.v1.ApprovalService/ListApprovals",
      "behest.v1.ApprovalService/GetApproval",
      "behest.v1.ApprovalService/ResolveApproval",
      "behest.v1.ApprovalService/WatchApprovals",
      "behest.v1.ControlService/Suspend",
      "behest.v1.ControlService/Resume",
      "behest.v1.ControlService/ListSuspensions",
      "behest.v1.PolicyService/GetPolicy",
      "behest.v1.PolicyService/ReloadPolicy",
      "behest.v1.PolicyService/ValidatePolicy",
      "grpc.health.v1.Health/Check",
    ]),
  );
});

it("tells enough to ask for a decision, with a token", async () => {
  const { code, stdout } = await curl("behest.v1.DecisionService/Decide", ...bearer(), "-d", REQUEST);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "OUTCOME_ALLOW", basis: "BASIS_AVAILABLE", recorded: true });
});

it("passes on the details of a refusal", async () => {
  const { code, stderr } = await curl("behest.v1.DecisionService/Decide", ...bearer(), "-d", '{"agent":{"id":"reader"}}');
  expect(code).not.toBe(0);
  const { details, ...status } = JSON.parse(stderr);
  expect(status).toEqual({ code: "invalid_argument", message: "`action` is missing" });
  const [info, bad] = details.map(({ value }: { value: string }) => Buffer.from(value, "base64"));
  expect(fromBinary(ErrorInfoSchema, info)).toMatchObject({ reason: "REQUEST_MALFORMED", domain: "behest.v1" });
  expect(fromBinary(BadRequestSchema, bad)).toMatchObject({ fieldViolations: [{ field: "action", description: "`action` is missing" }] });
});

it("does not answer for a decision without a token", async () => {
  const { code, stdout, stderr } = await curl("behest.v1.DecisionService/Decide", "-d", REQUEST);
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  expect(JSON.parse(stderr)).toMatchObject({ code: "unauthenticated" });
});

it("lets anybody ask for the health of the server and of its services", async () => {
  for (const data of [
    "{}",
    '{"service":"behest.v1.DecisionService"}',
    '{"service":"behest.v1.TaskService"}',
    '{"service":"behest.v1.PolicyService"}',
    '{"service":"behest.v1.ControlService"}',
  ]) {
    const { code, stdout } = await curl("grpc.health.v1.Health/Check", "-d", data);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
  }
});
