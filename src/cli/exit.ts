/** Exit codes of every command (design.md §8). */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  rulesInvalid: 3,
  testsFailed: 4,
  belowThreshold: 5,
  unreachable: 6,
  unauthenticated: 7,
  deny: 20,
  approvalRequired: 21,
} as const;

/** A failure that says what to do and how to exit. */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandFailed";
    this.exitCode = exitCode;
  }
}
