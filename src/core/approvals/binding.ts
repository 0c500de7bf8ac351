import { hash } from "node:crypto";
import { identifiersAsWrittenIn } from "../intent/identifiers.ts";
import type { KeyedDigest } from "../masking.ts";
import type { Tool } from "../policy.ts";
import type { Canonical } from "../ports.ts";
import type { DecisionRequest } from "../request.ts";
import type { Subject } from "../situation.ts";
import type { Json, JsonObject } from "../words.ts";
import type { Pattern } from "./approval.ts";

/** What an approval is bound to. */
export interface Binding {
  readonly digest: string;
  /** Made where it is first asked for. */
  readonly pattern: () => Pattern;
}

export interface BindingInput {
  readonly canonical: Canonical;
  readonly keyedDigest: KeyedDigest;
  /** As it came: nothing masked. */
  readonly request: DecisionRequest;
  readonly subject: Subject;
  readonly tool: Tool | undefined;
}

/**
 * SHA-256 of the RFC 8785 form of the whole request and of what Behest made of it. Left out of the request are only what names the attempt and what
 * it waits for, and credentials, which never reach the core. Where the request holds a secret it is the keyed digest of that: the rest of the request lies in
 * the ledger, and a plain one would give a short secret away.
 */
export function bindingOf(input: BindingInput): Binding {
  const { request, subject, tool } = input;
  const made = (): Pattern => {
    const { fixed, ...pattern } = patternOf(request.action.arguments, { tool, masked: subject.request.action.arguments });
    const { amounts, varies } = pattern;
    // What varies is named beside the arguments: nothing that stands among them can look like it.
    const bound = { ...boundTo(input, fixed), amounts: Object.keys(amounts), varies };
    return { digest: digestOf(input, bound), ...pattern };
  };
  let pattern: Pattern | undefined;
  return {
    digest: digestOf(input, boundTo(input, request.action.arguments)),
    pattern: () => {
      pattern ??= made();
      return pattern;
    },
  };
}

function digestOf({ canonical, keyedDigest, subject }: BindingInput, bound: object): string {
  const digest = `sha256:${hash("sha256", canonical(bound))}`;
  return subject.masked > 0 ? keyedDigest(digest) : digest;
}

function boundTo({ request, subject, tool }: BindingInput, args: JsonObject): object {
  const { requestId: _, approvalId: __, waitMs: ___, credentialed: ____, ...content } = request;
  const { task } = subject;
  return {
    request: { ...content, action: { ...content.action, arguments: args } },
    resolved: {
      tenant: subject.tenant,
      caller: subject.caller,
      chain: subject.request.delegation ?? [],
      task: task.id ?? null,
      statement: task.statement ?? null,
      principal: task.registered ? `${task.registered.principal.type}:${task.registered.principal.id}` : null,
      toolDefinition: tool?.definitionDigest ?? null,
      roles: Object.fromEntries(tool?.roles ?? []),
    },
  };
}

interface Masking {
  readonly tool: Tool | undefined;
  readonly masked: JsonObject;
}

/** No message to people is longer, and to find what a longer one names would hold decisions up. */
const FREE_TEXT_MAX = 10_000;

/**
 * Every argument stays as it is but two kinds: a number that is an amount may be less, and a free text may be another text. What is kept of either is
 * taken from the masked arguments: the ledger holds it in clear.
 */
function patternOf(args: JsonObject, { tool, masked }: Masking): Omit<Pattern, "digest"> & { readonly fixed: JsonObject } {
  const fixed: Record<string, Json> = { ...args };
  const amounts: Record<string, number> = {};
  const varies: string[] = [];
  const identifiers: string[] = [];
  for (const [name, role] of tool?.roles ?? []) {
    const value = masked[name];
    if (value === undefined) continue;
    if (role === "amount" && typeof value === "number" && value >= 0) {
      amounts[name] = value;
      delete fixed[name];
    } else if (role === "free_text" && typeof value === "string" && value.length <= FREE_TEXT_MAX) {
      varies.push(name);
      identifiers.push(...identifiersAsWrittenIn(value));
      delete fixed[name];
    }
  }
  return { fixed, amounts, varies, identifiers: [...new Set(identifiers)].sort() };
}

/** Nothing is more than it was. */
export const isWithinAmounts = (shown: Pattern, asked: Pattern): boolean =>
  Object.entries(asked.amounts).every(([name, amount]) => amount <= (shown.amounts[name] ?? -1));
