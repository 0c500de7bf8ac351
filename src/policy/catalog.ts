import { ARGUMENT_ROLES, type ArgumentRole, type RegisteredAgent, type ResourceLabel, type Tool } from "../core/policy.ts";
import { plainSpelling } from "../core/situation.ts";
import type { Steps } from "../core/steps.ts";
import { AGENT_STATUSES, AGENT_TRUST_LEVELS, EFFECTS, instant, REVERSIBILITIES, TRUST_LEVELS, type Trust } from "../core/words.ts";
import {
  type Document,
  day,
  described,
  later,
  laterEntry,
  listOf,
  mapOf,
  matching,
  object,
  oneOf,
  propertiesOf,
  type Read,
  type ReadEntry,
  reading,
  text,
} from "./document.ts";
import { EFFECT_MEANINGS, ROLE_MEANINGS } from "./meanings.ts";
import type { Schema } from "./schema.ts";
import { classificationOf, compileReach, reachShape } from "./settings.ts";

/** A tool's name: anything else in a request is no tool we know. */
export const TOOL_NAME = /^[A-Za-z0-9_.\-/]{1,128}$/;
const TOOL_NAME_WORDS = "at most 128 of `A-Z a-z 0-9 _ . - /`";
const DAY_MS = 86_400_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

const toolName: Read<string> = reading(
  { type: "string", pattern: TOOL_NAME.source, patternErrorMessage: `a tool name has ${TOOL_NAME_WORDS}` },
  (node, document) => {
    const name = String(node.value);
    if (!TOOL_NAME.test(name)) document.error("wrong-value", node, `\`${name}\` is no tool name: ${TOOL_NAME_WORDS}`);
    return name;
  },
);

const description = described(text, "for people: it changes no decision");
const OBJECTS_MAX = 64;
const objects = listOf(matching(/^[^A-Z\s]{1,64}$/, "one noun in lower case, of at most 64 characters"), OBJECTS_MAX);
const trust = oneOf(TRUST_LEVELS, { trusted: "somebody vouches for it", untrusted: "whoever wrote it could have written anything into it" });
const categories = listOf(described(text, { examples: ["personal", "financial", "credential"] }));
const effect = oneOf(EFFECTS, EFFECT_MEANINGS);

const toolShape = (order: readonly string[]) =>
  object(
    {
      reversibility: described(oneOf(REVERSIBILITIES), "whether what the tool does can be taken back"),
      output: described(
        object(
          {
            trust: described(trust, "how far what the tool returns can be trusted"),
          },
          {
            fields: described(
              mapOf(trust),
              "who may write what stands in a field, by the field's name; the names of the others speak for themselves",
            ),
            categories: described(categories, "what kinds of data it returns"),
            classification_max: described(
              classificationOf(order),
              "of the data that it returns, at most; left out, a call that nobody reports counts as the highest there is",
            ),
          },
        ),
        "what a call brings back into the task",
      ),
    },
    {
      description,
      effect: described(effect, "what a call does; instead, `operations` says it for a tool that has several"),
      operations: described(mapOf(effect), "what each operation does; one that is not listed has the effect `unknown`"),
      arguments: described(mapOf(oneOf(ARGUMENT_ROLES, ROLE_MEANINGS)), "what arguments are for, by their names"),
      objects: described(objects, {
        description:
          "what the tool's actions are done to: by these words a task's statement is held against the tool; left out, by those of its name",
        examples: [["invoice", "bill"]],
      }),
      classification: described(classificationOf(order), "of the data that a call uses, at least"),
      categories: described(categories, "what kinds of data a call uses"),
      owner: described(text, { description: "who answers for the tool", examples: ["team:platform"] }),
      definition_digest: described(
        matching(DIGEST, "`sha256:` and 64 hexadecimal digits"),
        "of the tool's definition as it was reviewed; `behest catalog pin` computes it",
      ),
    },
  );

/** What a tool may say; it has one of effect and operations. */
const toolSchema = (shape: Read<unknown>): Schema => ({
  ...shape.schema,
  description: "one tool",
  oneOf: [{ required: ["effect"] }, { required: ["operations"] }],
});

export interface Catalog {
  readonly tools: Map<string, Tool>;
  /** Where each is listed. */
  readonly places: Map<string, string>;
  readonly labels: { readonly glob: string; readonly value: ResourceLabel }[];
}

/** Reads one file of `catalog/` into the catalog so far; a tool listed twice is refused, wherever the other stands. */
export function* readCatalogFile(document: Document, order: readonly string[], catalog: Catalog): Steps<void> {
  const [entry, resource] = [toolEntry(order, catalog), label(order)];
  const file = catalogShape(entry, resource)(document.root, document);
  const tools = new Map<string, Tool>();
  for (const [name, property] of file?.tools ?? []) {
    const tool = entry(property.valueNode, document, property);
    if (tool) tools.set(name, tool);
    yield;
  }
  for (const [name, tool] of tools) catalog.tools.set(name, tool);
  for (const node of file?.resources ?? []) {
    const read = resource(node, document);
    if (read) catalog.labels.push(read);
    yield;
  }
}

const catalogShape = (entry: ReadEntry<Tool>, resource: Read<Catalog["labels"][number]>) =>
  object(
    {},
    {
      tools: described(mapOf(laterEntry(entry), toolName), "tools by their exact names, `server/tool` where names may clash"),
      resources: described(listOf(later(resource)), "labels of resources, by globs of `type:id`"),
    },
  );

function outputOf({ trust, fields, categories = [], classification_max: max }: StatedOutput): Tool["output"] {
  return { trust, ...(fields && { fields }), categories, ...(max !== undefined && { classificationMax: max }) };
}

interface StatedOutput {
  readonly trust: Trust;
  readonly fields?: ReadonlyMap<string, Trust>;
  readonly categories?: readonly string[];
  readonly classification_max?: string;
}

function toolEntry(order: readonly string[], catalog: Catalog): ReadEntry<Tool> {
  const shape = toolShape(order);
  const read = (...[node, document, { key: name, keyNode }]: Parameters<ReadEntry<Tool>>): Tool | undefined => {
    const first = catalog.places.get(name);
    if (first !== undefined)
      document.error("duplicate-name", keyNode, `the tool \`${name}\` is listed twice in the catalog; the first stands at ${first}`);
    else catalog.places.set(name, document.positionOf(keyNode));
    const stated = shape(node, document);
    if (!stated) return undefined;
    // A misspelt effect has been told.
    if (["effect", "operations"].filter((key) => propertiesOf(node).some((property) => property.key === key)).length !== 1)
      document.error("tool-effect", node, "give exactly one of `effect` and `operations`");
    const { operations, objects, classification, owner, definition_digest: definitionDigest } = stated;
    return {
      name,
      effect: stated.effect ?? "unknown",
      ...(operations && { operations }),
      reversibility: stated.reversibility,
      roles: stated.arguments ?? new Map<string, ArgumentRole>(),
      ...(objects && { objects }),
      ...(classification !== undefined && { classification }),
      categories: stated.categories ?? [],
      output: outputOf(stated.output),
      ...(owner !== undefined && { owner }),
      ...(definitionDigest !== undefined && { definitionDigest }),
    };
  };
  return Object.assign(read, { schema: toolSchema(shape) });
}

function label(order: readonly string[]): Read<Catalog["labels"][number]> {
  const shape = object(
    { match: described(text, { description: "a glob of `type:id`, or of an argument with the role `target`", examples: ["file:/srv/hr/**"] }) },
    {
      classification: described(classificationOf(order), "of what the resource holds, at least"),
      categories: described(categories, "what kinds of data the resource holds"),
    },
  );
  return reading({ ...shape.schema, anyOf: [{ required: ["classification"] }, { required: ["categories"] }] }, (node, document) => {
    const stated = shape(node, document);
    if (!stated) return undefined;
    const { match, classification, categories: labels } = stated;
    if (classification === undefined && labels === undefined)
      document.error("empty-label", node, "a label says `classification`, `categories` or both");
    return { glob: plainSpelling(match), value: { ...(classification !== undefined && { classification }), categories: labels ?? [] } };
  });
}

/** What a file of `catalog/` may say. */
export const catalogSchema = (): Schema => catalogShape(toolEntry([], { tools: new Map(), places: new Map(), labels: [] }), label([])).schema;

/** Reads agents.json. */
export function* readAgents(document: Document, order: readonly string[]): Steps<ReadonlyMap<string, RegisteredAgent>> {
  const entry = agentEntry(order);
  const agents = new Map<string, RegisteredAgent>();
  for (const [id, property] of agentsShape(entry)(document.root, document)?.agents ?? []) {
    const agent = entry(property.valueNode, document, property);
    if (agent) agents.set(id, agent);
    yield;
  }
  return agents;
}

const agentsShape = (entry: ReadEntry<RegisteredAgent>) =>
  object({ agents: described(mapOf(laterEntry(entry)), "registered agents by their ids") }, {});

const status = oneOf(
  AGENT_STATUSES.filter((word) => word !== "unregistered"),
  {
    active: "may act, within its reach",
    paused: "has no reach until it is active again, nor has any chain that it stands in",
    retired: "has no reach any more; its entry says so to whoever finds its id",
  },
);

function agentEntry(order: readonly string[]): ReadEntry<RegisteredAgent> {
  const shape = object(
    {
      trust: described(
        oneOf(AGENT_TRUST_LEVELS.filter((level) => level !== "unregistered")),
        "how far the agent is trusted; rules read it as `agent.trust`",
      ),
      reach: described(reachShape(order), "what the agent is granted whatever the task; what is left out grants nothing"),
    },
    {
      description,
      owner: described(text, { description: "who answers for the agent", examples: ["team:support"] }),
      status: described(status, { description: "whether the agent may act at all", default: "active" }),
      review_by: described(day, "the day, in UTC, by whose end somebody has looked whether this entry is still right"),
      tenant: described(text, "only callers of this tenant may ask for the agent"),
      callers: described(listOf(text), "only these callers may ask for the agent"),
    },
  );
  const read = (...[node, document, { key: id }]: Parameters<ReadEntry<RegisteredAgent>>): RegisteredAgent | undefined => {
    const stated = shape(node, document);
    if (!stated) return undefined;
    const { owner, tenant, callers, review_by: reviewBy } = stated;
    return {
      id,
      trust: stated.trust,
      status: stated.status ?? "active",
      ...(reviewBy !== undefined && { overdueFrom: instant(reviewBy + DAY_MS) }),
      reach: compileReach(stated.reach, order),
      ...(owner !== undefined && { owner }),
      ...(tenant !== undefined && { tenant }),
      ...(callers && { callers: new Set(callers) }),
    };
  };
  return Object.assign(read, { schema: { ...shape.schema, description: "one agent" } });
}

/** What agents.json may say. */
export const agentsSchema = (): Schema => agentsShape(agentEntry([])).schema;
