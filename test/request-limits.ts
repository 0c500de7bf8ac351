import { readConfig, requestLimits } from "../src/config.ts";
import type { RequestLimits } from "../src/endpoints/grpc/convert.ts";

/** The limits that a server has unless it is told otherwise. */
export const REQUEST_LIMITS: RequestLimits = requestLimits(readConfig({ flags: {}, environment: {} }));
