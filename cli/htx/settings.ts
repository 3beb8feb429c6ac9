import { parseAddress } from "../../src/core/transport/mod.ts";
import { readConfigFile } from "../_config_file.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { stateFolder } from "../_state_folder.ts";
import { type HtxConfig, SCHEMA } from "./config.ts";

/** How a person starts `betanet-htx`, for the commands we print. */
export const PROGRAM = import.meta.url.endsWith(".ts")
  ? "deno task htx"
  : "betanet-htx";

/**
 * Reads `--config` and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} As {@link readConfigFile}.
 */
export function readConfig(
  path: string | undefined,
  flags: Readonly<Record<string, string | undefined>>,
): HtxConfig {
  return readConfigFile(SCHEMA, { path, flags });
}

/** The directory of a role's state, made (mode 0700) if it is not there. */
export function stateDirectory(
  configured: string | undefined,
  context: Pick<Context, "env">,
): string {
  return stateFolder("htx", configured, context);
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
