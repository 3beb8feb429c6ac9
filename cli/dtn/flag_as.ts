import { CliError } from "../_error.ts";

/**
 * What `parse` makes of the text of `--flag`.
 *
 * @throws {CliError} `usage` with what `parse` says, if it throws.
 */
export function flagAs<T>(
  flag: string,
  text: string,
  parse: (text: string) => T,
): T {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new CliError("usage", `--${flag}: ${cause.message}: got ${text}`);
  }
}

/** Reads a number in `min` … `max`. */
export function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new RangeError(`Want a number from ${min} to ${max}`);
  };
}
