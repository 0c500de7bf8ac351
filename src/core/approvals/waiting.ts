import type { Answer, Asked, Decider } from "../decide.ts";
import type { Clock, Ledger } from "../ports.ts";
import { type ApprovalKind, type ApprovalStanding, type AwaitedApproval, standingAt } from "./approval.ts";
import { NOBODY } from "./keeper.ts";

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

interface Outcome {
  readonly standing: ApprovalStanding;
  readonly kind: ApprovalKind;
}

interface Wait {
  readonly asked: Asked;
  readonly first: Answer;
  readonly approval: AwaitedApproval;
  readonly waitMs: number;
}

export function createWaitingDecider({ decider, ledger, clock, waitsMax }: WaitingPorts): WaitingDecider {
  const waits = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  let waiting = 0;
  ledger.onApprovalChange((event) => {
    const id = event.kind === "approval_opened" ? event.id : event.approval;
    for (const wake of [...(waits.get(id) ?? [])]) wake();
  });

  const lookAt = (id: string): Outcome | undefined => {
    const state = ledger.peek(NOBODY, ({ approvals }) => approvals.get(id));
    return state && { standing: standingAt(state, clock.now()), kind: state.approval.kind };
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
  async function outcomeOf(id: string, signal: AbortSignal): Promise<Outcome | undefined> {
    for (;;) {
      const outcome = lookAt(id);
      if (outcome?.standing !== "pending" || signal.aborted) return outcome;
      await change(id, signal);
    }
  }

  /** What another call under the same request id has got meanwhile is what this one gets as well. */
  async function movedOn(asked: Asked, first: Answer): Promise<Answer | undefined> {
    if (asked.request.requestId === undefined) return undefined;
    const now = await decider.decide(asked);
    return now.record.id === first.record.id ? undefined : now;
  }

  /** What is answered in the end. */
  async function afterWaiting({ asked, first, approval, waitMs }: Wait, given: AbortSignal): Promise<Answer> {
    const signal = AbortSignal.any([given, closing.signal, AbortSignal.timeout(waitMs)]);
    const { standing, kind } = (await outcomeOf(approval.id, signal)) ?? {};
    const isAnswered = standing === "approved" || standing === "denied";
    if (given.aborted || closing.signal.aborted) return { ...first, ...(standing && { approvalState: standing }) };
    if (!isAnswered) return (standing !== "pending" && (await movedOn(asked, first))) || { ...first, ...(standing && { approvalState: standing }) };
    // A yes to a flood covers no action: it is asked of people by itself then.
    const continues = { decision: first.record.id, ...(kind === "action" && { approval: approval.id }) };
    return decider.decide({ ...asked, continues });
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
        return { ...(await afterWaiting({ asked, first, approval, waitMs }, gone())), waited: true };
      } finally {
        waiting--;
      }
    },
    close: () => closing.abort(),
  };
}
