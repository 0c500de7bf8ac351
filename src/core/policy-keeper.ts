import { ServiceError } from "./errors.ts";
import type { Policy } from "./policy.ts";
import type { Clock, Ledger, LoadedPolicy, NewId, PolicyComplaint, PolicyDirectory, PolicySource, ReadPolicy } from "./ports.ts";
import { RECORD_VERSION } from "./record.ts";
import type { Instant } from "./words.ts";

export interface PolicyKeeper extends PolicySource {
  readonly status: PolicyStatus;
  /**
   * Reads the directory, from after this call on, and puts what it holds in force. What is refused leaves the last good policy in force.
   * @throws {ServiceError} POLICY_INVALID, or LEDGER_UNAVAILABLE when it could not be recorded
   */
  reload(): Promise<Reloaded>;
  /** Does the same if the directory has changed, once it has settled; what goes wrong is told, and tried again with the next check. */
  check(): Promise<void>;
  /** Told of each change, after it. */
  onChange(listener: (status: PolicyStatus, change: PolicyChange) => void): void;
}

export interface PolicyStatus {
  readonly directory: string;
  readonly inForce: LoadedPolicy;
  readonly loadedAt: Instant;
  /** What the directory holds now and why it is not in force. */
  readonly refusal?: PolicyRefusal;
}

export interface PolicyRefusal {
  readonly at: Instant;
  readonly complaints: readonly PolicyComplaint[];
}

export interface Reloaded {
  readonly digest: string;
  /** False if the directory holds the policy that was in force before. */
  readonly changed: boolean;
  readonly warnings: readonly PolicyComplaint[];
}

export interface PolicyKeeperPorts {
  readonly directory: PolicyDirectory;
  readonly ledger: Pick<Ledger, "recordPolicy">;
  readonly clock: Clock;
  readonly newId: NewId;
}

export type PolicyChange =
  | { readonly kind: "loaded"; readonly policy: LoadedPolicy }
  /** Told once, however often the same is found. */
  | { readonly kind: "refused"; readonly complaints: readonly PolicyComplaint[] }
  /** What was refused is gone, and the policy in force stands in the directory again. */
  | { readonly kind: "mended" }
  /** It could not be recorded, or could not be looked for; the next check tries again. Told once, however often it is the same. */
  | { readonly kind: "failed"; readonly error: unknown };

/** Records the first policy and puts it in force. @throws {ServiceError} LEDGER_UNAVAILABLE */
export async function keepPolicy(
  ports: PolicyKeeperPorts,
  first: { readonly fingerprint: string | undefined; readonly outcome: LoadedPolicy },
): Promise<PolicyKeeper> {
  const at = ports.clock.now();
  await record(ports, first.outcome, at);
  return new Keeper(ports, first.fingerprint, { loaded: first.outcome, at });
}

async function record({ ledger, newId }: PolicyKeeperPorts, { policy, files }: LoadedPolicy, at: Instant): Promise<void> {
  const { digest, settings } = policy;
  await ledger.recordPolicy({
    event: { kind: "policy_loaded", v: RECORD_VERSION, id: newId(at), at, policy: digest, windows: settings.windows },
    files,
  });
}

interface InForce {
  readonly loaded: LoadedPolicy;
  readonly at: Instant;
}

class Keeper implements PolicyKeeper {
  readonly #ports: PolicyKeeperPorts;
  readonly #listeners = new Set<(status: PolicyStatus, change: PolicyChange) => void>();
  #inForce: InForce;
  #refusal: PolicyRefusal | undefined;
  /** Of what was last taken or refused; undefined when that must be tried again. */
  #handled: string | undefined;
  /** The last policy that the ledger certainly tells of; after a failure nobody knows. */
  #recorded: string | undefined;
  #running: Promise<unknown> | undefined;
  #waiting: Promise<ReadPolicy["outcome"]> | undefined;
  /** What went wrong at the last check, and has been told. */
  #failure = "";

  constructor(ports: PolicyKeeperPorts, fingerprint: string | undefined, inForce: InForce) {
    this.#ports = ports;
    this.#handled = fingerprint;
    this.#inForce = inForce;
    this.#recorded = inForce.loaded.policy.digest;
  }

  current(): Policy {
    return this.#inForce.loaded.policy;
  }

  get status(): PolicyStatus {
    const { loaded, at } = this.#inForce;
    return { directory: this.#ports.directory.path, inForce: loaded, loadedAt: at, ...(this.#refusal && { refusal: this.#refusal }) };
  }

  onChange(listener: (status: PolicyStatus, change: PolicyChange) => void): void {
    this.#listeners.add(listener);
  }

  #tell(change: PolicyChange): void {
    for (const listener of this.#listeners) listener(this.status, change);
  }

  async reload(): Promise<Reloaded> {
    const before = this.current().digest;
    const outcome = await this.#next("now");
    if ("policy" in outcome) return { digest: outcome.policy.digest, changed: outcome.policy.digest !== before, warnings: outcome.warnings };
    throw invalid(this.#ports.directory.path, before, outcome.complaints);
  }

  async check(): Promise<void> {
    // Whoever began what is under way is told how it ends.
    await (this.#waiting ?? this.#running)?.catch(() => undefined);
    try {
      if (this.#handled !== undefined && (await this.#ports.directory.fingerprint()) === this.#handled) return;
      await this.#next("settled");
      this.#failure = "";
    } catch (error) {
      if (String(error) !== this.#failure) this.#tell({ kind: "failed", error });
      this.#failure = String(error);
    }
  }

  /** A reading that has begun may have missed what is asked about now: the next one serves everybody who asks meanwhile. */
  #next(pace: "now" | "settled"): Promise<ReadPolicy["outcome"]> {
    if (this.#waiting) return this.#waiting;
    if (!this.#running) return this.#begin(pace);
    this.#waiting = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.#begin(pace);
      });
    return this.#waiting;
  }

  #begin(pace: "now" | "settled"): Promise<ReadPolicy["outcome"]> {
    const run = this.#take(pace).finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async #take(pace: "now" | "settled"): Promise<ReadPolicy["outcome"]> {
    const { fingerprint, outcome } = await this.#ports.directory.read(pace);
    if ("policy" in outcome) await this.#putInForce(outcome);
    else this.#refuse(outcome.complaints);
    this.#handled = fingerprint;
    return outcome;
  }

  /** On disk first: no decision may name a policy that the ledger does not hold. */
  async #putInForce(loaded: LoadedPolicy): Promise<void> {
    const { digest } = loaded.policy;
    const changed = digest !== this.current().digest;
    if (changed || this.#recorded !== digest) {
      this.#handled = undefined;
      this.#recorded = undefined;
      const at = this.#ports.clock.now();
      await record(this.#ports, loaded, at);
      this.#recorded = digest;
      if (changed) this.#inForce = { loaded, at };
    }
    const wasRefused = this.#refusal !== undefined;
    this.#refusal = undefined;
    if (changed) this.#tell({ kind: "loaded", policy: loaded });
    else if (wasRefused) this.#tell({ kind: "mended" });
  }

  #refuse(complaints: readonly PolicyComplaint[]): void {
    const known = this.#refusal && JSON.stringify(this.#refusal.complaints) === JSON.stringify(complaints);
    if (known) return;
    this.#refusal = { at: this.#ports.clock.now(), complaints };
    this.#tell({ kind: "refused", complaints });
  }
}

function invalid(directory: string, inForce: string, complaints: readonly PolicyComplaint[]): ServiceError {
  const errors = complaints.length === 1 ? "an error" : `${complaints.length} errors`;
  return new ServiceError("POLICY_INVALID", `the rules in \`${directory}\` have ${errors} and were refused; \`${inForce}\` stays in force`, {
    violations: complaints.map(violationOf),
  });
}

const violationOf = ({ id, file, at, message }: PolicyComplaint) => ({
  field: at ? `${file}:${at.line}:${at.column}` : file,
  description: message,
  reason: id.toUpperCase().replaceAll("-", "_"),
});
