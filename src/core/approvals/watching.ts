import { ServiceError } from "../errors.ts";
import type { Clock, Ledger } from "../ports.ts";
import type { Caller } from "../request.ts";
import { type ApprovalKeeper, type Asker, isMeant, type ListApprovalsQuestion, NOBODY } from "./keeper.ts";
import { type ApprovalStatus, statusAt } from "./status.ts";

export interface WatchingPorts {
  readonly ledger: Pick<Ledger, "onApprovalChange" | "peek">;
  readonly keeper: Pick<ApprovalKeeper, "list">;
  readonly clock: Clock;
  readonly watchesMax: number;
  /** Approvals that one watch may have yet to tell of: as many as are remembered. */
  readonly untoldMax: number;
}

export interface Watched {
  readonly status: ApprovalStatus;
  /** It was open when the watch began, and has not changed since. */
  readonly existing: boolean;
}

/** Tells of approvals as they change. */
export interface ApprovalWatching {
  /**
   * Those that are open, the riskiest first, then each that is opened, answered, used or ended. Who takes them slowly gets each as it stands then, and never
   * the same twice in a row for several changes. `caller` is asked anew before each, and may throw. Ends when `given` is aborted, or all are closed.
   * @throws {ServiceError} OVERLOADED when too many are open, or more is untold than can be remembered; LEDGER_UNAVAILABLE
   */
  watch(caller: () => Caller, question: Pick<ListApprovalsQuestion, "agent" | "task">, given: AbortSignal): AsyncIterable<Watched>;
  readonly open: number;
  /** Ends every watch, and has none begin. */
  close(): void;
}

/** What one watch has yet to tell. */
interface Watch {
  /** By approval, whether it is as it was when the watch began. */
  readonly untold: Map<string, boolean>;
  wake(): void;
}

const EVERY = Number.MAX_SAFE_INTEGER;

export function createApprovalWatching({ ledger, keeper, clock, watchesMax, untoldMax }: WatchingPorts): ApprovalWatching {
  const watches = new Set<Watch>();
  let closed = false;
  ledger.onApprovalChange((event) => {
    const id = event.kind === "approval_opened" ? event.id : event.approval;
    for (const watch of watches) {
      if (watch.untold.size <= untoldMax) watch.untold.set(id, false);
      watch.wake();
    }
  });

  const statusOf = (id: string, asker: Asker): ApprovalStatus | undefined =>
    ledger.peek(NOBODY, (view) => {
      const state = view.approvals.get(id);
      return state && isMeant(state, view, asker) ? statusAt(state, view, clock.now()) : undefined;
    });

  return {
    get open() {
      return watches.size;
    },
    async *watch(caller, question, given) {
      if (watches.size >= watchesMax) {
        throw new ServiceError("OVERLOADED", `${watchesMax} watches are open; close some, or raise \`watches_max\``, { limit: "watches" });
      }
      const watch: Watch = { untold: new Map(), wake: () => undefined };
      const wake = (): void => watch.wake();
      watches.add(watch);
      given.addEventListener("abort", wake);
      try {
        const { approvals } = await keeper.list(caller(), { ...question, limit: EVERY });
        for (const { state } of approvals) watch.untold.set(state.approval.id, true);
        while (!closed && !given.aborted) {
          if (watch.untold.size > untoldMax) throw tooSlow(untoldMax);
          const [next] = watch.untold;
          if (next) {
            const [id, existing] = next;
            watch.untold.delete(id);
            const status = statusOf(id, { caller: caller(), question });
            if (status) yield { status, existing };
          } else {
            await new Promise<void>((resolve) => {
              watch.wake = resolve;
            });
          }
        }
      } finally {
        watches.delete(watch);
        given.removeEventListener("abort", wake);
      }
    },
    close() {
      closed = true;
      for (const watch of watches) watch.wake();
    },
  };
}

const tooSlow = (untoldMax: number): ServiceError =>
  new ServiceError("OVERLOADED", `more than ${untoldMax} approvals have changed and were not read; begin another watch`, { limit: "approvals" });
