import type { Message } from "./prompt.ts";

export interface ModelOptions {
  /** Up to and with `/v1`, as OpenAI's own clients take it. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly model: string;
  readonly timeoutMs: number;
}

export interface Opinion {
  readonly risk: number;
  readonly reason: string;
}

/** `NOT_JUDGED`: it answered, and not what it was asked for; asking about something else may go better. `UNREACHABLE`: it did not answer. */
export class ModelFailed extends Error {
  readonly kind: "NOT_JUDGED" | "UNREACHABLE";

  constructor(kind: ModelFailed["kind"], message: string) {
    super(message);
    this.name = "ModelFailed";
    this.kind = kind;
  }
}

/** Asks a chat-completions endpoint once. @throws {ModelFailed} */
export async function askModel(options: ModelOptions, messages: readonly Message[], given: AbortSignal): Promise<Opinion> {
  const { baseUrl, apiKey, model, timeoutMs } = options;
  let text: string;
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/chat/completions`, {
      method: "POST",
      redirect: "error",
      headers: { "content-type": "application/json", ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
      body: JSON.stringify({ model, messages, temperature: 0, response_format: { type: "json_object" } }),
      signal: AbortSignal.any([given, AbortSignal.timeout(timeoutMs)]),
    });
    // What it cannot read, such as a question that is too long, it refuses for good; all else may pass.
    if (response.status === 400 || response.status === 413 || response.status === 422) {
      await response.body?.cancel();
      throw new ModelFailed("NOT_JUDGED", `the endpoint answered ${response.status}`);
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new ModelFailed("UNREACHABLE", `the endpoint answered ${response.status}`);
    }
    text = await readBounded(response);
  } catch (error) {
    if (error instanceof ModelFailed) throw error;
    throw new ModelFailed("UNREACHABLE", error instanceof Error ? `the endpoint did not answer: ${error.name}` : "the endpoint did not answer");
  }
  const opinion = opinionIn(text);
  if (!opinion) throw new ModelFailed("NOT_JUDGED", "the model did not answer with a risk and a reason");
  return opinion;
}

const ANSWER_BYTES_MAX = 64 * 1_024;

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop ends the answer.
    if (bytes > ANSWER_BYTES_MAX) throw new ModelFailed("NOT_JUDGED", "the endpoint answered more than anybody reads");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Strictly: one object with these two keys and no other, and nothing around it. */
export function opinionIn(text: string): Opinion | undefined {
  const completion = parsed(text);
  const choices = isRecord(completion) ? completion["choices"] : undefined;
  const [choice] = Array.isArray(choices) ? choices : [];
  const message: unknown = isRecord(choice) ? choice["message"] : undefined;
  const content = isRecord(message) ? message["content"] : undefined;
  const opinion = typeof content === "string" ? parsed(content) : undefined;
  if (!isRecord(opinion) || Object.keys(opinion).sort().join() !== "reason,risk") return undefined;
  const { risk, reason } = opinion;
  if (typeof risk !== "number" || !Number.isInteger(risk) || risk < 0 || risk > 100 || typeof reason !== "string") return undefined;
  return { risk, reason };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
