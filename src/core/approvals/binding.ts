import { hash } from "node:crypto";
import type { Tool } from "../policy.ts";
import type { Canonical } from "../ports.ts";
import type { DecisionRequest } from "../request.ts";
import type { Subject } from "../situation.ts";
import type { Json, JsonObject } from "../words.ts";
import type { Pattern } from "./approval.ts";
import { identifiersOf } from "./texts.ts";

/** What an approval is bound to. */
export interface Binding {
  readonly digest: string;
  /** Made where it is asked for. */
  readonly pattern: () => Pattern;
}

export interface BindingInput {
  readonly canonical: Canonical;
  /** As it came: nothing masked. */
  readonly request: DecisionRequest;
  readonly subject: Subject;
  readonly tool: Tool | undefined;
}

/**
 * SHA-256 of the RFC 8785 form of the whole request and of what Behest made of it. Left out of the request are only what names the attempt and what
 * it waits for, and credentials, which never reach the core.
 */
export function bindingOf(input: BindingInput): Binding {
  const { canonical, request, subject, tool } = input;
  return {
    digest: sha256(canonical(boundTo(input, request.action.arguments))),
    pattern() {
      const { fixed, ...pattern } = patternOf(request.action.arguments, { tool, masked: subject.request.action.arguments });
      return { digest: sha256(canonical(boundTo(input, fixed))), ...pattern };
    },
  };
}

const sha256 = (text: string): string => `sha256:${hash("sha256", text)}`;

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

/**
 * Every argument stays as it is but two kinds: a number that is an amount may be less, and free text may be another. What is kept of either is taken
 * from the masked arguments: the ledger holds it in clear.
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
      fixed[name] = { varies: role };
    } else if (role === "free_text") {
      varies.push(name);
      identifiers.push(...identifiersOf(value));
      fixed[name] = { varies: role };
    }
  }
  return { fixed, amounts, varies, identifiers: [...new Set(identifiers)].sort() };
}

/** Nothing is more than it was, and what was an amount is one: something else may look like the mark that stands for it. */
export function isWithinAmounts(shown: Pattern, asked: Pattern): boolean {
  const names = Object.keys(shown.amounts);
  if (names.length !== Object.keys(asked.amounts).length) return false;
  return names.every((name) => (asked.amounts[name] ?? Number.POSITIVE_INFINITY) <= (shown.amounts[name] ?? 0));
}
