import { ServiceError } from "./errors.ts";
import type { Policy } from "./policy.ts";
import type { Clock, Ledger, LoadedPolicy, NewId, PolicyComplaint, PolicyDirectory, PolicySource, ReadPolicy } from "./ports.ts";
import { RECORD_VERSION } from "./record.ts";
import { type Instant, instant } from "./words.ts";

export interface PolicyKeeper extends PolicySource {
  readonly status: PolicyStatus;
  /**
   * Reads the directory, from after this call on, and puts what it holds in force. What is refused, also because it does not fit on the
   * disk, leaves the last good policy in force.
   * @throws {ServiceError} POLICY_INVALID, or LEDGER_UNAVAILABLE when it could not be recorded
   */
  reload(): Promise<Reloaded>;
  /** Does the same if the directory has changed, once it has settled; what goes wrong is told, and tried again with a later check. */
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
  /** It could not be recorded, or could not be looked for; a later check tries again. Told once, however often it is the same. */
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

/** A policy may be large, and each attempt reads, compiles and writes all of it: attempts become rarer, up to one in so long. */
const RETRY_AFTER_MS = 2_000;
const RETRY_AFTER_MS_MAX = 60_000;

/** What a directory held that could not be recorded. */
interface Unrecorded {
  readonly fingerprint: string | undefined;
  readonly waitMs: number;
  /** From here on a check tries again. */
  readonly again: Instant;
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
  #unrecorded: Unrecorded | undefined;
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
    const outcome = await this.#next();
    if ("policy" in outcome) return { digest: outcome.policy.digest, changed: outcome.policy.digest !== before, warnings: outcome.warnings };
    throw invalid(this.#ports.directory.path, before, outcome.complaints);
  }

  async check(): Promise<void> {
    // Whoever began what is under way is told how it ends.
    await (this.#waiting ?? this.#running)?.catch(() => undefined);
    try {
      const { directory } = this.#ports;
      if (this.#isDone(await directory.fingerprint())) return;
      // Whoever asks meanwhile does not wait for that.
      if (this.#isDone(await directory.settle())) return;
      await this.#next();
      this.#failure = "";
    } catch (error) {
      if (String(error) !== this.#failure) this.#tell({ kind: "failed", error });
      this.#failure = String(error);
    }
  }

  /** Whether there is nothing to do at present about what the directory holds. */
  #isDone(fingerprint: string): boolean {
    if (fingerprint === this.#handled) return true;
    return fingerprint === this.#unrecorded?.fingerprint && this.#ports.clock.now() < this.#unrecorded.again;
  }

  /** A reading that has begun may have missed what is asked about now: the next one serves everybody who asks meanwhile. */
  #next(): Promise<ReadPolicy["outcome"]> {
    if (this.#waiting) return this.#waiting;
    if (!this.#running) return this.#begin();
    this.#waiting = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.#begin();
      });
    return this.#waiting;
  }

  #begin(): Promise<ReadPolicy["outcome"]> {
    const run = this.#take().finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async #take(): Promise<ReadPolicy["outcome"]> {
    const { fingerprint, outcome } = await this.#ports.directory.read();
    if (!("policy" in outcome)) {
      this.#refuse(outcome.complaints);
    } else {
      try {
        await this.#putInForce(outcome);
      } catch (error) {
        this.#tryLater(fingerprint);
        if (!isDiskFull(error)) throw error;
        const complaints = [doesNotFit(this.#ports.directory.path, error)];
        this.#refuse(complaints);
        return { complaints };
      }
    }
    this.#handled = fingerprint;
    this.#unrecorded = undefined;
    return outcome;
  }

  #tryLater(fingerprint: string | undefined): void {
    const before = this.#unrecorded;
    const waitMs = before?.fingerprint === fingerprint ? Math.min(2 * (before?.waitMs ?? RETRY_AFTER_MS), RETRY_AFTER_MS_MAX) : RETRY_AFTER_MS;
    this.#handled = undefined;
    this.#unrecorded = { fingerprint, waitMs, again: instant(this.#ports.clock.now() + waitMs) };
  }

  /** On disk first: no decision may name a policy that the ledger does not hold. */
  async #putInForce(loaded: LoadedPolicy): Promise<void> {
    const { digest } = loaded.policy;
    const changed = digest !== this.current().digest;
    if (changed || this.#recorded !== digest) {
      const recorded = this.#recorded;
      this.#recorded = undefined;
      const at = this.#ports.clock.now();
      await record(this.#ports, loaded, at).catch((error: unknown) => {
        if (isDiskFull(error)) this.#recorded = recorded;
        throw error;
      });
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

const isDiskFull = (error: unknown): error is ServiceError => error instanceof ServiceError && error.code === "DISK_FULL";

const doesNotFit = (file: string, { message }: ServiceError): PolicyComplaint => ({ id: "does-not-fit", severity: "error", file, message });

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
