import type { Asked } from "../../src/core/decide.ts";
import type { Caller, DecisionRequest } from "../../src/core/request.ts";

export const CALLER: Caller = { tenant: "default", id: "gateway", roles: ["enforcer"] };

/** A request to read, unless it is changed. */
export const ask = (change: Partial<DecisionRequest> = {}, caller: Caller = CALLER): Asked => ({
  caller,
  request: { agent: { id: "bot" }, action: { tool: "read", arguments: {} }, ...change },
});
