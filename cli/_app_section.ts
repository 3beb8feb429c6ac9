import {
  integer,
  oneOf,
  type Option,
  type SectionOf,
} from "../src/core/config/mod.ts";
import type { AppAddress } from "./_ask_app.ts";
import { loopbackHost } from "./_loopback_host.ts";
import { secretIn } from "./_secret_in.ts";

/** The options of {@link appKeys}. */
export type AppKeys = {
  readonly host: Option<string>;
  readonly port: Option<number>;
  readonly token: Option<"required" | "none">;
};

/** The keys of a node's section for the applications of the machine; its port is `port` if none is configured. */
export function appKeys(port: number): AppKeys {
  return {
    host: loopbackHost("loopback address of the interface for applications"),
    port: integer({
      min: 0,
      max: 65_535,
      default: port,
      doc: "its port; 0: any",
    }),
    token: oneOf(["required", "none"], {
      default: "required",
      doc:
        "whether applications must bring the token in app.token of the state",
    }),
  };
}

/** What such a section says. */
export type AppConfig = SectionOf<AppKeys>;

/** Flags that say which node a command asks. */
export const APP_FLAGS = {
  config: "string",
  state: "string",
  "app-port": "string",
} as const;

/** What they say. */
export interface AppFlagValues {
  readonly config?: string | undefined;
  readonly state?: string | undefined;
  readonly "app-port"?: string | undefined;
}

/** How they are explained, for a node that is configured in `file` and whose port is `port` if none is configured. */
export function appUsage(file: string, port: number): string {
  return `  --config <file>    ${file} of the node
  --state <folder>   its state, where its token is
  --app-port <n>     its port for applications (${port})`;
}

/** The same flags over a configuration, by dotted key. */
export function appOverrides(
  flags: AppFlagValues,
): Readonly<Record<string, string | undefined>> {
  return { "node.state": flags.state, "app.port": flags["app-port"] };
}

/** The file of the token in the folder of the state, mode 0600. */
const TOKEN_FILE = "app.token";

/**
 * The token in `folder()` that applications must bring, if any; `make` makes it if there is none yet.
 *
 * @throws {CliError} `failed` if it cannot be read, and what `folder` throws.
 */
export function appToken(
  { token }: AppConfig,
  folder: () => string,
  make?: () => string,
): string | undefined {
  return token === "none" ? undefined : secretIn(folder(), TOKEN_FILE, make);
}

/**
 * Where applications reach the node of `program`, whose state is in `folder()` if it wants a token.
 *
 * @throws {CliError} `failed` if its token cannot be read, and what `folder` throws.
 */
export function appAddress(
  program: string,
  config: AppConfig,
  folder: () => string,
): AppAddress {
  const { host, port } = config;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    where: `${name}:${port}`,
    secret: appToken(config, folder),
    hint: `${program} node runs one; --app-port says where it is.`,
  };
}
