import { ServiceError } from "../errors.ts";
import { globCovers } from "../globs.ts";
import { nearest } from "../nearest.ts";
import type { Policy } from "../policy.ts";
import type { Caller } from "../request.ts";
import { CURRENCY } from "./budget.ts";
import type { Scope } from "./scope.ts";

/** Names must exist, and numbers mean something. @throws {ServiceError} REQUEST_MALFORMED, naming the field */
export function checkScope(scope: Scope, policy: Policy): void {
  for (const [field, globs] of [
    ["scope.tools", scope.tools],
    ["scope.resources", scope.resources],
    ["scope.delegates", scope.delegates],
  ] as const) {
    refuseCostly(field, globs ?? []);
  }
  for (const [at, tool] of (scope.tools ?? []).entries()) {
    if (!tool.includes("*") && !policy.tools.has(tool)) refuseTool(`scope.tools[${at}]`, tool, policy);
  }
  const { order } = policy.settings.classification;
  const { maxClassification } = scope;
  if (maxClassification !== undefined && !order.includes(maxClassification)) {
    throw malformed("scope.max_classification", `is \`${maxClassification}\`, which policy.json does not list; write one of ${order.join(", ")}`);
  }
  for (const [effect, calls] of Object.entries(scope.maxCalls ?? {})) refuseAbsurd("scope.max_calls", effect, calls);
  for (const [currency, amount] of Object.entries(scope.maxAmounts ?? {})) {
    if (!CURRENCY.test(currency)) {
      throw malformed("scope.max_amounts", `names the currency \`${currency}\`; write its code of ISO 4217, three capital letters such as \`EUR\``);
    }
    refuseAbsurd("scope.max_amounts", currency, amount);
  }
  if (scope.maxDepth !== undefined) refuseAbsurd("scope.max_depth", "depth", scope.maxDepth);
}

/** Of one pattern: each is gone over for every resource of every decision. */
const STARS_MAX = 8;
/** Characters of one list: it is compared with the parent's, and kept in every decision. */
const LIST_LENGTH_MAX = 16 * 1024;

function refuseCostly(field: string, globs: readonly string[]): void {
  let length = 0;
  for (const [at, glob] of globs.entries()) {
    const stars = glob.match(/\*+/g)?.length ?? 0;
    if (stars > STARS_MAX) throw malformed(`${field}[${at}]`, `holds ${stars} stars, at most ${STARS_MAX} are taken; write it with fewer`);
    length += glob.length;
  }
  if (length <= LIST_LENGTH_MAX) return;
  throw new ServiceError(
    "REQUEST_TOO_BIG",
    `\`${field}\` holds ${length} characters, at most ${LIST_LENGTH_MAX} are taken; a pattern with a \`*\` covers many names`,
    { field, limit: "scope_characters" },
  );
}

const malformed = (field: string, why: string): ServiceError => new ServiceError("REQUEST_MALFORMED", `\`${field}\` ${why}`, { field });

function refuseTool(field: string, tool: string, policy: Policy): never {
  const near = nearest(tool, policy.tools.keys());
  const hint = near === undefined ? "." : `; did you mean \`${near}\`?`;
  throw malformed(
    field,
    `is \`${tool}\`, which the catalog does not list${hint} A pattern such as \`server/*\` may cover tools that it does not list`,
  );
}

function refuseAbsurd(field: string, what: string, amount: number): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw malformed(field, `allows \`${amount}\` of \`${what}\`; write an integer from 0 to 2^53 - 1`);
}

/** As a message names them. */
export const quotedList = (items: readonly string[]): string => items.map((item) => `\`${item}\``).join(", ");

/** Whoever may open tasks for some agents lets them be handed on to these at most. @throws {ServiceError} CALLER_FORBIDDEN */
export function withDelegates(scope: Scope, { id, agents }: Caller): Scope {
  if (!agents) return scope;
  const { delegates } = scope;
  if (!delegates) return { ...scope, delegates: agents };
  const wide = delegates.find((glob) => !agents.some((covered) => globCovers(covered, glob)));
  if (wide === undefined) return scope;
  throw new ServiceError("CALLER_FORBIDDEN", `\`scope.delegates\` holds \`${wide}\`; the token of \`${id}\` covers ${quotedList(agents)}`, {
    field: "scope.delegates",
  });
}
