import { readConfigFile } from "../_config_file.ts";
import type { Context } from "../_main.ts";
import { stateFolder } from "../_state_folder.ts";
import {
  type DtnConfig,
  JOINED_SCHEMA,
  type JoinedDtnConfig,
  SCHEMA,
} from "./config.ts";

/**
 * Reads `--config`, if it is given, and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} As {@link readConfigFile}.
 */
export function readDtnConfig(
  path: string | undefined,
  flags: Readonly<Record<string, string | undefined>> = {},
): DtnConfig {
  return readConfigFile(SCHEMA, { path, flags });
}

/**
 * Reads the file of a node that runs with another program.
 *
 * @throws {CliError} As {@link readConfigFile}.
 */
export function readJoinedDtnConfig(path: string): JoinedDtnConfig {
  return readConfigFile(JOINED_SCHEMA, { path });
}

/** The folder of the state that is configured, or else the user's: made, mode 0700, if it is not there. */
export function dtnState(
  { node }: Pick<DtnConfig, "node">,
  context: Pick<Context, "env">,
): string {
  return stateFolder("dtn", node.state, context);
}
