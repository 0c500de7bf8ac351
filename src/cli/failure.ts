import { status as Code } from "@grpc/grpc-js";
import { CommanderError } from "commander";
import { CallFailed } from "../client/client.ts";
import { RequestUnreadable } from "../client/request-json.ts";
import { ConfigInvalid } from "../config.ts";
import { StartRefused } from "../data-directory.ts";
import { formatComplaint, PolicyInvalid } from "../policy/complaints.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTyped } from "./hint.ts";
import { screenColumns } from "./output.ts";
import { mistakesOf } from "./request-mistakes.ts";

function rulesInvalid({ complaints, message }: PolicyInvalid): string {
  const columns = screenColumns(process.stderr);
  return `${complaints.map((one) => formatComplaint(one, columns && columns - 2)).join("\n\n")}\n\n${message}`;
}

/** Where rules that are invalid keep a command from its work, this says so; anything else that went wrong is left as it is. */
export const withConsequence = (error: unknown, consequence: string): unknown =>
  error instanceof PolicyInvalid ? new CommandFailed(EXIT.rulesInvalid, `${rulesInvalid(error)}; ${consequence}`, { cause: error }) : error;

interface Failure {
  readonly exitCode: number;
  readonly message: string;
}

/** What to print and how to exit for whatever went wrong. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandFailed) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof ConfigInvalid) return { exitCode: EXIT.usage, message: error.message };
  if (error instanceof RequestUnreadable) return { exitCode: EXIT.usage, message: mistakesOf(error) };
  if (error instanceof PolicyInvalid) return { exitCode: EXIT.rulesInvalid, message: rulesInvalid(error) };
  if (error instanceof StartRefused) return { exitCode: EXIT.internal, message: error.message };
  if (error instanceof CallFailed) return callFailure(error);
  // commander has printed its own complaint.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage, message: "" };
  return { exitCode: EXIT.internal, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function callFailure({ code, message, status }: CallFailed): Failure {
  switch (code) {
    case Code.UNAVAILABLE:
      // A server that answers says so in its details; without them nobody answered.
      if (status) return { exitCode: EXIT.unreachable, message };
      return {
        exitCode: EXIT.unreachable,
        message: `no server answers (${/E[A-Z]{4,}[^\n]*?(?=\.?\s*Resolution|$)/.exec(message)?.[0] ?? message}); start one with \`${asTyped("serve")}\`, or name another with --grpc`,
      };
    case Code.DEADLINE_EXCEEDED:
      return { exitCode: EXIT.unreachable, message: `the server did not answer in time (${message})` };
    case Code.UNAUTHENTICATED:
    case Code.PERMISSION_DENIED:
      return { exitCode: EXIT.unauthenticated, message };
    case Code.INVALID_ARGUMENT:
    case Code.NOT_FOUND:
    case Code.ALREADY_EXISTS:
    case Code.FAILED_PRECONDITION:
    case Code.RESOURCE_EXHAUSTED:
      return { exitCode: EXIT.usage, message };
    default:
      return { exitCode: EXIT.internal, message };
  }
}
