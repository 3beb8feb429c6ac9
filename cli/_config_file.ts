import {
  ConfigError,
  type ConfigOf,
  describeConfig,
  type Option,
  parseConfig,
} from "../src/core/config/mod.ts";
import { readTextFile } from "../src/core/storage/mod.ts";
import { CliError } from "./_error.ts";
import type { Context } from "./_main.ts";

/** Where a configuration comes from. */
export interface ConfigSource {
  /** The file; without it only flags count. */
  readonly path: string | undefined;
  /** Flags over it, by dotted key; those that are `undefined` were not given. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** What to do where the file cannot be read. */
  readonly hint?: string;
}

/**
 * Reads a program's configuration.
 *
 * @throws {CliError} `usage` naming file and line, or `flags`, and key of everything that is wrong; `failed` if the file cannot be read.
 */
export function readConfigFile<S extends Option<unknown>>(
  schema: S,
  { path, flags = {}, hint }: ConfigSource,
): ConfigOf<S> {
  const overrides = Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  const text = path === undefined ? "" : textIn(path, hint);
  try {
    return parseConfig(text, schema, { source: path ?? "flags", overrides });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(
      "usage",
      error.message.replace(/^override:/gm, "flags:"),
    );
  }
}

/** What `--print-config` prints: the schema with its defaults and texts, as TOML. */
export function printConfig(
  schema: Option<unknown>,
  { print }: Pick<Context, "print">,
): void {
  const text = describeConfig(schema).trimEnd();
  print(text, text);
}

/** A list flag as an override: absent if it was not given. */
export function listed(values: readonly string[]): string | undefined {
  return values.length > 0 ? values.join(",") : undefined;
}

function textIn(path: string, hint: string | undefined): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    throw new CliError("failed", `Cannot read ${path}`, {
      cause,
      ...hint !== undefined && { hint },
    });
  }
}
