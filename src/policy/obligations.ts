import { LOG_LEVELS, OBLIGATION_ITEMS_MAX, OBLIGATION_TYPES, type Obligation } from "../core/obligations.ts";
import type { JsonObject } from "../core/words.ts";
import { described, integer, listOf, matching, object, oneOf, type Read, reading } from "./document.ts";
import { has, partOf, type Schema, when } from "./schema.ts";

/** `$.rows[*].ssn`: names, list positions, and `[*]` for all of a list. */
const path = matching(/^\$(\.[A-Za-z0-9_-]{1,128}|\[(\d{1,6}|\*)\]){1,32}$/, "a path into what the tool returns, such as `$.rows[*].ssn`");
const recipient = matching(/^(user|group|service):\S{1,256}$/, "somebody to tell: `user:…`, `group:…` or `service:…`");
const ROWS_MAX = 4_294_967_295;

const OBLIGATION_MEANINGS = {
  redact: "take `paths` out of what the tool returns",
  limit_rows: "return no more than `rows_max` rows",
  log: "log the call, at least at `level`",
  notify: "tell `recipients`",
} as const;

const typeShape = described(oneOf(OBLIGATION_TYPES, OBLIGATION_MEANINGS), "what to do");

const partsShape = object(
  { type: typeShape },
  {
    paths: described(listOf(described(path, { examples: ["$.rows[*].ssn"] })), `for \`redact\`: what to take out; at most ${OBLIGATION_ITEMS_MAX}`),
    rows_max: described(integer(1, ROWS_MAX), "for `limit_rows`: how many at most"),
    level: described(oneOf(LOG_LEVELS), "for `log`: how loudly at least"),
    recipients: described(
      listOf(described(recipient, { examples: ["group:privacy"] })),
      `for \`notify\`: whom, \`user:…\`, \`group:…\` or \`service:…\`; at most ${OBLIGATION_ITEMS_MAX}`,
    ),
  },
);

/** Which part says what an obligation of a type is. */
const PART_OF = { redact: "paths", limit_rows: "rows_max", log: "level", notify: "recipients" } as const satisfies Readonly<
  Record<Obligation["type"], string>
>;

/** Each type with its own part and no other's; an editor offers any while none is there. */
const obligationSchema: Schema = {
  type: "object",
  properties: { type: typeShape.schema },
  required: ["type"],
  allOf: [
    ...Object.entries(PART_OF).map(([type, part]) =>
      when(
        has("type", { const: type }),
        partOf(partsShape.schema, {
          needs: ["type", part],
          narrower: { paths: { minItems: 1, maxItems: OBLIGATION_ITEMS_MAX }, recipients: { minItems: 1, maxItems: OBLIGATION_ITEMS_MAX } },
        }),
      ),
    ),
    when({ not: { required: ["type"] } }, partsShape.schema),
  ],
};

/** Reads the `obligation` of an `oblige` rule. */
export const obligationShape: Read<Obligation> = reading(obligationSchema, (node, document) => {
  const stated = partsShape(node, document);
  if (!stated) return undefined;
  const { type, paths, rows_max: rowsMax, level, recipients } = stated;
  for (const [other, part] of Object.entries(PART_OF)) {
    if (other !== type && stated[part] !== undefined) document.error("event-misuse", node, `\`${part}\` belongs to \`${other}\`, not to \`${type}\``);
  }
  if (Math.max(paths?.length ?? 0, recipients?.length ?? 0) > OBLIGATION_ITEMS_MAX) {
    document.error("too-big", node, `an obligation names at most ${OBLIGATION_ITEMS_MAX} paths or recipients`);
  }
  if (type === "redact" && paths && paths.length > 0) return { type, paths };
  if (type === "limit_rows" && rowsMax !== undefined) return { type, rowsMax };
  if (type === "log" && level !== undefined) return { type, level };
  if (type === "notify" && recipients && recipients.length > 0) return { type, recipients };
  document.error("event-misuse", node, `\`${type}\` says its \`${PART_OF[type]}\``);
  return undefined;
});

/** As a rule or a case writes it. */
export const obligationJson = (obligation: Obligation): JsonObject =>
  obligation.type === "limit_rows" ? { type: obligation.type, rows_max: obligation.rowsMax } : { ...obligation };
