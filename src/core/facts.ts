import { isList, isObject, type Known } from "./json.ts";
import type { Policy } from "./policy.ts";
import { rankOf, type Situation } from "./situation.ts";
import { AGENT_TRUST_LEVELS, EFFECTS, type JsonObject, REVERSIBILITIES, TRUST_LEVELS } from "./words.ts";

export type FactType = "string" | "integer" | "boolean" | "list" | "map";

/** Who can bring a fact's value about, strongest first. A derived fact has the weakest influence of its inputs. */
export const INFLUENCES = ["policy", "verified", "initiator", "enforcer", "reported", "caller", "agent"] as const;
export type Influence = (typeof INFLUENCES)[number];

/** Facts that may speak for the caller: in `allow` rules and for negative points. */
export const mayHelp = (influence: Influence): boolean => INFLUENCES.indexOf(influence) <= INFLUENCES.indexOf("enforcer");

/** Which way a fact gets worse. Values of one tier are not comparable. */
export type Worsening =
  | { readonly by: "tiers"; readonly tiers: readonly (readonly string[])[] }
  | { readonly by: "classification" }
  | { readonly by: "rising" }
  | { readonly by: "growing" }
  | { readonly by: "becoming"; readonly value: boolean };

export interface FactDeclaration {
  readonly meaning: string;
  readonly type: FactType;
  /** A total fact always has a value; an absent partial one makes a condition unknown. */
  readonly total: boolean;
  readonly influence: Influence;
  /** Every value it can have, where that is a closed list. */
  readonly values?: readonly string[];
  readonly worsening?: Worsening;
  readonly example: Known;
  readonly read: (situation: Situation) => Known;
}

type Options = Partial<Pick<FactDeclaration, "values" | "worsening">>;

const total = (
  meaning: string,
  type: Exclude<FactType, "map">,
  influence: Influence,
  example: Known,
  read: FactDeclaration["read"],
  options: Options = {},
): FactDeclaration => ({ meaning, type, total: true, influence, example, read, ...options });

const map = (meaning: string, influence: Influence, example: JsonObject, read: FactDeclaration["read"]): FactDeclaration => ({
  meaning,
  type: "map",
  total: false,
  influence,
  example,
  read,
});

const ranked = (values: readonly string[]): Options => ({
  values,
  worsening: { by: "tiers", tiers: values.map((value) => [value]) },
});
const rising: Options = { worsening: { by: "rising" } };
const growing: Options = { worsening: { by: "growing" } };
const worseWhen = (value: boolean): Options => ({ worsening: { by: "becoming", value } });

/** Every fact that rules can read, declared once: this is their documentation, their type and their lint. */
export const FACTS: Readonly<Record<string, FactDeclaration>> = {
  "caller.id": total("who asks, as its token says", "string", "verified", "gateway", ({ subject }) => subject.caller),
  session: total(
    "the conversation, as the caller names it, or `none`",
    "string",
    "caller",
    "chat-7",
    ({ subject }) => subject.request.session ?? "none",
  ),

  "agent.id": total("the agent that wants to act", "string", "enforcer", "support-bot", ({ subject }) => subject.request.agent.id),
  "agent.identity": total(
    "whether a credential proved the agent's id, or the caller only claims it",
    "string",
    "verified",
    "claimed",
    () => "claimed",
    ranked(["proven", "claimed"]),
  ),
  "agent.registered": total("whether agents.json lists the agent", "boolean", "enforcer", true, ({ agent }) => agent !== undefined, worseWhen(false)),
  "agent.trust": total(
    "how far agents.json trusts the agent",
    "string",
    "enforcer",
    "medium",
    ({ agent }) => agent?.trust ?? "unregistered",
    ranked(AGENT_TRUST_LEVELS),
  ),
  "agent.owner": total("who answers for the agent, or `none`", "string", "enforcer", "team:support", ({ agent }) => agent?.owner ?? "none"),
  "agent.attributes": map(
    "what the caller says of the agent",
    "caller",
    { framework: "langgraph" },
    ({ subject }) => subject.request.agent.attributes,
  ),

  "task.statement_given": total(
    "whether the task has a statement",
    "boolean",
    "agent",
    true,
    ({ subject }) => subject.task.statement !== undefined,
    worseWhen(false),
  ),
  "task.restated": total(
    "whether the request states another task than the one it belongs to",
    "boolean",
    "agent",
    false,
    ({ subject }) => subject.task.restated,
    worseWhen(true),
  ),
  "task.seen.classification": total(
    "the highest classification the task has seen, or the lowest there is if none",
    "string",
    "reported",
    "confidential",
    ({ policy, subject }) => policy.settings.classification.order[seenRank(policy, subject.task.seen.classifications)],
    { worsening: { by: "classification" } },
  ),
  "task.seen.classification_rank": total(
    "its place in classification.order of policy.json, from 0",
    "integer",
    "reported",
    2,
    ({ policy, subject }) => seenRank(policy, subject.task.seen.classifications),
    rising,
  ),
  "task.seen.categories": total(
    "every category of data the task has seen",
    "list",
    "reported",
    ["personal"],
    ({ subject }) => subject.task.seen.categories,
    growing,
  ),
  "task.seen.trust": total(
    "the least trust of what the task has seen; a tool that the catalog does not list returns untrusted data",
    "string",
    "reported",
    "untrusted",
    ({ subject }) => subject.task.seen.trust,
    ranked(TRUST_LEVELS),
  ),
  "task.seen.systems": total(
    "the servers the task has called; `unlisted` for a tool not in the catalog",
    "list",
    "reported",
    ["crm"],
    ({ subject }) => subject.task.seen.systems,
    growing,
  ),

  "chain.depth": total("how many agents the work was handed on to, after the first", "integer", "caller", 2, ({ chainDepth }) => chainDepth, rising),
  "chain.weakest_hop": total(
    "the weakest proof of any hop: `asserted` is the caller's word, `none` is no chain at all",
    "string",
    "caller",
    "asserted",
    ({ subject }) => ((subject.request.delegation?.length ?? 0) > 0 ? "asserted" : "none"),
    ranked(["none", "asserted"]),
  ),

  "action.tool": total("the tool's name", "string", "enforcer", "filesystem/read_file", ({ subject }) => subject.request.action.tool),
  "action.server": total("what stands before the first `/` of the tool's name, or `none`", "string", "enforcer", "filesystem", ({ subject }) =>
    serverOf(subject.request.action.tool),
  ),
  "action.operation": total(
    "the tool's operation, or `none`",
    "string",
    "enforcer",
    "append",
    ({ subject }) => subject.request.action.operation ?? "none",
  ),
  "action.effect": total(
    "what the action does: the catalog's word, or the request's if worse",
    "string",
    "enforcer",
    "send",
    ({ effect }) => effect,
    {
      values: EFFECTS,
      worsening: { by: "tiers", tiers: [EFFECTS.filter((effect) => effect !== "unknown"), ["unknown"]] },
    },
  ),
  "action.arguments": map(
    "the call's arguments, secrets masked as `{kind, length, digest}`",
    "enforcer",
    { to: ["a@example.org"] },
    ({ subject }) => subject.request.action.arguments,
  ),
  "action.arguments_truncated": total(
    "whether the arguments were cut",
    "boolean",
    "enforcer",
    false,
    ({ subject }) => subject.request.action.argumentsTruncated === true,
    worseWhen(true),
  ),
  "action.secret_count": total(
    "how many values of the request were masked as secrets",
    "integer",
    "caller",
    1,
    ({ subject }) => subject.masked,
    rising,
  ),
  "action.target_count": total("how many values the call names as targets", "integer", "enforcer", 3, ({ targetCount }) => targetCount, rising),
  "action.destination_count": total(
    "how many recipients or other destinations the call names",
    "integer",
    "enforcer",
    1,
    ({ destinationCount }) => destinationCount,
    rising,
  ),
  "action.resource_obscured": total(
    "whether a resource is spelled with `.` or `..` segments, backslashes or percent-escapes",
    "boolean",
    "enforcer",
    false,
    ({ resourceObscured }) => resourceObscured,
    worseWhen(true),
  ),

  "tool.listed": total("whether the catalog lists the tool", "boolean", "enforcer", true, ({ tool }) => tool !== undefined, worseWhen(false)),
  "tool.owner": total("who answers for the tool, or `none`", "string", "enforcer", "team:it", ({ tool }) => tool?.owner ?? "none"),
  "tool.reversibility": total(
    "whether what the tool does can be taken back",
    "string",
    "enforcer",
    "irreversible",
    ({ reversibility }) => reversibility,
    ranked(REVERSIBILITIES),
  ),

  "resource.type": total(
    "the kind of the action's resource, or `none`",
    "string",
    "enforcer",
    "file",
    ({ subject }) => subject.request.action.resource?.type ?? "none",
  ),
  "resource.id": total(
    "the name of the action's resource, or `none`",
    "string",
    "enforcer",
    "/srv/report.md",
    ({ subject }) => subject.request.action.resource?.id ?? "none",
  ),
  "resource.attributes": map(
    "what the caller says of the resource",
    "caller",
    { owner: "alice" },
    ({ subject }) => subject.request.action.resource?.attributes,
  ),

  "data.classification": total(
    "the highest of request, resource and catalog, or classification.default of policy.json",
    "string",
    "caller",
    "confidential",
    ({ classification }) => classification,
    { worsening: { by: "classification" } },
  ),
  "data.classification_rank": total(
    "its place in classification.order of policy.json, from 0",
    "integer",
    "caller",
    2,
    ({ classificationRank }) => classificationRank,
    rising,
  ),
  "data.classification_stated": total(
    "whether request, resource or catalog says a classification",
    "boolean",
    "caller",
    true,
    ({ classificationStated }) => classificationStated,
  ),
  "data.categories": total(
    "the categories that request, resource and catalog name, together",
    "list",
    "caller",
    ["personal"],
    ({ categories }) => categories,
    growing,
  ),
  "data.categories_stated": total(
    "whether request, resource or catalog names a category",
    "boolean",
    "caller",
    true,
    ({ categoriesStated }) => categoriesStated,
  ),

  "context.environment": total(
    "where this happens, or environment.default of policy.json",
    "string",
    "caller",
    "production",
    ({ environment }) => environment,
  ),
  "context.attributes": map(
    "anything else the caller says of the circumstances",
    "caller",
    { ticket: "OPS-7" },
    ({ subject }) => subject.request.context?.attributes,
  ),
};

export function serverOf(tool: string): string {
  const slash = tool.indexOf("/");
  return slash > 0 ? tool.slice(0, slash) : "none";
}

function seenRank(policy: Policy, classifications: readonly string[]): number {
  let rank = 0;
  for (const classification of classifications) rank = Math.max(rank, rankOf(policy, classification));
  return rank;
}

/** One value for each slot of the policy, in their order. */
export function gather(policy: Policy, situation: Situation): readonly Known[] {
  return policy.slots.map(({ fact, path }) => {
    const declaration = FACTS[fact];
    if (!declaration) throw new RangeError(`no fact \`${fact}\``);
    const value = declaration.read(situation);
    return path.length === 0 ? value : follow(value, path);
  });
}

/** Own keys and list positions only: what a prototype brings is not there. */
function follow(value: Known, path: readonly (string | number)[]): Known {
  let found = value;
  for (const part of path) {
    if (typeof part === "number") found = isList(found) ? found[part] : undefined;
    else found = isObject(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  }
  return found;
}
