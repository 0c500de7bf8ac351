import { ServiceError } from "./errors.ts";
import { compileGlob } from "./globs.ts";
import type { Caller, Role } from "./request.ts";

/** Who may call what (design.md §8). */
const ROLES_BY_CALL = {
  Decide: ["enforcer"],
  DecideBatch: ["enforcer"],
  DecideStream: ["enforcer"],
  ReportOutcome: ["enforcer"],
  OpenTask: ["initiator", "operator"],
  DelegateTask: ["initiator", "enforcer"],
  GetTask: ["auditor", "operator"],
  ListTasks: ["auditor", "operator"],
  CloseTask: ["initiator", "operator"],
  RevokeTask: ["initiator", "operator"],
  Explain: ["enforcer", "auditor", "operator"],
  GetPolicy: ["auditor", "operator"],
  ListApprovals: ["approver", "auditor", "operator", "enforcer"],
  GetApproval: ["approver", "auditor", "operator", "enforcer"],
  WatchApprovals: ["approver", "auditor", "operator", "enforcer"],
  ResolveApproval: ["approver"],
  ReloadPolicy: ["operator"],
  ValidatePolicy: ["auditor", "operator"],
  Suspend: ["operator"],
  Resume: ["operator"],
  ListSuspensions: ["auditor", "operator"],
  "GET /metrics": ["auditor", "operator"],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Call = keyof typeof ROLES_BY_CALL;

/** @throws {ServiceError} CALLER_FORBIDDEN */
export function requireRole(caller: Caller, call: Call): void {
  const roles: readonly Role[] = ROLES_BY_CALL[call];
  if (roles.some((role) => caller.roles.includes(role))) return;
  const needed = roles.map((role) => `\`${role}\``).join(" or ");
  throw new ServiceError(
    "CALLER_FORBIDDEN",
    `\`${call}\` needs the role ${needed}; \`${caller.id}\` has ${caller.roles.map((role) => `\`${role}\``).join(", ")}`,
  );
}

/** Whether a token that covers these agents covers this one: whom an enforcer may ask for, and an initiator open tasks for. */
export const coversAgent = (agents: Caller["agents"], agentId: string): boolean => !agents || agents.some((glob) => compileGlob(glob)(agentId));

/** Whether a caller sees no more than what Decide would tell it. */
export const isEnforcerOnly = (caller: Caller): boolean => !caller.roles.some((role) => role === "auditor" || role === "operator");
