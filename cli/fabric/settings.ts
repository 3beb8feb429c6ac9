import { describeConfig } from "../../src/core/config/mod.ts";
import type { AppAddress } from "../_ask_app.ts";
import { readConfigFile } from "../_config_file.ts";
import type { Context } from "../_main.ts";
import { secretIn } from "../_secret_in.ts";
import { stateFolder } from "../_state_folder.ts";
import { type FabricConfig, SCHEMA } from "./config.ts";

/** Flags that say which node a command asks. */
export const APP_FLAGS = {
  config: "string",
  state: "string",
  "app-port": "string",
  agent: "string",
} as const;

/** How they are explained. */
export const APP_USAGE =
  `  --agent <name>     the agent of the node, if it has several
  --config <file>    fabric.toml of the node
  --state <folder>   its state, where its token is
  --app-port <n>     its port for applications (3100)`;

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

/** The schema with its defaults and texts, as TOML. */
export function configText(): string {
  return describeConfig(SCHEMA).trimEnd();
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
  flags: {
    readonly config?: string | undefined;
    readonly state?: string | undefined;
    readonly "app-port"?: string | undefined;
  },
  context: Pick<Context, "env">,
): AppAddress {
  const config = readFabricConfig(flags.config, {
    "node.state": flags.state,
    "app.port": flags["app-port"],
  });
  const { host, port, token } = config.app;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    where: `${name}:${port}`,
    secret: token
      ? secretIn(fabricState(config, context), "app.token")
      : undefined,
    hint: "betanet-fabric node runs one; --app-port says where it is.",
  };
}
