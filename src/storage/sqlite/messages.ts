import type { RecalledTree } from "../../core/intent/observed-trees.ts";
import type { ApprovalEventsQuestion, EndedSuspensionsQuestion, PolicyFiles } from "../../core/ports.ts";
import type { StoredApprovalEvents } from "./approval-events.ts";
import type { ApprovalRow } from "./approval-rows.ts";
import type { CacheRow } from "./decision-cache.ts";
import type { SuspensionRow } from "./suspension-rows.ts";
import type { RegisteredRow, TaskRow } from "./task-rows.ts";

/** What the writer's thread is started with. */
export interface WriterOptions {
  readonly path: string;
  /** The instant to rebuild for, unless the ledger knows a later one. */
  readonly nowMs: number;
  readonly cacheRowsMax: number;
  /** Key of what is kept of observed values; never in the database. */
  readonly observationKey: Uint8Array;
  /** Texts of control events that are to be in the ledger before anything is read from it; those that are in it already are left alone. */
  readonly controls: readonly string[];
}

/** Everything that goes to disk in one transaction. */
export interface Group {
  readonly kind: "group";
  /** Texts of events, in order. */
  readonly events: readonly string[];
  readonly policies: readonly PolicyRow[];
  /** Texts of what tools returned, in order, see `ObservedInTree`. */
  readonly observed: readonly string[];
  readonly cacheRows: readonly CacheRow[];
  readonly cacheDropOtherThan?: string;
}

export interface PolicyRow {
  readonly digest: string;
  readonly atMs: number;
  readonly files: PolicyFiles;
}

export type ToWriter =
  | Group
  | { readonly kind: "read"; readonly ticket: number; readonly decisionId: string }
  /** Asks for what was reported of a decision. */
  | { readonly kind: "read report"; readonly ticket: number; readonly decisionId: string }
  | { readonly kind: "read policy"; readonly ticket: number; readonly digest: string }
  /** Asks what it takes to keep a policy, and what there is. */
  | { readonly kind: "measure policy"; readonly ticket: number; readonly policy: PolicyRow }
  | { readonly kind: "read approval events"; readonly ticket: number; readonly question: ApprovalEventsQuestion }
  | { readonly kind: "read ended suspensions"; readonly ticket: number; readonly question: EndedSuspensionsQuestion }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "events"; readonly events: readonly string[] }
  | { readonly kind: "tasks"; readonly selfAsserted: readonly TaskRow[]; readonly registered: readonly RegisteredRow[] }
  | { readonly kind: "approvals"; readonly rows: readonly ApprovalRow[] }
  | { readonly kind: "suspensions"; readonly rows: readonly SuspensionRow[] }
  | { readonly kind: "cache"; readonly rows: readonly CacheRow[] }
  | ({ readonly kind: "observed" } & RecalledTree)
  /** Rebuilt for this instant: no event is later. */
  | { readonly kind: "opened"; readonly atMs: number }
  | ({ readonly kind: "written" } & WrittenGroup)
  | { readonly kind: "found"; readonly ticket: number; readonly record?: string }
  | { readonly kind: "found report"; readonly ticket: number; readonly record?: string }
  | { readonly kind: "found policy"; readonly ticket: number; readonly row?: Omit<PolicyRow, "digest"> }
  | ({ readonly kind: "measured policy"; readonly ticket: number } & Room)
  | ({ readonly kind: "found approval events"; readonly ticket: number } & StoredApprovalEvents)
  | { readonly kind: "found ended suspensions"; readonly ticket: number; readonly rows: readonly SuspensionRow[] }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "closed" };

/** A group that is on disk. */
export interface WrittenGroup {
  readonly events: number;
  /** How long COMMIT took: the WAL is synced in it. */
  readonly commitMs: number;
}

/** Room on the disk. */
export interface Room {
  readonly neededBytes: number;
  readonly freeBytes: number;
}
