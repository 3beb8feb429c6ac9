import {
  ConfigError,
  describeConfig,
  parseConfig,
} from "../../src/core/config/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import { parseAddress } from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { type HtxConfig, SCHEMA } from "./config.ts";

/** How a person starts `betanet-htx`, for the commands we print. */
export const PROGRAM = import.meta.url.endsWith(".ts")
  ? "deno task htx"
  : "betanet-htx";

/**
 * Reads `--config` and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} `usage` naming file and line, or `flags`, and key of everything that is wrong.
 */
export function readConfig(
  path: string | undefined,
  flags: Readonly<Record<string, string | undefined>>,
): HtxConfig {
  const overrides = Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  const text = path === undefined ? "" : readTextFile(path);
  try {
    return parseConfig(text, SCHEMA, { source: path ?? "flags", overrides });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(
      "usage",
      error.message.replace(/^override:/gm, "flags:"),
    );
  }
}

/** What `--print-config` prints. */
export function printConfig({ print }: Context): void {
  const text = describeConfig(SCHEMA);
  print(text, text.trimEnd());
}

/** A list flag as an override: absent if it was not given. */
export function listed(values: readonly string[]): string | undefined {
  return values.length > 0 ? values.join(",") : undefined;
}

/** The directory of a role's state, made (mode 0700) if it is not there. */
export function stateDirectory(
  configured: string | undefined,
  { env }: Context,
): string {
  const path = configured ?? defaultState(env);
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CliError("failed", `Cannot make the folder ${path}`, { cause });
  }
  return path;
}

function defaultState(env: Context["env"]): string {
  const xdg = env("XDG_STATE_HOME");
  const home = env("HOME");
  if (xdg !== undefined) return `${xdg}/betanet/htx`;
  if (home !== undefined) return `${home}/.local/state/betanet/htx`;
  throw new CliError("usage", "No place for keys: HOME is not set", {
    hint: "Give --state a directory.",
  });
}

/** `host:port`, `[v6]:port` as an address. */
export function tcpAddress(text: string, what: string): string {
  try {
    parseAddress(`tcp://${text}`);
    return `tcp://${text}`;
  } catch {
    throw new CliError("usage", `${what} wants host:port, got "${text}"`);
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
