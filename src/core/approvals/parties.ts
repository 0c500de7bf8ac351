import type { Situation } from "../situation.ts";
import type { Parties } from "./approval.ts";

/** Whose action it is. An issuer that is a program can be nobody's approver. Only a registered task has a person whom anybody vouches for. */
export function partiesOf({ subject }: Situation): Parties {
  const { request, task, caller } = subject;
  const { registered } = task;
  const hops = (request.delegation ?? []).filter(({ type }) => type === "agent").map(({ id }) => id);
  return {
    caller,
    agents: [...new Set([...hops, request.agent.id])],
    ...(registered?.principal.type === "user" && { principal: personOf(registered.principal.id) }),
    ...(registered?.issuer.startsWith("user:") && { issuer: registered.issuer }),
  };
}

/** As callers are named. An initiator may have said so already, and must not make two people of one. */
const personOf = (id: string): string => (id.startsWith("user:") ? id : `user:${id}`);
