import { effectsNamed, type Situation } from "./situation.ts";
import type { Attempt, StateView } from "./state.ts";
import type { AppliedSuspension } from "./suspensions.ts";
import { chainOf, type TaskState } from "./tasks/registered.ts";
import type { TaskStanding } from "./tasks/standing.ts";

/** A lapsed ALLOW is covered by what stops it, and by what stops it as it was resolved then. */
export function suspensionsOver(situation: Situation, view: StateView, lapsed: Attempt | undefined): readonly AppliedSuspension[] {
  if (view.suspensions.size === 0) return [];
  const { subject } = situation;
  const { request, task } = subject;
  const effects = effectsNamed(situation);
  const hops = request.delegation ?? [];
  const stated = (ids: readonly (string | undefined)[]): readonly string[] => ids.filter((id) => id !== undefined);
  return view.suspensions.covering(
    {
      tenant: subject.tenant,
      agents: [request.agent.id, ...hops.filter(({ type }) => type === "agent").map(({ id }) => id)],
      principals: [
        `agent:${request.agent.id}`,
        ...hops.map(({ type, id }) => `${type}:${id}`),
        ...stated([task.id === undefined ? undefined : view.task?.principal, namedPrincipal(task)]),
      ],
      tool: request.action.tool,
      effects: lapsed ? [...effects, lapsed.effect] : effects,
      tasks: stated([task.id, request.task?.id, lapsed?.task, ...hops.map(({ taskId }) => taskId), ...tasksAbove(view.registered)]),
    },
    subject.at,
  );
}

export const namedPrincipal = ({ registered }: TaskStanding): string | undefined =>
  registered && `${registered.principal.type}:${registered.principal.id}`;

/** Also when the request's chain is another one. */
const tasksAbove = (leaf: TaskState | undefined): readonly string[] => (leaf ? chainOf(leaf).map(({ task }) => task.id) : []);
