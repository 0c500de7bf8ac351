import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import { expect, vi } from "vitest";
import { type BehestClient, type CallFailed, createClient } from "../../src/client/client.ts";
import type { Config } from "../../src/config.ts";
import type { Role } from "../../src/core/request.ts";
import { Verdict } from "../../src/gen/behest/v1/approval_pb.ts";
import { ApprovalState, type DecideRequest, type DecideRequestSchema, type DecideResponse } from "../../src/gen/behest/v1/decision_pb.ts";
import { filesOf, type PolicyParts } from "../policies.ts";
import { temporaryDirectory } from "../running-server.ts";
import { addToken, type HostileServer, outcomeOf, requestOf, runHostileServer } from "./raw-calls.ts";

/** Reads are allowed, and people are asked for every write; an agent may ask as often as it likes. */
const POLICY: PolicyParts = {
  settings: { asked_per_hour: { agent: 1_000, task: 1_000 } },
  tools: {
    read: { effect: "read", reversibility: "reversible", output: { trust: "trusted" } },
    write: {
      effect: "update",
      reversibility: "reversible",
      owner: "team:notes",
      output: { trust: "trusted" },
      arguments: { path: "target", content: "free_text", size: "amount" },
    },
  },
};

export interface OtherCaller {
  readonly caller: string;
  readonly roles: readonly Role[];
  readonly tenant?: string;
}

/** A server of which people are asked things, and one of those who answer. */
export interface AskingServer extends HostileServer {
  readonly approver: BehestClient;
  /** A client with a token of its own, once the server knows that; and its id in tokens.json. */
  join(other: OtherCaller): Promise<{ readonly client: BehestClient; readonly tokenId: string }>;
  /** Asks, expects that people are asked, and answers the approval's id. */
  asking(request: DecideRequest): Promise<string>;
  yes(approvalId: string): Promise<unknown>;
  no(approvalId: string): Promise<unknown>;
  /** The one approval of an agent that people are asked, once there is one. */
  pendingOf(agentId: string): Promise<string>;
}

export async function runAskingServer(settings: Partial<Config> = {}, policy: PolicyParts = {}): Promise<AskingServer> {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(filesOf({ ...POLICY, ...policy, settings: { ...POLICY.settings, ...policy.settings } }))) {
    mkdirSync(dirname(join(directory.path, name)), { recursive: true });
    writeFileSync(join(directory.path, name), text);
  }
  const server = await runHostileServer({ rules: directory.path, ...settings });
  const approver = server.client("approver");
  const joined: BehestClient[] = [];
  return {
    ...server,
    approver,
    async join({ caller, roles, tenant = "default" }) {
      const tokenId = `other-${joined.length}`;
      const token = addToken(server.data, { id: tokenId, caller, roles, tenant });
      const client = createClient({ address: server.address, token, timeoutMs: 20_000 });
      joined.push(client);
      // The server looks twice a second for tokens that were added.
      const isKnown = () => client.listApprovals().catch((error: CallFailed) => expect(error.code).not.toBe(Code.UNAUTHENTICATED));
      await vi.waitFor(isKnown, { timeout: 5_000 });
      return { client, tokenId };
    },
    async asking(request) {
      const answer = await server.decide(request);
      expect(inWords(answer)).toEqual({ outcome: "REQUIRE_APPROVAL", codes: ["BASIS_ASKS"], state: "PENDING" });
      return idOf(answer);
    },
    yes: (approvalId) => approver.resolveApproval({ approvalId, verdict: Verdict.APPROVE }),
    no: (approvalId) => approver.resolveApproval({ approvalId, verdict: Verdict.DENY, comment: "no" }),
    pendingOf: (agentId) =>
      vi.waitFor(
        async () => {
          const { approvals } = await approver.listApprovals({ agentId, states: [ApprovalState.PENDING] });
          expect(approvals).toHaveLength(1);
          return approvals[0]?.id ?? "none";
        },
        { timeout: 10_000 },
      ),
    async close() {
      for (const client of joined) client.close();
      await server.close();
      directory.remove();
    },
  };
}

type Fields = Exclude<MessageInitShape<typeof DecideRequestSchema>, DecideRequest>;

/** A write that people have to be asked for. */
export const writing = (fields: Fields = {}, content = "hello"): DecideRequest =>
  requestOf({
    agent: { id: "writer" },
    action: { tool: "write", argumentsForm: { case: "arguments", value: { path: "/srv/notes.md", content } } },
    ...fields,
  });

export const idOf = ({ approval }: DecideResponse): string => approval?.id ?? "none";

export const inWords = (answer: DecideResponse) => ({
  outcome: outcomeOf(answer),
  codes: answer.reasonCodes,
  state: Object.entries(ApprovalState).find(([, state]) => state === answer.approval?.state)?.[0],
});

/** Why a call failed. */
export const failureOf = (call: Promise<unknown>): Promise<CallFailed> =>
  call.then(
    () => Promise.reject(new Error("it was accepted")),
    (error: CallFailed) => error,
  );
