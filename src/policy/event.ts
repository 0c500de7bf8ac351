import type { Obligation } from "../core/obligations.ts";
import { RULE_EVENTS, type RuleEvent } from "../core/words.ts";
import { type Document, described, duration, integer, listOf, matching, type Node, object, oneOf, type Read, reading, text } from "./document.ts";
import { EVENT_MEANINGS, EVENT_SYNONYMS } from "./meanings.ts";
import { obligationShape } from "./obligations.ts";
import { has, partOf, type Schema, when } from "./schema.ts";
import { approver, nodeAt, quorum } from "./settings.ts";

const POINTS_MAX = 100;

/** What the event of a rule says. */
export interface RuleParams {
  readonly points?: number;
  readonly reason: string;
  readonly controls: readonly string[];
  readonly approvers?: readonly string[];
  readonly quorum?: number;
  readonly lifetime?: number;
  readonly obligation?: Obligation;
}

const control = matching(
  /^(owasp:(ASI|LLM)\d{2}|maestro:L[1-7]|nist:(GOVERN|MAP|MEASURE|MANAGE)-\d+\.\d+|[a-z][a-z0-9-]*:[A-Za-z0-9._-]+)$/,
  "a control such as `owasp:ASI02`",
);

const anyPoints = integer(-POINTS_MAX, POINTS_MAX);

/** Which range it tells depends on the event. */
const points: Read<number> = reading(anyPoints.schema, (node, document) => {
  const { value } = node;
  const isOfSome = Number.isInteger(value) && Math.abs(value) <= POINTS_MAX;
  return (isOfSome ? anyPoints : integer(pointsMinBeside(node), POINTS_MAX))(node, document);
});

/** The points stand in the params, and those in the event. */
function pointsMinBeside({ parent }: Node): number {
  const stated = parent?.parent?.parent?.parent;
  const type = RULE_EVENTS.find((one) => stated?.children?.some(({ children: [key, value] = [] }) => key?.value === "type" && value?.value === one));
  return type ? EVENT_PARTS[type].pointsMin : -POINTS_MAX;
}

const paramsShape = object(
  {
    reason: described(text, { description: "what findings and holds say, for people", examples: ["pays more than 1,000"] }),
    controls: described(
      listOf(described(control, { examples: ["owasp:ASI02", "maestro:L2", "nist:MANAGE-2.4"] })),
      "controls of public frameworks that the rule serves",
    ),
  },
  {
    points: described(points, "what the rule adds to the score; a negative number may rest only on facts that may help"),
    approvers: described(listOf(approver), "who may answer; left out, `approvers.default` of policy.json"),
    quorum: described(quorum, "how many of them must agree; left out, `approvers.quorum` of policy.json"),
    lifetime: described(duration, "how long they have to answer; left out, `lifetimes.approval` of policy.json"),
    obligation: described(obligationShape, "what the enforcement point must do along with an ALLOW, or else not act"),
  },
);

/** What each event says beside its reason and controls. */
const EVENT_PARTS = {
  risk: { takes: [], needs: ["points"], pointsMin: -POINTS_MAX },
  deny: { takes: ["points"], needs: [], pointsMin: 0 },
  "require-approval": { takes: ["points", "approvers", "quorum", "lifetime"], needs: [], pointsMin: 0 },
  allow: { takes: [], needs: [], pointsMin: 0 },
  oblige: { takes: [], needs: ["obligation"], pointsMin: 0 },
} as const satisfies Readonly<Record<RuleEvent, { takes: readonly Param[]; needs: readonly Param[]; pointsMin: number }>>;
type Param = Exclude<keyof RuleParams, "reason" | "controls">;

const paramsOf = ({ takes, needs, pointsMin }: (typeof EVENT_PARTS)[RuleEvent]): Schema =>
  partOf(paramsShape.schema, {
    takes,
    needs: ["reason", "controls", ...needs],
    narrower: { points: { minimum: pointsMin }, approvers: { minItems: 1 } },
  });

const typeShape = described(
  oneOf(RULE_EVENTS, EVENT_MEANINGS, EVENT_SYNONYMS),
  "what the rule does when its conditions are true, or cannot be decided",
);

const eventShape = object({ type: typeShape, params: paramsShape }, {});

/** An editor offers the params of the event that is there, and of any while none is. */
const eventSchema: Schema = {
  ...eventShape.schema,
  properties: { type: typeShape.schema, params: { type: "object", description: "what the event says" } },
  description: "what the rule does",
  allOf: [
    ...RULE_EVENTS.map((event) => when(has("type", { const: event }), { properties: { params: paramsOf(EVENT_PARTS[event]) } })),
    when({ not: { required: ["type"] } }, { properties: { params: paramsShape.schema } }),
  ],
};

/** Reads the `event` of a rule. */
export const event = reading(eventSchema, eventShape);

interface MisusedRule {
  readonly name: string;
  readonly event: RuleEvent;
  readonly params: RuleParams;
  readonly node: Node;
  readonly document: Document;
}

/** Complains of params that do not belong to the event, and of those that it lacks. */
export function refuseMisuse({ name, event: type, params, node, document }: MisusedRule): void {
  const refuse = (why: string): void => document.error("event-misuse", node, `rule \`${name}\`: ${why}`);
  const parts = EVENT_PARTS[type];
  const allowed: readonly Param[] = [...parts.takes, ...parts.needs];
  for (const part of parts.needs) if (params[part] === undefined) refuse(`${article(type)} \`${type}\` rule says its \`${part}\``);
  const isStray = (part: Param): boolean => params[part] !== undefined && !allowed.includes(part);
  if (isStray("points")) refuse(`${article(type)} \`${type}\` rule carries no \`points\``);
  else if ((params.points ?? 0) < parts.pointsMin) refuse(`${article(type)} \`${type}\` rule cannot lower the score`);
  if (isStray("obligation")) refuse("an `obligation` belongs to `oblige`");
  if (isStray("approvers") || isStray("quorum") || isStray("lifetime")) refuse("`approvers`, `quorum` and `lifetime` belong to `require-approval`");
  if (nodeAt(node, ["event", "params"]).children?.some(isEmptyApprovers)) refuse("name at least one approver, or leave `approvers` out");
}

const isEmptyApprovers = ({ children: [key, value] = [] }: Node): boolean => key?.value === "approvers" && value?.children?.length === 0;

const article = (word: string): string => (/^[aeiou]/.test(word) ? "an" : "a");
