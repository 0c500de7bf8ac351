import type { ApprovalStatus } from "../../src/core/approvals/status.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";
import { instant } from "../../src/core/words.ts";
import { approvalsOver, deciderOver, keeperOver } from "./deciders.ts";
import { DAY, POLICY, REQUEST } from "./families.ts";
import { INITIATOR } from "./histories.ts";
import { ask } from "./requests.ts";
import type { OpenedStorage } from "./storages.ts";

export const person = (id: string): Caller => ({ tenant: "default", id, roles: ["approver"] });
export const ANN = person("user:ann");

/** A request to wire money, which people are asked about. */
export const wire = (change: Partial<DecisionRequest> = {}, amount = 10): DecisionRequest => ({
  agent: { id: "bot" },
  task: { statement: "pay the rent" },
  action: { tool: "wire", arguments: { to: "bob@example.com", amount, currency: "EUR", note: "for the flat" } },
  ...change,
});

export const decideOn = async (storage: OpenedStorage, request: DecisionRequest, policy: Policy = POLICY): Promise<DecisionRecord> =>
  (await deciderOver(storage, { policy }).decide(ask(request))).record;

export interface Asking {
  readonly id: string;
  readonly request: DecisionRequest;
}

/** What people are asked, by the id of the approval. */
export async function asking(storage: OpenedStorage, request: DecisionRequest = wire(), policy: Policy = POLICY): Promise<Asking> {
  const { approval } = await decideOn(storage, request, policy);
  if (!approval) throw new Error("nobody was asked");
  return { id: approval.id, request };
}

export interface Saying {
  readonly verdict?: "approve" | "deny" | "revoke";
  readonly by?: Caller;
  readonly uses?: number;
  readonly values?: readonly string[];
  readonly policy?: Policy;
}

export const answer = (storage: OpenedStorage, { id }: Asking, saying: Saying = {}): Promise<ApprovalStatus> => {
  const { verdict = "approve", by = ANN, uses, values, policy = POLICY } = saying;
  const endorsement = uses === undefined && values === undefined ? undefined : { ...(uses !== undefined && { uses }), ...(values && { values }) };
  return approvalsOver(storage, policy).resolve(by, { id, verdict, comment: "I looked at it", ...(endorsement && { endorsement }) });
};

/** Takes the action that people were asked about, naming what they answered. */
export const use = (storage: OpenedStorage, { id, request }: Asking, policy: Policy = POLICY): Promise<DecisionRecord> =>
  decideOn(storage, { ...request, approvalId: id }, policy);

/** A task of sixty days in which anything may be done. */
export const longTask = async (storage: OpenedStorage): Promise<string> =>
  (
    await keeperOver(storage, { policy: POLICY }).open(INITIATOR, {
      ...REQUEST,
      scope: {},
      expiresAt: instant(storage.clock.now() + 60 * DAY),
    })
  ).task.id;

/** How an approval stands in memory. */
export const stateOf = ({ ledger }: OpenedStorage, { id }: Pick<Asking, "id">) =>
  ledger.peek({ tenant: "default", caller: "none", agent: "none", principal: "none", session: "none" }, ({ approvals }) => approvals.get(id));
