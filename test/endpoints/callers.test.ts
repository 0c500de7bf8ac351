import { renameSync } from "node:fs";
import { type ClientSessionOptions, connect } from "node:http2";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES, type Role } from "../../src/core/request.ts";
import { GetApprovalRequestSchema, ResolveApprovalRequestSchema, Verdict } from "../../src/gen/behest/v1/approval_pb.ts";
import { ResumeRequestSchema, SuspendRequestSchema, SuspensionKind } from "../../src/gen/behest/v1/control_pb.ts";
import * as wire from "../../src/gen/behest/v1/decision_pb.ts";
import {
  CloseTaskRequestSchema,
  DelegateTaskRequestSchema,
  GetTaskRequestSchema,
  OpenTaskRequestSchema,
  RevokeTaskRequestSchema,
} from "../../src/gen/behest/v1/task_pb.ts";
import {
  ACCEPTED,
  addToken,
  type HostileServer,
  METHODS,
  outcomeOf,
  type Refusal,
  refusalOf,
  requestOf,
  rewriteTokens,
  runHostileServer,
} from "./raw-calls.ts";

let server: HostileServer;
let roleless: string;
beforeAll(async () => {
  server = await runHostileServer();
  roleless = addToken(server.data, { id: "roleless", caller: "nobody", roles: [] });
});
afterAll(async () => {
  expect(outcomeOf(await server.decideAsOther())).toBe("ALLOW");
  await server.close();
});

const unauthenticated = (message: string): Refusal => ({ code: "UNAUTHENTICATED", message, reason: "CALLER_UNAUTHENTICATED" });
const NO_TOKEN = unauthenticated("send one `authorization: Bearer TOKEN` with the call; the tokens lie in the data directory");
const UNKNOWN_TOKEN = unauthenticated("the token is not known; the tokens of this server lie in its data directory");

/** A good message for each method. */
const messages: Readonly<Record<string, Uint8Array>> = {
  Decide: toBinary(wire.DecideRequestSchema, requestOf()),
  DecideBatch: toBinary(wire.DecideBatchRequestSchema, create(wire.DecideBatchRequestSchema, { items: [requestOf()] })),
  DecideStream: toBinary(wire.DecideStreamRequestSchema, create(wire.DecideStreamRequestSchema, { correlationId: "one", decide: requestOf() })),
  Explain: toBinary(wire.ExplainRequestSchema, create(wire.ExplainRequestSchema, { request: requestOf() })),
  ReportOutcome: toBinary(
    wire.ReportOutcomeRequestSchema,
    create(wire.ReportOutcomeRequestSchema, { decisionId: "none", status: wire.ReportStatus.EXECUTED }),
  ),
  OpenTask: toBinary(
    OpenTaskRequestSchema,
    create(OpenTaskRequestSchema, { statement: "s", agentId: "reader", principal: { type: wire.PrincipalType.USER, id: "alice" } }),
  ),
  DelegateTask: toBinary(DelegateTaskRequestSchema, create(DelegateTaskRequestSchema, { taskId: "none", agentId: "reader" })),
  GetTask: toBinary(GetTaskRequestSchema, create(GetTaskRequestSchema, { taskId: "none" })),
  ListTasks: new Uint8Array(),
  CloseTask: toBinary(CloseTaskRequestSchema, create(CloseTaskRequestSchema, { taskId: "none" })),
  RevokeTask: toBinary(RevokeTaskRequestSchema, create(RevokeTaskRequestSchema, { taskId: "none" })),
  ListApprovals: new Uint8Array(),
  GetApproval: toBinary(GetApprovalRequestSchema, create(GetApprovalRequestSchema, { approvalId: "none" })),
  ResolveApproval: toBinary(
    ResolveApprovalRequestSchema,
    create(ResolveApprovalRequestSchema, { approvalId: "none", verdict: Verdict.DENY, comment: "no" }),
  ),
  WatchApprovals: new Uint8Array(),
  GetPolicy: new Uint8Array(),
  ReloadPolicy: new Uint8Array(),
  ValidatePolicy: new Uint8Array(),
  Suspend: toBinary(SuspendRequestSchema, create(SuspendRequestSchema, { kind: SuspensionKind.AGENT, value: "nobody", reason: "r" })),
  Resume: toBinary(ResumeRequestSchema, create(ResumeRequestSchema, { suspensionId: "none" })),
  ListSuspensions: new Uint8Array(),
};
const call = async (method: string, authorization?: string): Promise<Refusal> =>
  refusalOf(await server.raw.call(method, messages[method] ?? new Uint8Array(), authorization));

const SECRET = "A".repeat(43);

describe.each(METHODS)("%s", (method) => {
  it.each<{ says: string; authorization?: string; refusal: Refusal }>([
    { says: "without a token", refusal: NO_TOKEN },
    { says: "with an empty header", authorization: "", refusal: NO_TOKEN },
    { says: "with a scheme and no token", authorization: "Bearer ", refusal: NO_TOKEN },
    { says: "with another scheme", authorization: `Basic ${SECRET}`, refusal: NO_TOKEN },
    { says: "with a bare token", authorization: `behest.enforcer.${SECRET}`, refusal: NO_TOKEN },
    { says: "with two tokens in one header", authorization: `Bearer behest.enforcer.${SECRET}, Bearer behest.operator.${SECRET}`, refusal: NO_TOKEN },
    { says: "with a token of nobody's", authorization: `Bearer behest.stranger.${SECRET}`, refusal: UNKNOWN_TOKEN },
    { says: "with the wrong secret", authorization: `Bearer behest.enforcer.${SECRET}`, refusal: UNKNOWN_TOKEN },
    { says: "with something else than a token", authorization: "Bearer ../../etc/passwd", refusal: UNKNOWN_TOKEN },
    { says: "with a token of 10,000 characters", authorization: `Bearer behest.enforcer.${"A".repeat(10_000)}`, refusal: UNKNOWN_TOKEN },
  ])("is refused $says", async ({ authorization, refusal }) => {
    expect(await call(method, authorization)).toEqual(refusal);
  });

  it("is refused with the secret of one token under the name of another", async () => {
    const secret = server.token("operator").split(".")[2];
    expect(await call(method, `Bearer behest.enforcer.${secret}`)).toEqual(UNKNOWN_TOKEN);
  });

  it("looks at the token before it looks at the message", async () => {
    expect(refusalOf(await server.raw.call(method, Buffer.alloc(64, 0xff)))).toEqual(NO_TOKEN);
  });
});

describe("roles", () => {
  it.each<{ method: string; roles: readonly Role[]; needs: string }>([
    { method: "Decide", roles: ["enforcer"], needs: "`enforcer`" },
    { method: "DecideBatch", roles: ["enforcer"], needs: "`enforcer`" },
    { method: "DecideStream", roles: ["enforcer"], needs: "`enforcer`" },
    { method: "Explain", roles: ["enforcer", "auditor", "operator"], needs: "`enforcer` or `auditor` or `operator`" },
    { method: "OpenTask", roles: ["initiator", "operator"], needs: "`initiator` or `operator`" },
    { method: "ListTasks", roles: ["auditor", "operator"], needs: "`auditor` or `operator`" },
    {
      method: "ListApprovals",
      roles: ["approver", "auditor", "operator", "enforcer"],
      needs: "`approver` or `auditor` or `operator` or `enforcer`",
    },
    { method: "GetPolicy", roles: ["auditor", "operator"], needs: "`auditor` or `operator`" },
    { method: "ReloadPolicy", roles: ["operator"], needs: "`operator`" },
    { method: "ValidatePolicy", roles: ["auditor", "operator"], needs: "`auditor` or `operator`" },
    { method: "Suspend", roles: ["operator"], needs: "`operator`" },
    { method: "ListSuspensions", roles: ["auditor", "operator"], needs: "`auditor` or `operator`" },
  ])("$method is for $roles alone", async ({ method, roles, needs }) => {
    for (const role of ROLES) {
      const caller = role === "approver" ? "user:local" : `local-${role}`;
      const forbidden = {
        code: "PERMISSION_DENIED",
        message: `\`${method}\` needs the role ${needs}; \`${caller}\` has \`${role}\``,
        reason: "CALLER_FORBIDDEN",
      };
      expect(await call(method, `Bearer ${server.token(role)}`)).toEqual(roles.includes(role) ? ACCEPTED : forbidden);
    }
  });

  it.each<{ method: string; roles: readonly Role[]; reason: string }>([
    { method: "Resume", roles: ["operator"], reason: "SUSPENSION_UNKNOWN" },
    { method: "ReportOutcome", roles: ["enforcer"], reason: "DECISION_UNKNOWN" },
    { method: "DelegateTask", roles: ["initiator", "enforcer"], reason: "TASK_UNKNOWN" },
    { method: "GetTask", roles: ["auditor", "operator"], reason: "TASK_UNKNOWN" },
    { method: "GetApproval", roles: ["approver", "auditor", "operator", "enforcer"], reason: "APPROVAL_UNKNOWN" },
    { method: "ResolveApproval", roles: ["approver"], reason: "APPROVAL_UNKNOWN" },
    { method: "CloseTask", roles: ["initiator", "operator"], reason: "TASK_UNKNOWN" },
    { method: "RevokeTask", roles: ["initiator", "operator"], reason: "TASK_UNKNOWN" },
  ])("$method is for $roles alone, who may name something that is none", async ({ method, roles, reason }) => {
    for (const role of ROLES) {
      const expected = roles.includes(role) ? { code: "NOT_FOUND", reason } : { code: "PERMISSION_DENIED", reason: "CALLER_FORBIDDEN" };
      expect(await call(method, `Bearer ${server.token(role)}`)).toMatchObject(expected);
    }
  });

  it("names every method of the services, so that none is left open", () => {
    expect(Object.keys(messages)).toEqual(METHODS);
  });

  it("may be none at all, which is enough for nothing", async () => {
    for (const method of Object.keys(messages)) {
      await expect.poll(() => call(method, `Bearer ${roleless}`)).toMatchObject({ code: "PERMISSION_DENIED", reason: "CALLER_FORBIDDEN" });
    }
  });
});

it("takes the scheme in any case, as HTTP has it", async () => {
  expect(await call("Decide", `bearer ${server.token("enforcer")}`)).toEqual(ACCEPTED);
});

describe("a second authorization header", () => {
  /** Status of a Decide with these headers, which no gRPC client would send. */
  const statusWith = (...authorizations: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      // Node lets a client send a header twice only if it is told so; its types do not know of it yet.
      const options: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = { strictSingleValueFields: false };
      const session = connect(`http://${server.address}`, options);
      const pseudo = [":method", "POST", ":scheme", "http", ":authority", server.address, ":path", "/behest.v1.DecisionService/Decide"];
      const rest = ["content-type", "application/grpc", "te", "trailers", ...authorizations.flatMap((value) => ["authorization", value])];
      const stream = session.request([...pseudo, ...rest]);
      const take = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers["grpc-status"] !== undefined) resolve(String(headers["grpc-status"]));
      };
      stream.on("response", take).on("trailers", take).on("error", reject).resume();
      stream.on("close", () => session.close());
      const message = Buffer.from(messages["Decide"] ?? []);
      const frame = Buffer.alloc(5);
      frame.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([frame, message]));
    });

  it("never lends its caller what the first does not give", async () => {
    const good = `Bearer ${server.token("enforcer")}`;
    const auditor = `Bearer ${server.token("auditor")}`;
    expect(await statusWith(good)).toBe("0");
    expect(await statusWith("Bearer nonsense", good)).toBe("16");
    expect(await statusWith(auditor, good)).toBe("7");
  });
});

describe("without credentials", () => {
  it.each(["", "behest.v1.DecisionService", "behest.v1.ApprovalService", "behest.v1.PolicyService"])("health answers for %j", async (service) => {
    const request = Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
    const SERVING = Buffer.from([0x08, 0x01]);
    expect(await server.raw.call("/grpc.health.v1.Health/Check", request)).toEqual({ body: SERVING });
  });

  it("health knows no other service", async () => {
    const request = Buffer.from("\u000a\u0005other");
    expect(refusalOf(await server.raw.call("/grpc.health.v1.Health/Check", request)).code).toBe("NOT_FOUND");
  });

  it.each(["/behest.v1.DecisionService/Undecide", "/behest.v1.PolicyService/Decide", "/behest.v1.ControlService/SuspendForever", "/", "/../Decide"])(
    "%s is no method",
    async (path) => {
      expect(refusalOf(await server.raw.call(path, new Uint8Array())).code).toBe("UNIMPLEMENTED");
    },
  );
});

describe("while the server runs", () => {
  it("takes a token that is added, and refuses it within moments of its removal", async () => {
    const token = addToken(server.data, { id: "late", caller: "late-enforcer", roles: ["enforcer"] });
    await expect.poll(() => call("Decide", `Bearer ${token}`), { timeout: 5_000 }).toEqual(ACCEPTED);
    rewriteTokens(server.data, (tokens) => tokens.filter(({ id }) => id !== "late"));
    await expect.poll(() => call("Decide", `Bearer ${token}`), { timeout: 5_000 }).toEqual(UNKNOWN_TOKEN);
    expect(await call("Decide", `Bearer ${server.token("enforcer")}`)).toEqual(ACCEPTED);
  });

  it("takes a role away", async () => {
    const token = addToken(server.data, { id: "demoted", caller: "demoted", roles: ["enforcer"] });
    await expect.poll(() => call("Decide", `Bearer ${token}`), { timeout: 5_000 }).toEqual(ACCEPTED);
    rewriteTokens(server.data, (tokens) => tokens.map((entry) => (entry.id === "demoted" ? { ...entry, roles: ["auditor"] as const } : entry)));
    await expect.poll(() => call("Decide", `Bearer ${token}`), { timeout: 5_000 }).toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("knows nobody while tokens.json is gone", async () => {
    const good = `Bearer ${server.token("enforcer")}`;
    const [path, aside] = [join(server.data, "tokens.json"), join(server.data, "aside.json")];
    renameSync(path, aside);
    await expect.poll(() => call("Decide", good), { timeout: 5_000 }).toEqual(UNKNOWN_TOKEN);
    renameSync(aside, path);
    await expect.poll(() => call("Decide", good), { timeout: 5_000 }).toEqual(ACCEPTED);
  });
});
