import type { Situation, Subject } from "../situation.ts";
import { assertedPrincipal } from "../tasks/self-asserted.ts";
import type { Parties } from "./approval.ts";

/** Whose action it is. An issuer that is a program can be nobody's approver. Only a registered task has a person whom anybody vouches for. */
export function partiesOf({ subject }: Situation): Parties {
  const { request, task, caller } = subject;
  const { registered } = task;
  const hops = (request.delegation ?? []).filter(({ type }) => type === "agent").map(({ id }) => id);
  return {
    caller,
    agents: [...new Set([...hops, request.agent.id])],
    ...whomFor(subject),
    ...(registered?.issuer.startsWith("user:") && { issuer: registered.issuer }),
  };
}

/** Who is only said to stand behind an action has no say in it: that can keep somebody out, and never let anybody in. */
function whomFor({ request, task: { registered } }: Subject): Pick<Parties, "principal" | "onBehalfOf"> {
  if (registered?.principal.type === "user") return { principal: personOf(registered.principal.id) };
  if (registered) return { onBehalfOf: `service:${registered.principal.id}` };
  const said = assertedPrincipal(request);
  return said === "none" ? {} : { onBehalfOf: said.replace(/^user:user:/, "user:") };
}

/** As callers are named. An initiator may have said so already, and must not make two people of one. */
const personOf = (id: string): string => (id.startsWith("user:") ? id : `user:${id}`);
