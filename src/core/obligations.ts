/** What an enforcement point has to do along with an ALLOW, or else not act. The list is closed. */
export type Obligation =
  /** Take these parts out of what the tool returns. */
  | { readonly type: "redact"; readonly paths: readonly string[] }
  /** Return no more than so many rows. */
  | { readonly type: "limit_rows"; readonly rowsMax: number }
  /** Log the call, at least so loudly. */
  | { readonly type: "log"; readonly level: LogLevel }
  /** Tell these people. */
  | { readonly type: "notify"; readonly recipients: readonly string[] };

export const OBLIGATION_TYPES = ["redact", "limit_rows", "log", "notify"] as const satisfies readonly Obligation["type"][];

/** Quietest first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Paths or recipients of one obligation, merged: nobody can be held to more. */
export const OBLIGATION_ITEMS_MAX = 256;

/** One obligation of each type, in the order of the list: the strictest of all that are stated. Undefined when no enforcement point could be held to them. */
export function mergeObligations(stated: readonly Obligation[]): readonly Obligation[] | undefined {
  const paths = new Set<string>();
  const recipients = new Set<string>();
  let rowsMax = Number.POSITIVE_INFINITY;
  let level = -1;
  for (const obligation of stated) {
    switch (obligation.type) {
      case "redact":
        for (const path of obligation.paths) paths.add(path);
        break;
      case "limit_rows":
        rowsMax = Math.min(rowsMax, obligation.rowsMax);
        break;
      case "log":
        level = Math.max(level, LOG_LEVELS.indexOf(obligation.level));
        break;
      case "notify":
        for (const recipient of obligation.recipients) recipients.add(recipient);
        break;
    }
  }
  if (paths.size > OBLIGATION_ITEMS_MAX || recipients.size > OBLIGATION_ITEMS_MAX) return undefined;
  const loudest = LOG_LEVELS[level];
  return [
    ...(paths.size > 0 ? [{ type: "redact" as const, paths: [...paths].sort() }] : []),
    ...(rowsMax < Number.POSITIVE_INFINITY ? [{ type: "limit_rows" as const, rowsMax }] : []),
    ...(loudest === undefined ? [] : [{ type: "log" as const, level: loudest }]),
    ...(recipients.size > 0 ? [{ type: "notify" as const, recipients: [...recipients].sort() }] : []),
  ];
}
