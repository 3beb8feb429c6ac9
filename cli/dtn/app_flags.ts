import { type AppFlagValues, appOverrides, appUsage } from "../_app_section.ts";
import { APP_PORT, type DtnConfig } from "./config.ts";
import { readDtnConfig } from "./settings.ts";

/** How the flags that say which node a command asks are explained. */
export const APP_USAGE = appUsage("dtn.toml", APP_PORT);

/** The configuration that they give. */
export function appConfig(flags: AppFlagValues): DtnConfig {
  return readDtnConfig(flags.config, appOverrides(flags));
}
