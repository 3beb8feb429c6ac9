import type { DtnConfig } from "./config.ts";
import { readDtnConfig } from "./settings.ts";

/** Flags that say which node a command asks. */
export const APP_FLAGS = {
  config: "string",
  state: "string",
  "app-port": "string",
} as const;

/** How they are explained. */
export const APP_USAGE = `  --config <file>    dtn.toml of the node
  --state <folder>   its state, where its token is
  --app-port <n>     its port of REST (3000)`;

/** The configuration that they give. */
export function appConfig(flags: {
  readonly config?: string | undefined;
  readonly state?: string | undefined;
  readonly "app-port"?: string | undefined;
}): DtnConfig {
  return readDtnConfig(flags.config, {
    "node.state": flags.state,
    "app.port": flags["app-port"],
  });
}
