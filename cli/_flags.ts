// @ts-types="./parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { CliError } from "./_error.ts";

/** Flags by name: `boolean` takes no value, `string` one, `strings` may be repeated. */
export type FlagTypes = Readonly<
  Record<string, "boolean" | "string" | "strings">
>;

/** What a command gets for its flags. */
export type FlagValues<F extends FlagTypes> = {
  readonly [K in keyof F]: F[K] extends "boolean" ? boolean
    : F[K] extends "strings" ? readonly string[]
    : string | undefined;
};

/** What a command line says. */
export interface ParsedArgs<F extends FlagTypes> {
  /** A value for every flag. */
  readonly flags: FlagValues<F>;
  /** The arguments that are not flags, and all behind `--`. */
  readonly operands: readonly string[];
}

/**
 * Reads `args` by the table of `types`; `aliases` maps a letter to a flag. Of a repeated `string` the last counts.
 *
 * @throws {CliError} `usage` for an unknown flag, a missing value or a value too many.
 */
export function parseFlags<F extends FlagTypes>(
  args: readonly string[],
  types: F,
  aliases: Readonly<Record<string, keyof F & string>> = {},
): ParsedArgs<F> {
  const names = Object.keys(types);
  const { _: operands, ...values } = parseArgs(args, {
    boolean: names.filter((name) => types[name] === "boolean"),
    string: [...names.filter((name) => types[name] !== "boolean"), "_"],
    collect: names.filter((name) => types[name] === "strings"),
    alias: Object.groupBy(
      Object.keys(aliases),
      (letter) => aliases[letter]!,
    ) as Record<string, string[]>,
    unknown: (arg, key) => {
      if (key !== undefined) refuseUnknown(arg, names);
    },
  });
  refuseBooleanValues(args, types);
  for (const name of names) refuseEmpty(name, values[name]);
  return { flags: values as FlagValues<F>, operands };
}

/**
 * `value` of `flag` as one of `allowed`.
 *
 * @throws {CliError} `usage` if it is none of them.
 */
export function oneOf<T extends string>(
  flag: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new CliError("usage", `Flag --${flag} wants ${allowed.join(", ")}`, {
    hint: suggest(value, allowed),
  });
}

/** `Did you mean X?` for the nearest of `candidates`, or `undefined` if none is near. */
export function suggest(
  word: string,
  candidates: readonly string[],
): string | undefined {
  const [best] = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(word, candidate),
    }))
    .filter(({ candidate, distance }) =>
      distance <= 2 && distance < candidate.length
    )
    .sort((a, b) => a.distance - b.distance);
  return best && `Did you mean ${best.candidate}?`;
}

function refuseUnknown(arg: string, names: readonly string[]): never {
  const flag = arg.split("=", 1)[0]!;
  throw new CliError("usage", `Unknown flag ${flag}`, {
    hint: suggest(flag, names.map((name) => `--${name}`)),
  });
}

function refuseBooleanValues(args: readonly string[], types: FlagTypes): void {
  for (const arg of args) {
    if (arg === "--") return;
    const name = arg.match(/^--([^=]+)=/)?.[1];
    if (name !== undefined && types[name] === "boolean") {
      throw new CliError("usage", `Flag --${name} takes no value`);
    }
  }
}

function refuseEmpty(name: string, value: unknown): void {
  if (value === "" || Array.isArray(value) && value.includes("")) {
    throw new CliError("usage", `Flag --${name} wants a value`, {
      hint: `A value that starts with a dash is written --${name}=-value.`,
    });
  }
}

/** Levenshtein distance; arguments longer than 40 characters count as far from everything. */
function editDistance(a: string, b: string): number {
  if (a.length > 40 || b.length > 40) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
