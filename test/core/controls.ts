import { v7 } from "uuid";
import { type Control, createControl } from "../../src/core/control.ts";
import type { Caller } from "../../src/core/request.ts";
import type { OpenedStorage } from "../storage/storages.ts";

export const OPERATOR: Caller = { tenant: "default", id: "local-operator", roles: ["operator"] };

export const controlOver = ({ ledger, clock }: Pick<OpenedStorage, "ledger" | "clock">, suspensionsMax = 1_000): Control =>
  createControl({ ledger, clock, newId: (at) => v7({ msecs: at }), suspensionsMax });
