import { LOG_LEVELS, OBLIGATION_ITEMS_MAX, OBLIGATION_TYPES, type Obligation } from "../core/obligations.ts";
import type { JsonObject } from "../core/words.ts";
import { integer, listOf, matching, object, oneOf, type Read } from "./document.ts";

/** `$.rows[*].ssn`: names, list positions, and `[*]` for all of a list. */
const path = matching(/^\$(\.[A-Za-z0-9_-]{1,128}|\[(\d{1,6}|\*)\]){1,32}$/, "a path into what the tool returns, such as `$.rows[*].ssn`");
const recipient = matching(/^(user|group|service):\S{1,256}$/, "somebody to tell: `user:…`, `group:…` or `service:…`");
const ROWS_MAX = 4_294_967_295;

const partsShape = object(
  { type: oneOf(OBLIGATION_TYPES) },
  { paths: listOf(path), rows_max: integer(1, ROWS_MAX), level: oneOf(LOG_LEVELS), recipients: listOf(recipient) },
);

/** Which part says what an obligation of a type is. */
const PART_OF = { redact: "paths", limit_rows: "rows_max", log: "level", notify: "recipients" } as const satisfies Readonly<
  Record<Obligation["type"], string>
>;

/** Reads the `obligation` of an `oblige` rule. */
export const obligationShape: Read<Obligation> = (node, document) => {
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
};

/** As a rule or a case writes it. */
export const obligationJson = (obligation: Obligation): JsonObject =>
  obligation.type === "limit_rows" ? { type: obligation.type, rows_max: obligation.rowsMax } : { ...obligation };
