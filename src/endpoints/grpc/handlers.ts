import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { ApprovalService } from "../../gen/behest/v1/approval_pb.ts";
import { ControlService } from "../../gen/behest/v1/control_pb.ts";
import { DecisionService } from "../../gen/behest/v1/decision_pb.ts";
import { PolicyService } from "../../gen/behest/v1/policy_pb.ts";
import { TaskService } from "../../gen/behest/v1/task_pb.ts";
import { type CallPorts, callerOf, type DuplexHandler, type StreamHandler, type UnaryHandler } from "./call.ts";
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

/** Answers calls from their bytes somewhere else. */
export interface Elsewhere {
  call(service: string, method: string): UnaryHandler;
  watch(service: string, method: string): StreamHandler;
}

/** Has all methods answered elsewhere but those that decide. Whoever is not known is told so here: nothing of theirs is carried any further. */
export function passOn(elsewhere: Elsewhere, ports: CallPorts, deciding: Handlers): AllHandlers {
  const passed = ({ typeName }: DescService, { name, methodKind }: DescMethod): UnaryHandler | StreamHandler => {
    if (methodKind === "unary") {
      const call = elsewhere.call(typeName, name);
      return async (body, metadata, gone) => {
        callerOf(ports, metadata);
        return call(body, metadata, gone);
      };
    }
    const watch = elsewhere.watch(typeName, name);
    return {
      stream(body, metadata, gone) {
        callerOf(ports, metadata);
        return watch.stream(body, metadata, gone);
      },
    };
  };
  const handlersOf = (service: DescService): Handlers =>
    Object.fromEntries(
      service.methods.flatMap((method) => (service === DecisionService && method.name in deciding ? [] : [[method.name, passed(service, method)]])),
    );
  return Object.fromEntries(SERVICES.map((service) => [service.typeName, { ...handlersOf(service), ...(service === DecisionService && deciding) }]));
}
