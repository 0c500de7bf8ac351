import type { DescService } from "@bufbuild/protobuf";
import { ApprovalService } from "../../gen/behest/v1/approval_pb.ts";
import { ControlService } from "../../gen/behest/v1/control_pb.ts";
import { DecisionService } from "../../gen/behest/v1/decision_pb.ts";
import { PolicyService } from "../../gen/behest/v1/policy_pb.ts";
import { TaskService } from "../../gen/behest/v1/task_pb.ts";
import type { DuplexHandler, StreamHandler, UnaryHandler } from "./call.ts";
import { createDecisionHandlers, type HandlerPorts } from "./handler.ts";
import { type ApprovalHandlerPorts, createApprovalHandlers } from "./handler-approvals.ts";
import { type ControlHandlerPorts, createControlHandlers } from "./handler-control.ts";
import { createPolicyHandlers, type PolicyHandlerPorts } from "./handler-policy.ts";
import { createTaskHandlers, type TaskHandlerPorts } from "./handler-tasks.ts";

/** Our services, besides health and reflection. */
export const SERVICES: readonly DescService[] = [DecisionService, TaskService, ApprovalService, PolicyService, ControlService];

/** What answers the methods of one service, by the method's name. */
export type Handlers = Readonly<Record<string, UnaryHandler | StreamHandler | DuplexHandler>>;

/** The same of all of them, by the service's name. */
export type AllHandlers = Readonly<Record<string, Handlers>>;

export interface AllHandlerPorts extends HandlerPorts, PolicyHandlerPorts, ControlHandlerPorts, TaskHandlerPorts, ApprovalHandlerPorts {
  readonly policies: PolicyHandlerPorts["policies"] & ApprovalHandlerPorts["policies"];
  readonly limits: HandlerPorts["limits"] & TaskHandlerPorts["limits"];
}

export const createHandlers = (ports: AllHandlerPorts): AllHandlers => ({
  [DecisionService.typeName]: createDecisionHandlers(ports),
  [TaskService.typeName]: createTaskHandlers(ports),
  [ApprovalService.typeName]: createApprovalHandlers(ports),
  [PolicyService.typeName]: createPolicyHandlers(ports),
  [ControlService.typeName]: createControlHandlers(ports),
});
