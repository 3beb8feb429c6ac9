import {
  APP_FLAGS as NODE_FLAGS,
  appAddress,
  type AppFlagValues,
  appOverrides,
  appUsage,
} from "../_app_section.ts";
import type { AppAddress } from "../_ask_app.ts";
import { readConfigFile } from "../_config_file.ts";
import type { Context } from "../_main.ts";
import { stateFolder } from "../_state_folder.ts";
import { APP_PORT, type FabricConfig, SCHEMA } from "./config.ts";

/** Flags that say which node a command asks, and which agent on it. */
export const APP_FLAGS = { ...NODE_FLAGS, agent: "string" } as const;

/** How they are explained. */
export const APP_USAGE =
  `  --agent <name>     the agent of the node, if it has several
${appUsage("fabric.toml", APP_PORT)}`;

/**
 * Reads `--config`, if it is given, and puts the flags that were given over it, by dotted key.
 *
 * @throws {CliError} As {@link readConfigFile}.
 */
export function readFabricConfig(
  path: string | undefined,
  flags: Readonly<Record<string, string | undefined>> = {},
): FabricConfig {
  return readConfigFile(SCHEMA, { path, flags });
}

/** The folder of the state that is configured, or else the user's: made, mode 0700, if it is not there. */
export function fabricState(
  { node }: Pick<FabricConfig, "node">,
  context: Pick<Context, "env">,
): string {
  return stateFolder("fabric", node.state, context);
}

/** Where applications reach the node that `flags` say, and the token that they must bring. */
export function appOf(
  flags: AppFlagValues,
  context: Pick<Context, "env">,
): AppAddress {
  const config = readFabricConfig(flags.config, appOverrides(flags));
  return appAddress(
    "betanet-fabric",
    config.app,
    () => fabricState(config, context),
  );
}
