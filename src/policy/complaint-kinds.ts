import { CASE_KINDS } from "./kinds/cases.ts";
import { CONDITION_KINDS } from "./kinds/conditions.ts";
import { FILE_KINDS } from "./kinds/files.ts";
import type { ComplaintKind } from "./kinds/kind.ts";
import { REGISTRY_KINDS } from "./kinds/registry.ts";
import { RULE_KINDS } from "./kinds/rules.ts";
import { SETTINGS_KINDS } from "./kinds/settings.ts";

/** Every complaint there is about a rules directory, by its id. An error refuses the policy; a warning does not. */
export const KINDS = {
  ...FILE_KINDS,
  ...SETTINGS_KINDS,
  ...REGISTRY_KINDS,
  ...CONDITION_KINDS,
  ...RULE_KINDS,
  ...CASE_KINDS,
} as const satisfies Readonly<Record<string, ComplaintKind>>;

export type ComplaintId = keyof typeof KINDS;
export const COMPLAINT_IDS = Object.keys(KINDS) as readonly ComplaintId[];
type WithSeverity<S extends ComplaintKind["severity"]> = { [K in ComplaintId]: (typeof KINDS)[K]["severity"] extends S ? K : never }[ComplaintId];
export type ErrorId = WithSeverity<"error">;
export type WarningId = WithSeverity<"warning">;
