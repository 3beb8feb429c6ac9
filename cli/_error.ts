/** Whose mistake ended a command: `usage` exits with 2, `failed` with 1. */
export type CliErrorCode =
  | "usage" // the arguments make no command
  | "failed"; // the command could not do its work

/** An error whose message, and hint if any, are written for the person at the terminal. */
export class CliError extends Error {
  /** `"CliError"`. */
  override readonly name = "CliError";
  /** Whose mistake it was. */
  readonly code: CliErrorCode;
  /** What to do about it. */
  readonly hint: string | undefined;

  /** Says what went wrong and, in `hint`, what to do about it. */
  constructor(
    code: CliErrorCode,
    message: string,
    options: ErrorOptions & { readonly hint?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}
