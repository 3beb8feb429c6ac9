import {
  ConfigError,
  describeConfig,
  parseConfig,
} from "../../src/core/config/mod.ts";
import {
  readSecretFile,
  readTextFile,
  StorageError,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { type DtnConfig, SCHEMA } from "./config.ts";

/**
 * Reads `--config`, if it is given, and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} `usage` naming file, line and key of everything that is wrong; `failed` if the file cannot be read.
 */
export function readDtnConfig(
  path: string | undefined,
  flags: Readonly<Record<string, string | undefined>> = {},
): DtnConfig {
  const overrides = Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  try {
    const text = path === undefined ? "" : readTextFile(path);
    return parseConfig(text, SCHEMA, { source: path ?? "flags", overrides });
  } catch (cause) {
    if (cause instanceof ConfigError) {
      throw new CliError(
        "usage",
        cause.message.replace(/^override:/gm, "flags:"),
      );
    }
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}

/** The schema with its defaults and texts, as TOML. */
export function configText(): string {
  return describeConfig(SCHEMA).trimEnd();
}

/** The folder of the state that is configured, or else the user's: made, mode 0700, if it is not there. */
export function stateFolder(
  { node: { state } }: DtnConfig,
  { env }: Pick<Context, "env">,
): string {
  const xdg = env("XDG_STATE_HOME");
  const home = env("HOME");
  const path = state ??
    (xdg !== undefined
      ? `${xdg}/betanet/dtn`
      : home !== undefined
      ? `${home}/.local/state/betanet/dtn`
      : undefined);
  if (path === undefined) {
    throw new CliError("usage", "No place for bundles: HOME is not set", {
      hint: "Name a folder as node.state.",
    });
  }
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CliError("failed", `Cannot make the folder ${path}`, { cause });
  }
  return path;
}

/** The secret in the file `name` of `folder`, mode 0600; `make` makes it if it is not there. */
export function secretIn(
  folder: string,
  name: string,
  make?: () => string,
): string {
  const path = `${folder}/${name}`;
  try {
    return readSecretFile(path).trim();
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    if (cause.code !== "absent" || !make) {
      throw new CliError("failed", `Cannot read ${path}`, { cause });
    }
  }
  const made = make();
  writeSecretFile(path, `${made}\n`);
  return made;
}
