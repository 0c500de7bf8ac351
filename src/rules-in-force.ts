import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { keepPolicy, type PolicyChange, type PolicyKeeper } from "./core/policy-keeper.ts";
import type { Clock, Ledger, NewId, PolicyComplaint } from "./core/ports.ts";
import type { Slicing } from "./core/steps.ts";
import { StartRefused } from "./data-directory.ts";
import type { AllHandlerPorts } from "./endpoints/grpc/handlers.ts";
import { formatComplaint, PolicyInvalid } from "./policy/complaints.ts";
import { type KeptPolicy, openRulesDirectory, type ReadDirectory, type RulesDirectory } from "./policy/directory.ts";
import { compileStored, validatePolicy } from "./policy/validate.ts";
import { watchRules } from "./policy/watch.ts";

/** How long a decision is held up at once by the compiling of rules. */
const SLICING: Slicing = { now: () => performance.now(), sliceMs: 2 };

export interface FirstRules {
  readonly directory: RulesDirectory;
  readonly read: ReadDirectory & { readonly outcome: KeptPolicy };
}

/** Reads the rules for the first time: without good ones nothing starts. @throws {PolicyInvalid} */
export async function readFirstRules(path: string, log: Logger): Promise<FirstRules> {
  const directory = openRulesDirectory(path, SLICING);
  const { fingerprint, outcome } = await directory.read();
  if (!("policy" in outcome)) throw new PolicyInvalid(outcome.complaints);
  for (const warning of outcome.warnings) log.warn(formatComplaint(warning));
  return { directory, read: { fingerprint, outcome } };
}

export interface KeepingPorts {
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** Puts the first rules in force. @throws {StartRefused} */
export async function keepRules({ directory, read }: FirstRules, { log, ...ports }: KeepingPorts): Promise<PolicyKeeper> {
  try {
    const policies = await keepPolicy({ directory, ...ports }, read);
    policies.onChange((status, change) => logChange(log, status.inForce.policy.digest, change));
    return policies;
  } catch (error) {
    throw new StartRefused(`the policy cannot be recorded: ${error instanceof Error ? causeOf(error) : String(error)}`, { cause: error });
  }
}

const causeOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message);

/** Follows the directory, unless rules are reloaded only when asked. */
export function followRules({ rules, rules_poll_ms: pollMs }: Config, policies: PolicyKeeper, log: Logger): { close(): void } {
  if (pollMs === 0) return { close: () => undefined };
  return watchRules({
    directory: rules,
    pollMs,
    look: () => policies.check(),
    onUnwatchable: (error) => log.warn({ err: error }, `changes of the rules cannot be watched for; they are looked for every ${pollMs} ms`),
  });
}

/** Reloads, and leaves what comes of it to the log. */
export async function reloadRules(policies: PolicyKeeper, log: Logger): Promise<void> {
  try {
    const { digest, changed } = await policies.reload();
    log.info({ policyDigest: digest, changed }, changed ? "reloaded the rules as asked" : "the rules are those in force already");
  } catch (error) {
    log.error(error instanceof Error ? error.message : String(error));
  }
}

function logChange(log: Logger, policyDigest: string, change: PolicyChange): void {
  switch (change.kind) {
    case "loaded":
      for (const warning of change.policy.warnings) log.warn(formatComplaint(warning));
      log.info({ policyDigest, rules: change.policy.policy.rules.length }, "another policy is in force");
      break;
    case "refused":
      log.error({ policyDigest, complaints: change.complaints.length }, refusalText(change.complaints));
      break;
    case "mended":
      log.info({ policyDigest }, "the rules directory holds the policy in force again");
      break;
    case "failed":
      log.error({ policyDigest, err: change.error }, "the rules could not be reloaded; this is tried again");
      break;
  }
}

const COMPLAINTS_LOGGED_MAX = 20;

function refusalText(complaints: readonly PolicyComplaint[]): string {
  const told = complaints.slice(0, COMPLAINTS_LOGGED_MAX).map((one) => formatComplaint(one));
  if (complaints.length > told.length) told.push(`and ${complaints.length - told.length} more: see \`behest rules status\``);
  return `the rules were refused, and the last good ones stay in force:\n${told.join("\n")}`;
}

type PolicyReaders = Pick<AllHandlerPorts, "findPolicy" | "validatePolicy">;

/** What PolicyService asks of policies that are not in force. */
export const policyReaders = (ledger: Ledger): PolicyReaders => ({
  async findPolicy(digest) {
    const kept = await ledger.policy(digest);
    const policy = kept && (await compileStored(kept.files, SLICING));
    return kept && { kept, ...(policy?.digest === digest && { policy }) };
  },
  validatePolicy: (files) => validatePolicy(files, SLICING),
});
