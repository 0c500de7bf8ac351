import { type ErrorCode, ServiceError } from "../../core/errors.ts";

/** The answer for each of our own errors, and for what only HTTP knows. */
const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  CALLER_UNAUTHENTICATED: 401,
  CALLER_FORBIDDEN: 403,
  OVERLOADED: 503,
  LEDGER_UNAVAILABLE: 503,
};

/** An answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const errorAnswer = (status: number, error: { readonly code: string; readonly message: string }, headers = {}): HttpAnswer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: `${JSON.stringify({ error })}\n`,
});

/** What we did not throw ourselves says nothing of itself. */
export function answerOf(error: unknown): HttpAnswer {
  const status = error instanceof ServiceError ? STATUS_BY_CODE[error.code] : undefined;
  if (!(error instanceof ServiceError) || status === undefined) {
    return errorAnswer(500, { code: "INTERNAL", message: "something went wrong inside; the server's log says what" });
  }
  const { code, message } = error;
  return errorAnswer(status, { code, message }, status === 401 ? { "www-authenticate": "Bearer" } : {});
}
