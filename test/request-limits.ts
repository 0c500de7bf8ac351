import { SETTINGS } from "../src/config.ts";
import type { RequestLimits } from "../src/endpoints/grpc/convert.ts";

/** The limits that a server has unless it is told otherwise. */
export const REQUEST_LIMITS: RequestLimits = {
  json: { nestingMax: SETTINGS.nesting_max.default, keysMax: SETTINGS.keys_max.default },
  identifierBytesMax: SETTINGS.identifier_bytes_max.default,
  statementBytesMax: SETTINGS.statement_bytes_max.default,
  delegationDepthMax: SETTINGS.delegation_depth_max.default,
  categoriesMax: SETTINGS.categories_max.default,
};
