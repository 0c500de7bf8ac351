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
  readonly pattern: Pattern;
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
  const whole = boundTo(input, request.action.arguments);
  const { fixed, ...pattern } = patternOf(request.action.arguments, { tool, masked: subject.request.action.arguments });
  return {
    digest: sha256(canonical(whole)),
    pattern: { digest: sha256(canonical(boundTo(input, fixed))), ...pattern },
  };
}

const sha256 = (text: string): string => `sha256:${hash("sha256", text)}`;

function boundTo({ request, subject, tool }: BindingInput, args: JsonObject): JsonObject {
  const { requestId: _, approvalId: __, waitMs: ___, credentialed: ____, ...content } = request;
  const { task } = subject;
  return {
    request: { ...plain(content), action: { ...plain(content.action), arguments: args } },
    resolved: {
      tenant: subject.tenant,
      caller: subject.caller,
      chain: plain(subject.request.delegation ?? []),
      task: task.id ?? null,
      statement: task.statement ?? null,
      principal: task.registered ? `${task.registered.principal.type}:${task.registered.principal.id}` : null,
      toolDefinition: tool?.definitionDigest ?? null,
      roles: Object.fromEntries(tool?.roles ?? []),
    },
  };
}

/** What is absent is left out, and so is other than what is null. */
const plain = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

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

/** Whether a request is like the one that was shown, apart from its identifiers: nothing is more than it was. */
export const isWithinAmounts = (shown: Pattern, asked: Pattern): boolean =>
  Object.entries(asked.amounts).every(([name, amount]) => amount <= (shown.amounts[name] ?? -1));
