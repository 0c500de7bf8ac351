import { ServiceError } from "../../src/core/errors.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import { GATEWAY, type LiveApprovals, liveApprovals, PIN, PORTAL, payPolicy, person } from "./live-approvals.ts";

/** A payment that people are asked about, and what is done with their answer. */

export const FOREIGN: Caller = { tenant: "elsewhere", id: "gateway", roles: ["enforcer"] };
export const ARGUMENTS = { to: "DE89370400440532013000", account: "acme:7", amount: 100, currency: "EUR", memo: "invoice 7", limit: null };

export interface Asked {
  readonly live: LiveApprovals;
  readonly task: string;
  readonly request: DecisionRequest;
  readonly approval: string;
}

export async function openedTask(live: LiveApprovals, agent = "payer"): Promise<string> {
  const { task } = await live.tasks.open(PORTAL, {
    statement: "pay the invoices of May",
    principal: { type: "user", id: "alice" },
    agent,
    scopeKind: "issued",
    scope: {},
  });
  return task.id;
}

export async function asked(policy = payPolicy()): Promise<Asked> {
  const live = liveApprovals({ policy });
  const task = await openedTask(live);
  const request: DecisionRequest = {
    agent: { id: "payer", attributes: { version: "1" } },
    task: { id: task },
    action: { tool: "bank/pay", arguments: ARGUMENTS, toolDefinitionDigest: PIN },
    context: { environment: "production" },
  };
  const record = await decided({ live }, request);
  if (!record.approval) throw new Error("nobody was asked", { cause: record.judgement });
  return { live, task, request, approval: record.approval.id };
}

export const decided = async ({ live }: Pick<Asked, "live">, request: DecisionRequest, caller = GATEWAY): Promise<DecisionRecord> =>
  (await live.decider.decide({ caller, request })).record;

export const say = ({ live, approval }: Asked, name: string, verdict: "approve" | "deny" | "revoke" = "approve") =>
  live.approvals.resolve(person(name), { id: approval, verdict, ...(verdict !== "approve" && { comment: "no" }) });

export async function approvedOnce(policy = payPolicy()): Promise<Asked> {
  const it = await asked(policy);
  await say(it, "ann");
  return it;
}

export const use = ({ request, approval }: Asked): DecisionRequest => ({ ...request, approvalId: approval });
export const paying = ({ request }: Asked, args: object): DecisionRequest => ({
  ...request,
  action: { ...request.action, arguments: { ...ARGUMENTS, ...args } },
});

export const refusalOf = async (doing: Promise<unknown>): Promise<ServiceError> => {
  const error = await doing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ServiceError) return error;
  throw new Error("nothing was refused", { cause: error });
};
