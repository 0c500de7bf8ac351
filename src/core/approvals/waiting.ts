import type { Answer, Asked, Decider } from "../decide.ts";
import type { Clock, Ledger } from "../ports.ts";
import { type ApprovalStanding, standingAt } from "./approval.ts";

export interface WaitingPorts {
  readonly decider: Decider;
  readonly ledger: Pick<Ledger, "onApprovalChange" | "peek">;
  readonly clock: Clock;
  /** Calls that wait at once; beyond that one is answered without waiting. */
  readonly waitsMax: number;
}

/** Decides, and where people have to be asked waits for them as long as the request says. */
export interface WaitingDecider {
  /**
   * The REQUIRE_APPROVAL is on disk before anything is waited for. If people answer in time, what they said is decided anew, and that is answered; else the
   * REQUIRE_APPROVAL is. `gone` is asked only by what waits; once aborted, nobody takes an answer any more.
   * @throws {ServiceError}
   */
  decide(asked: Asked, gone: () => AbortSignal): Promise<Answer>;
  readonly waiting: number;
  /** Ends every wait, and has none begin. */
  close(): void;
}

export function createWaitingDecider({ decider, ledger, clock, waitsMax }: WaitingPorts): WaitingDecider {
  const waits = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  let waiting = 0;
  ledger.onApprovalChange((event) => {
    const id = event.kind === "approval_opened" ? event.id : event.approval;
    for (const wake of [...(waits.get(id) ?? [])]) wake();
  });

  const standingOf = ({ caller, request }: Asked, id: string): ApprovalStanding | undefined => {
    const keys = { tenant: caller.tenant, caller: caller.id, agent: request.agent.id, principal: "none", session: "none", approvalId: id };
    const state = ledger.peek(keys, ({ approvals }) => approvals.get(id));
    return state && standingAt(state, clock.now());
  };

  async function change(id: string, signal: AbortSignal): Promise<void> {
    const woken = Promise.withResolvers<void>();
    const waking = waits.get(id) ?? new Set();
    waits.set(id, waking.add(woken.resolve));
    signal.addEventListener("abort", () => woken.resolve(), { once: true });
    if (signal.aborted) woken.resolve();
    await woken.promise;
    waking.delete(woken.resolve);
    if (waking.size === 0) waits.delete(id);
  }

  /** How it stands once it is not pending any more, or there is no more time. */
  async function outcome(asked: Asked, id: string, signal: AbortSignal): Promise<ApprovalStanding | undefined> {
    for (;;) {
      const standing = standingOf(asked, id);
      if (standing !== "pending" || signal.aborted) return standing;
      await change(id, signal);
    }
  }

  return {
    get waiting() {
      return waiting;
    },
    async decide(asked, gone) {
      const first = await decider.decide(asked);
      const { waitMs = 0 } = asked.request;
      const { approval, judgement } = first.record;
      if (waitMs === 0 || judgement.outcome !== "REQUIRE_APPROVAL" || !approval || waiting >= waitsMax) return first;
      waiting++;
      try {
        const given = gone();
        const signal = AbortSignal.any([given, closing.signal, AbortSignal.timeout(waitMs)]);
        const standing = await outcome(asked, approval.id, signal);
        const isAnswered = standing === "approved" || standing === "denied";
        if (!isAnswered || given.aborted || closing.signal.aborted) return { ...first, ...(standing && { approvalState: standing }) };
        return await decider.decide({ ...asked, continues: { decision: first.record.id, approval: approval.id } });
      } finally {
        waiting--;
      }
    },
    close: () => closing.abort(),
  };
}
