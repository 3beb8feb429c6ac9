/** Types of `@std/cli/parse-args`, which the import map takes from a plain-JavaScript republication of Deno's standard library. */

/** How {@link parseArgs} reads each flag. */
export interface ParseOptions {
  /** Flags without a value. */
  readonly boolean?: readonly string[];
  /** Flags with a value; `_` keeps operands as text. */
  readonly string?: readonly string[];
  /** Flags that may be repeated; their values come as an array. */
  readonly collect?: readonly string[];
  /** Other names of a flag. */
  readonly alias?: Readonly<Record<string, readonly string[]>>;
  /** Called for flags of no list, and with `key` absent for operands; `false` leaves the argument out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Flags by name, and the operands in `_`. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions,
): { [flag: string]: unknown; _: string[] };
