import { ARGUMENT_ROLES, type ArgumentRole, type RegisteredAgent, type ResourceLabel, type Tool } from "../core/policy.ts";
import { plainSpelling } from "../core/situation.ts";
import { AGENT_TRUST_LEVELS, EFFECTS, REVERSIBILITIES, TRUST_LEVELS } from "../core/words.ts";
import { type Document, listOf, mapOf, matching, object, oneOf, type Read, text } from "./document.ts";
import { classificationOf, compileReach, reachShape } from "./settings.ts";

/** A tool's name: anything else in a request is no tool we know. */
export const TOOL_NAME = /^[A-Za-z0-9_.\-/]{1,128}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

const toolShape = (order: readonly string[]) =>
  object(
    { reversibility: oneOf(REVERSIBILITIES), output: object({ trust: oneOf(TRUST_LEVELS) }, { categories: listOf(text) }) },
    {
      description: text,
      effect: oneOf(EFFECTS),
      operations: mapOf((node, document) => oneOf(EFFECTS)(node, document)),
      arguments: mapOf((node, document) => oneOf(ARGUMENT_ROLES)(node, document)),
      classification: classificationOf(order),
      categories: listOf(text),
      owner: text,
      definition_digest: matching(DIGEST, "`sha256:` and 64 hexadecimal digits"),
    },
  );

export interface Catalog {
  readonly tools: Map<string, Tool>;
  readonly labels: { readonly glob: string; readonly value: ResourceLabel }[];
}

/** Reads one file of `catalog/` into the catalog so far; a tool listed twice is refused, wherever the other stands. */
export function readCatalogFile(document: Document, order: readonly string[], catalog: Catalog): void {
  const shape = toolShape(order);
  const tools = mapOf<Tool>((node, doc, { key: name, keyNode }) => {
    if (!TOOL_NAME.test(name)) doc.error("wrong-value", keyNode, `\`${name}\` is no tool name: at most 128 of \`A-Z a-z 0-9 _ . - /\``);
    if (catalog.tools.has(name)) doc.error("duplicate-name", keyNode, `the tool \`${name}\` is listed twice in the catalog`);
    const stated = shape(node, doc);
    if (!stated) return undefined;
    if ((stated.effect === undefined) === (stated.operations === undefined))
      doc.error("tool-effect", node, "give exactly one of `effect` and `operations`");
    const { effect, operations, classification, owner, definition_digest: definitionDigest } = stated;
    return {
      name,
      effect: effect ?? "unknown",
      ...(operations && { operations }),
      reversibility: stated.reversibility,
      roles: stated.arguments ?? new Map<string, ArgumentRole>(),
      ...(classification !== undefined && { classification }),
      categories: stated.categories ?? [],
      output: { trust: stated.output.trust, categories: stated.output.categories ?? [] },
      ...(owner !== undefined && { owner }),
      ...(definitionDigest !== undefined && { definitionDigest }),
    };
  });
  const label: Read<Catalog["labels"][number]> = (node, doc) => {
    const stated = object({ match: text }, { classification: classificationOf(order), categories: listOf(text) })(node, doc);
    if (!stated) return undefined;
    const { match, classification, categories } = stated;
    if (classification === undefined && categories === undefined)
      doc.error("empty-label", node, "a label says `classification`, `categories` or both");
    return { glob: plainSpelling(match), value: { ...(classification !== undefined && { classification }), categories: categories ?? [] } };
  };
  const file = object({}, { tools, resources: listOf(label) })(document.root, document);
  for (const [name, tool] of file?.tools ?? []) catalog.tools.set(name, tool);
  for (const labelled of file?.resources ?? []) catalog.labels.push(labelled);
}

/** Reads agents.json. */
export function readAgents(document: Document, order: readonly string[]): ReadonlyMap<string, RegisteredAgent> {
  const shape = object(
    { trust: oneOf(AGENT_TRUST_LEVELS.filter((level) => level !== "unregistered")), reach: reachShape(order) },
    { description: text, owner: text, tenant: text, callers: listOf(text) },
  );
  const agents = mapOf<RegisteredAgent>((node, doc, { key: id }) => {
    const stated = shape(node, doc);
    if (!stated) return undefined;
    const { owner, tenant, callers } = stated;
    return {
      id,
      trust: stated.trust,
      reach: compileReach(stated.reach, order),
      ...(owner !== undefined && { owner }),
      ...(tenant !== undefined && { tenant }),
      ...(callers && { callers: new Set(callers) }),
    };
  });
  return object({ agents }, {})(document.root, document)?.agents ?? new Map();
}
