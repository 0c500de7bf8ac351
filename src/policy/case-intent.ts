import type { Intent } from "../core/intent/intent.ts";
import { Observed } from "../core/intent/observed.ts";
import { rootStatement } from "../core/intent/standing.ts";
import { type KeyedDigest, maskRequest } from "../core/masking.ts";
import type { Policy } from "../core/policy.ts";
import type { DecisionRequest } from "../core/request.ts";
import { type Subject, situate } from "../core/situation.ts";
import { createTaskState, type RegisteredTask, type TaskState } from "../core/tasks/registered.ts";
import { instant } from "../core/words.ts";
import type { CaseTask } from "./case-task.ts";

/** What a case's intent is found from. */
export interface CaseIntentQuestion {
  readonly policy: Policy;
  readonly intent: Intent;
  readonly keyedDigest: KeyedDigest;
  readonly task: CaseTask;
  /** Nothing masked. */
  readonly request: DecisionRequest;
}

/** A case's subject with what a decision finds of its action beside the words of its task; or with what the case says was found. */
export function withIntent(subject: Subject, question: CaseIntentQuestion): Subject {
  const { policy, intent, task, request } = question;
  if (task.intent) return { ...subject, intent: { words: [], provenance: {}, ...task.intent } };
  const { tool, effect } = situate(policy, subject);
  const registered = taskStateOf(subject, task);
  const observed = observedIn(question, registered && rootStatement(registered, subject.at));
  return { ...subject, intent: intent.standing({ tool, effect, original: request, subject, registered, observed }) };
}

/** As reports of the task's earlier calls would have fed it. */
function observedIn({ policy, intent, keyedDigest, task, request }: CaseIntentQuestion, statement: string | undefined): Observed | undefined {
  if (!task.observed) return undefined;
  const observed = new Observed();
  for (const { tool: toolName, arguments: stated = {}, returned } of task.observed) {
    const called = maskRequest({ agent: request.agent, action: { tool: toolName, arguments: stated } }, policy, keyedDigest).request.action;
    const whole = typeof returned === "string" ? returned : JSON.stringify(returned);
    const tool = policy.tools.get(toolName);
    observed.add(intent.observe({ text: whole, toolName, tool, arguments: called.arguments }, { statement, observed }));
  }
  return observed;
}

/** A registered task as the state holds it, and the one at its root where it was handed on. Those between have the words of either. */
function taskStateOf({ at, tenant, request, task: standing }: Subject, { registered: stated = {}, statement }: CaseTask): TaskState | undefined {
  const { registered, id = "" } = standing;
  if (!registered) return undefined;
  const own = statement ?? request.task?.statement ?? "";
  const root: RegisteredTask = {
    id: registered.root,
    tenant,
    caller: registered.issuer,
    root: registered.root,
    depth: 0,
    principal: registered.principal,
    agent: request.agent.id,
    // Nobody has said what it asked for.
    statement: stated.root_statement ?? (registered.reworded ? "" : own),
    ...(registered.statementExpired && { statementExpiresAt: at }),
    scopeKind: registered.scopeKind,
    scope: { ...(stated.scope?.tools && { tools: stated.scope.tools }) },
    openedAt: instant(at - 1),
    expiresAt: registered.until,
    treeExpiresAt: registered.until,
  };
  const top = createTaskState(root, undefined);
  return registered.depth === 0 ? top : createTaskState({ ...root, id, parent: root.id, depth: registered.depth, statement: own }, top);
}
