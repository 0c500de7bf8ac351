import { ServiceError } from "./errors.ts";
import type { Clock, Ledger, NewId } from "./ports.ts";
import { RECORD_VERSION } from "./record.ts";
import type { Caller } from "./request.ts";
import { checkTarget, concerns, type EndedSuspension, holds, type Suspension, type SuspensionsView, type SuspensionTarget } from "./suspensions.ts";
import type { Instant } from "./words.ts";

export interface ControlPorts {
  readonly ledger: Pick<Ledger, "control" | "suspensions" | "endedSuspensions">;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Suspensions that hold at once; those of everything have as many places of their own. */
  readonly suspensionsMax: number;
}

export interface SuspendRequest extends SuspensionTarget {
  readonly reason: string;
  readonly until?: Instant;
}

export interface ResumeRequest {
  readonly id: string;
  readonly reason?: string;
}

/** The kill switch. */
export interface Control {
  /** When it answers, no ALLOW that the suspension forbids leaves any more. @throws {ServiceError} */
  suspend(caller: Caller, asked: SuspendRequest): Promise<{ readonly suspension: Suspension; readonly durable: boolean }>;
  /** When it answers, decisions are what they would be without the suspension. @throws {ServiceError} */
  resume(caller: Caller, asked: ResumeRequest): Promise<{ readonly ended: EndedSuspension; readonly durable: boolean }>;
  /** What holds and concerns the caller's tenant, and how many that is; and what has ended, if it is asked for. @throws {ServiceError} */
  list(caller: Caller, asked: { readonly ended: boolean }): Promise<ListedSuspensions>;
}

export interface ListedSuspensions {
  /** The last made first; at most `LISTED_MAX`. */
  readonly holding: readonly Suspension[];
  readonly holdingTotal: number;
  /** The last made first; at most `LISTED_MAX`. */
  readonly ended: readonly EndedSuspension[];
}

/** Their texts fit into an answer of the size that clients take by default, 4 MiB, both lists together. */
export const LISTED_MAX = 500;

/** Its operators run the server: they alone may stop more than their own tenant. */
const HOME_TENANT = "default";

export function createControl(ports: ControlPorts): Control {
  const { ledger, clock, newId } = ports;
  return {
    async suspend(caller, { kind, value, reason, until }) {
      checkTarget({ kind, value });
      refuseForeign(caller, { kind, value });
      const { answer, durable } = await ledger.control(({ suspensions }) => {
        const at = clock.now();
        if (until !== undefined && until <= at) {
          throw new ServiceError(
            "REQUEST_MALFORMED",
            `\`until\` is \`${isoOf(until)}\`, which is over; leave it out to suspend until further notice`,
            {
              field: "until",
            },
          );
        }
        refuseOverfull(ports, suspensions, { kind, at });
        const id = newId(at);
        const { tenant, id: by } = caller;
        const suspension: Suspension = { id, tenant, kind, value, reason, by, at, ...(until !== undefined && { until }) };
        return { events: [{ kind: "suspended", v: RECORD_VERSION, id, at, suspension }], answer: suspension };
      });
      return { suspension: answer, durable };
    },

    async resume(caller, { id, reason }) {
      const { answer, durable } = await ledger.control(({ suspensions }) => {
        const at = clock.now();
        const suspension = suspensions.get(id);
        // Whether another tenant has one of this id is nobody's business.
        if (!suspension || suspension.tenant !== caller.tenant || !holds(suspension, at)) {
          throw new ServiceError("SUSPENSION_UNKNOWN", `no suspension \`${id}\` of this tenant holds; ListSuspensions names those that do`, {
            field: "suspension_id",
          });
        }
        const { tenant } = suspension;
        const because = reason === undefined ? {} : { reason };
        const ended: EndedSuspension = { suspension, endedAt: at, endedBy: caller.id, ...(reason !== undefined && { endedBecause: reason }) };
        return {
          events: [{ kind: "resumed", v: RECORD_VERSION, id: newId(at), at, tenant, suspension: id, by: caller.id, ...because }],
          answer: ended,
        };
      });
      return { ended: answer, durable };
    },

    async list({ tenant }, { ended }) {
      const now = clock.now();
      const holding = ledger
        .suspensions()
        .inForce(now)
        .filter((suspension) => concerns(suspension, tenant));
      return {
        holding: holding.slice(-LISTED_MAX).reverse(),
        holdingTotal: holding.length,
        ended: ended ? await ledger.endedSuspensions({ tenant, now, limit: LISTED_MAX }) : [],
      };
    },
  };
}

function refuseForeign({ tenant, id }: Caller, { kind, value }: SuspensionTarget): void {
  if (tenant === HOME_TENANT || (kind !== "all" && (kind !== "tenant" || value === tenant))) return;
  const what = kind === "all" ? "everything" : `tenant \`${value}\``;
  throw new ServiceError(
    "CALLER_FORBIDDEN",
    `only operators of tenant \`${HOME_TENANT}\` may suspend ${what}; \`${id}\` may suspend tenant \`${tenant}\` and what is in it`,
  );
}

/** However full it is of others, everything can be stopped. */
function refuseOverfull(
  { suspensionsMax }: ControlPorts,
  suspensions: SuspensionsView,
  { kind, at }: { readonly kind: SuspensionTarget["kind"]; readonly at: Instant },
): void {
  // Counted only when there may be too many.
  if (suspensions.size < suspensionsMax) return;
  const isAll = kind === "all";
  const alike = suspensions.inForce(at).filter((suspension) => (suspension.kind === "all") === isAll).length;
  if (alike < suspensionsMax) return;
  throw new ServiceError(
    "STATE_FULL",
    isAll
      ? `everything is suspended ${alike} times already; resume some of these suspensions first`
      : `${alike} suspensions hold already; resume some, suspend a tenant or everything, or raise \`suspensions_max\``,
    { limit: "suspensions" },
  );
}

const isoOf = (at: Instant): string => new Date(at).toISOString();
