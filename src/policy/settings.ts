import { compileGlobs } from "../core/globs.ts";
import type { BasisAnswer, BasisRow, Reach, Settings } from "../core/policy.ts";
import { durationMs, EFFECTS, type Effect } from "../core/words.ts";
import {
  type Document,
  described,
  duration,
  flag,
  integer,
  listOf,
  mapOf,
  matching,
  type Node,
  object,
  oneOf,
  propertiesOf,
  type Read,
  reading,
  text,
} from "./document.ts";
import { EFFECT_MEANINGS } from "./meanings.ts";
import type { Schema } from "./schema.ts";

/** Best first. */
const ANSWERS = ["allow", "ask", "deny"] as const;

/** `*` is every effect but `unknown`, which has to be named. */
const EFFECT_WORDS = [...EFFECTS, "*"] as const;
const effectWord = oneOf(EFFECT_WORDS, { ...EFFECT_MEANINGS, "*": "every effect but `unknown`, which has to be named" });

const statedRow = mapOf(
  oneOf(ANSWERS, { allow: "may happen", ask: "a person is asked: a hold named `behest:basis`", deny: "is denied with BASIS_DENIED" }),
  effectWord,
);

const basisRow: Read<BasisRow> = reading(statedRow.schema, (node, document) => {
  const stated = statedRow(node, document);
  if (!stated) return undefined;
  const answer = (effect: Effect): BasisAnswer => stated.get(effect) ?? (effect === "unknown" ? undefined : stated.get("*")) ?? "deny";
  return Object.fromEntries(EFFECTS.map((effect) => [effect, answer(effect)])) as BasisRow;
});

/** What `reach` says before the classifications are known by their rank. */
export interface StatedReach {
  readonly tools?: readonly string[];
  readonly effects?: readonly (Effect | "*")[];
  readonly resources?: readonly string[];
  readonly max_classification?: string;
}

/** A classification must be one of policy.json's, which a schema does not know. */
export const classificationOf = (order: readonly string[]): Read<string> =>
  described(reading(text.schema, oneOf(order)), {
    description: "one of `classification.order` of policy.json",
    examples: ["public", "internal", "confidential", "restricted"],
  });

const globs = (says: string, examples: readonly string[]): Read<readonly string[]> =>
  listOf(described(text, { description: `${says}: \`*\` matches within a segment and \`**\` across; alone, \`*\` is everything`, examples }));

export const reachShape = (order: readonly string[]): Read<StatedReach> =>
  object(
    {},
    {
      tools: described(globs("a glob of tool names", ["*", "filesystem/**"]), "tools that may be called; unset grants none"),
      effects: described(listOf(effectWord), "effects that calls may have; unset grants none"),
      resources: described(globs("a glob of `type:id`", ["*", "file:/srv/**"]), "resources that may be acted upon; unset grants none"),
      max_classification: described(classificationOf(order), "the highest classification of data that may be used; unset grants none"),
    },
  );

export function compileReach(stated: StatedReach, order: readonly string[]): Reach {
  const { tools = [], effects = [], resources = [] } = stated;
  return {
    tools: compileGlobs(tools),
    effects: new Set(EFFECTS.filter((effect) => effects.includes(effect) || (effect !== "unknown" && effects.includes("*")))),
    resources: compileGlobs(resources),
    stated: { tools, resources },
    anyResource: resources.includes("*"),
    classificationRankMax: stated.max_classification === undefined ? -1 : order.indexOf(stated.max_classification),
  };
}

const APPROVER = /^(principal|issuer|user:.+|group:.+)$/;
const APPROVER_WORDS = "write `principal`, `issuer`, `user:…` or `group:…`";

export const approver: Read<string> = reading(
  {
    type: "string",
    pattern: APPROVER.source,
    patternErrorMessage: APPROVER_WORDS,
    description:
      "who may answer: `principal` (the person for whom an initiator opened the task), `issuer` (the caller that opened it), `user:…` or `group:…`",
    examples: ["principal", "issuer", "group:approvers"],
  },
  (node, document) => {
    const name = text(node, document);
    if (name === undefined || APPROVER.test(name)) return name;
    document.error("unknown-approver", node, `\`${name}\` is no approver: ${APPROVER_WORDS}`);
    return undefined;
  },
);

const MEMBER = /^(?!group:|principal$|issuer$)./;
const MEMBER_WORDS = "a member is one person, by the id of their token, such as `user:ann`";

/** Groups have no groups in them: who may answer is to be read in one place. */
const member: Read<string> = reading(
  { type: "string", pattern: MEMBER.source, patternErrorMessage: MEMBER_WORDS, examples: ["user:local"] },
  (node, document) => {
    const name = text(node, document);
    if (name === undefined || MEMBER.test(name)) return name;
    document.error("unknown-approver", node, `\`${name}\` is no member of a group: ${MEMBER_WORDS}`);
    return undefined;
  },
);

export const quorum = described(integer(1, 20), "how many different people must agree");

const framework = described(matching(/^[a-z][a-z0-9-]*$/, "the name of a framework, such as `acme`"), { examples: ["acme"] });

/** What people of whom more is asked do not read any more. */
const ASKED_PER_HOUR = { byAgent: 30, forTask: 20 };
const ENDORSEMENT_USES_MAX = 10;

/** How people are asked, and how far what they say goes. */
const askingShape = {
  reask_after: described(duration, "how long a person's no holds against the same request; unset: as long as its task lives"),
  endorsement_uses_max: described(integer(1, 1_000), {
    description: "how often at most an action, and others like it, may be taken on one approval",
    default: ENDORSEMENT_USES_MAX,
  }),
  asked_per_hour: described(
    object(
      {},
      {
        agent: described(integer(1, 10_000), { description: "for one agent", default: ASKED_PER_HOUR.byAgent }),
        task: described(integer(1, 10_000), { description: "for one task", default: ASKED_PER_HOUR.forTask }),
      },
    ),
    "how many approvals are opened in an hour; what an agent asks beyond that is one summary",
  ),
};

const settingsShape = (order: readonly string[]) =>
  object(
    {
      classification: described(
        object(
          {
            order: described(
              reading({ ...listOf(text).schema, minItems: 1, uniqueItems: true }, listOf(text)),
              "every classification, lowest first; one that is not listed counts as the highest",
            ),
            default: described(text, "of data about which request, resource and catalog say nothing; one of `order`"),
          },
          {},
        ),
        "how data is classified",
      ),
      environment: described(object({ default: described(text, "where an action happens that does not say it") }, {}), "where actions happen"),
      bands: described(
        object(
          {
            middle: described(integer(1, 100), "a score from here on is a hold, named `behest:risk`; below `top`"),
            top: described(integer(1, 100), "a score from here on is denied with RISK_TOP"),
          },
          {},
        ),
        "where risk scores, from 0 to 100, begin to matter",
      ),
      basis: described(
        object(
          {
            AUTHORIZED: described(basisRow, "inside the issued scope of every registered hop, or approved"),
            INFERRED: described(basisRow, "inside what the words of a registered task ask for"),
            AVAILABLE: described(basisRow, "within the agent's reach, nothing more"),
          },
          {},
        ),
        "what each basis and effect is answered; an effect that is not mentioned is denied",
      ),
      reach: described(
        object({ default: described(reachShape(order), "of agents that agents.json does not list") }, {}),
        "what is granted whatever the task",
      ),
      approvers: described(
        object(
          {
            default: described(reading({ ...listOf(approver).schema, minItems: 1 }, listOf(approver)), "who may answer a hold that names nobody"),
            quorum: described(quorum, "how many of them must agree"),
          },
          {
            require_verified: described(flag, {
              description: "whether answers count only of people who are known by more than a token file",
              default: false,
            }),
          },
        ),
        "who answers holds that do not say it",
      ),
      groups: described(mapOf(listOf(member)), "the members of each group, by its name, to which `group:…` refers"),
      lifetimes: described(
        object(
          {
            decision: described(duration, "how long an ALLOW may be acted upon"),
            self_asserted_idle: described(duration, "after how long without a decision a self-asserted task closes"),
            approval: described(duration, "how long people have to answer"),
          },
          {},
        ),
        "how long things stand",
      ),
      windows: described(
        object(
          {
            memory: described(duration, "how long an agent's new self-asserted tasks start with what it has seen before"),
            report_within: described(duration, "how soon what happened has to be reported"),
            idempotency: described(duration, "how long a request id is remembered"),
          },
          {},
        ),
        "how far back Behest looks",
      ),
    },
    {
      outside_issued_scope: described(oneOf(["deny", "ask"] as const, { deny: "DENY with OUTSIDE_SCOPE", ask: "its issuer is asked" }), {
        description: "what an action outside an issued scope is answered",
        default: "deny",
      }),
      ...askingShape,
      controls: described(
        listOf(framework),
        "frameworks whose controls rules name as `framework:…`, beside `owasp`, `maestro` and `nist`; it changes no decision",
      ),
    },
  );

/** What policy.json may say. */
export const settingsSchema = (): Schema => settingsShape([]).schema;

/** Reads policy.json. Undefined after complaining. */
export function readSettings(document: Document): Settings | undefined {
  const order = orderOf(document);
  const stated = settingsShape(order)(document.root, document);
  if (!stated) return undefined;
  const { bands, lifetimes, windows } = stated;
  const { require_verified: requireVerified, ...defaultApprovers } = stated.approvers;
  refuseInconsistent(document, stated);
  warnOfOrder(document, stated.basis);
  return {
    classification: stated.classification,
    environmentDefault: stated.environment.default,
    bands,
    basis: stated.basis,
    reachDefault: compileReach(stated.reach.default, stated.classification.order),
    approvers: { ...defaultApprovers, requireVerified: requireVerified ?? false },
    ...(stated.reask_after !== undefined && { reaskAfter: durationMs(stated.reask_after) }),
    endorsementUsesMax: stated.endorsement_uses_max ?? ENDORSEMENT_USES_MAX,
    askedPerHour: { byAgent: stated.asked_per_hour?.agent ?? ASKED_PER_HOUR.byAgent, forTask: stated.asked_per_hour?.task ?? ASKED_PER_HOUR.forTask },
    groups: Object.fromEntries(stated.groups),
    outsideIssuedScope: stated.outside_issued_scope ?? "deny",
    lifetimes: {
      decision: durationMs(lifetimes.decision),
      selfAssertedIdle: durationMs(lifetimes.self_asserted_idle),
      approval: durationMs(lifetimes.approval),
    },
    windows: {
      memory: durationMs(windows.memory),
      reportWithin: durationMs(windows.report_within),
      idempotency: durationMs(windows.idempotency),
    },
  };
}

/** A basis that says less for an action must not be answered more kindly: losing authority would help. */
function warnOfOrder(document: Document, basis: Settings["basis"]): void {
  const pairs = [
    ["INFERRED", "AUTHORIZED"],
    ["AVAILABLE", "INFERRED"],
    ["AVAILABLE", "AUTHORIZED"],
  ] as const;
  for (const [weaker, stronger] of pairs) {
    const kinder = EFFECTS.find((effect) => ANSWERS.indexOf(basis[weaker][effect]) < ANSWERS.indexOf(basis[stronger][effect]));
    if (kinder === undefined) continue;
    const [is, than] = [basis[weaker][kinder], basis[stronger][kinder]];
    document.warn(
      "basis-order",
      nodeAt(document.root, ["basis", weaker]),
      `\`${weaker}\` answers \`${kinder}\` with \`${is}\`, and \`${stronger}\`, which says more for it, with \`${than}\``,
    );
    return;
  }
}

interface Stated {
  readonly classification: { readonly order: readonly string[]; readonly default: string };
  readonly bands: { readonly middle: number; readonly top: number };
}

function refuseInconsistent(document: Document, { classification, bands }: Stated): void {
  const { order } = classification;
  const at = (...path: string[]): Node => nodeAt(document.root, path);
  if (order.length === 0 || new Set(order).size !== order.length) {
    document.error("inconsistent-settings", at("classification", "order"), "list each classification once, lowest first, and at least one");
  }
  if (!order.includes(classification.default)) {
    document.error("inconsistent-settings", at("classification", "default"), `\`${classification.default}\` is not in \`classification.order\``);
  }
  if (bands.middle >= bands.top)
    document.error("inconsistent-settings", at("bands", "middle"), `\`middle\` must be below \`top\`, which is ${bands.top}`);
  if (at("approvers", "default").children?.length === 0)
    document.error("inconsistent-settings", at("approvers", "default"), "name at least one approver");
}

/** The classifications, read ahead because the rest of the file refers to them. */
export function orderOf(document: Document): readonly string[] {
  const node = nodeAt(document.root, ["classification", "order"]);
  return (node.type === "array" ? (node.children ?? []) : []).flatMap((child) => (typeof child.value === "string" ? [child.value] : []));
}

/** The frameworks that `controls` declares. */
export function declaredFrameworks({ root }: Document): readonly string[] {
  const controls = propertiesOf(root).find(({ key }) => key === "controls")?.valueNode;
  return (controls?.children ?? []).flatMap((child) => (typeof child.value === "string" ? [child.value] : []));
}

export function nodeAt(root: Node, path: readonly string[]): Node {
  let node = root;
  for (const key of path) {
    const property = node.children?.find((child) => child.children?.[0]?.value === key);
    node = property?.children?.[1] ?? node;
  }
  return node;
}
