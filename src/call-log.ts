import type { Logger } from "pino";
import { standingOfStatus } from "./core/tasks/status.ts";
import type { TellingPorts } from "./endpoints/grpc/deciding.ts";
import type { AllHandlerPorts } from "./endpoints/grpc/handlers.ts";
import type { OnShed, ShedReason } from "./endpoints/grpc/shedding.ts";

type Told = Pick<TellingPorts, "onDecision"> & Pick<AllHandlerPorts, "onReport" | "onControl" | "onTask" | "onApproval" | "onInternalError">;

/** A line for whatever was decided, reported or changed: who and what, never tokens, arguments or what a tool returned. */
export const logCalls = (log: Logger): Told => ({
  onDecision: (caller, { record, replayed }, { durationMs, traceId }) => {
    const { attempt, judgement } = record;
    log.info(
      {
        requestId: attempt?.id,
        decisionId: record.id,
        caller: caller.id,
        outcome: judgement.outcome,
        ...(record.approval && { approvalId: record.approval.id }),
        ...(record.continues !== undefined && { continues: record.continues }),
        rules: judgement.findings.map(({ rule }) => rule),
        policyDigest: record.policy,
        replayed,
        durationMs: Math.round(durationMs * 1_000) / 1_000,
        ...(traceId !== undefined && { traceId }),
      },
      "decided",
    );
  },
  onReport: (caller, { id, decision, status, mutated, bypassed, late }) => {
    const line = { reportId: id, decisionId: decision, caller: caller.id, status, mutated, late };
    if (bypassed) log.warn({ ...line, enforcementBypassed: true }, "reported: it was done although it was not allowed");
    else log.info(line, "reported");
  },
  onControl: (caller, { what, suspension: { id, kind, value }, durable }) =>
    log.warn({ suspensionId: id, kind, ...(value !== "" && { value }), caller: caller.id, durable }, what),
  onTask: (caller, { what, status, durable }) => {
    const { id, root, agent, principal } = status.task;
    // Work that begins or is done is routine; work that is stopped is not.
    const level = what === "revoked" ? "warn" : "info";
    log[level](
      {
        taskId: id,
        ...(root !== id && { rootTaskId: root }),
        agent,
        principal: `${principal.type}:${principal.id}`,
        caller: caller.id,
        state: standingOfStatus(status),
        ...(durable !== undefined && { durable }),
      },
      `task ${what}`,
    );
  },
  onApproval: (caller, { verdict, status }) => {
    const { approval } = status.state;
    const { id, agent, tool, task, decision } = approval;
    // A no is routine; what was given and is taken back is not.
    const level = verdict === "revoke" ? "warn" : "info";
    log[level](
      { approvalId: id, verdict, state: status.standing, caller: caller.id, agent, tool, taskId: task, decisionId: decision },
      "approval answered",
    );
  },
  onInternalError: (error) => log.error({ err: error }, "internal error"),
});

const SHED_LINE_EVERY_MS = 1_000;

/** One line a second of what was refused or cut, however much that is. */
export function logShed(log: Logger): OnShed {
  const counts = new Map<ShedReason, number>();
  return (reason) => {
    if (counts.size === 0) {
      setTimeout(() => {
        log.warn({ shed: Object.fromEntries(counts) }, "refused or cut, because it was more than there may be");
        counts.clear();
      }, SHED_LINE_EVERY_MS).unref();
    }
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
}
