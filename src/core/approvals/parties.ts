import type { Situation } from "../situation.ts";
import type { Parties } from "./approval.ts";

/** Whose action it is. Only a registered task has a person whom anybody vouches for. */
export function partiesOf({ subject }: Situation): Parties {
  const { request, task, caller } = subject;
  const { registered } = task;
  const hops = (request.delegation ?? []).filter(({ type }) => type === "agent").map(({ id }) => id);
  return {
    caller,
    agents: [...new Set([...hops, request.agent.id])],
    ...(registered?.principal.type === "user" && { principal: `user:${registered.principal.id}` }),
    ...(registered && { issuer: registered.issuer }),
  };
}
