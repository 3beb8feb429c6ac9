/** One executable: what it runs and what it may touch. */
export interface Role {
  /** Its module. */
  readonly entry: string;
  /** What it is for, in half a line. */
  readonly description: string;
  /** Flags of `deno run` and `deno compile`; every permission it has is here. */
  readonly flags: readonly string[];
}

/**
 * Every executable by name. Tasks, builds and tests read this table, so what is tested is what ships.
 *
 * - Reading and writing are unrestricted because keys, configuration, decoy site and store lie where their owner puts them;
 *   so is the network, whose targets the server's own allow-list governs.
 * - No role may load native code or ask the system about itself, and only `betanet` may start processes (`demo` does).
 * - `--unstable-net` is QUIC.
 */
export const ROLES = {
  htx: {
    entry: "cli/htx.ts",
    description: "covert transport: server, SOCKS5 and HTTP proxy, client",
    flags: [
      "--no-prompt",
      "--unstable-net",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,BETANET_*",
    ],
  },
  betanet: {
    entry: "cli/betanet.ts",
    description: "every program under one name, and the demo",
    flags: [
      "--no-prompt",
      "--unstable-net",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-run",
      "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,BETANET_*",
    ],
  },
} as const satisfies Readonly<Record<string, Role>>;

/** A key of {@link ROLES}. */
export type RoleName = keyof typeof ROLES;

/** The file name of a role's executable: `betanet-htx`, and `betanet` for the umbrella. */
export function executableName(role: string): string {
  return role === "betanet" ? role : `betanet-${role}`;
}

/** The task in deno.json that runs a role from its sources; a program that hides traffic must not ask for updates of Deno. */
export function taskOf({ entry, flags }: Role): string {
  return ["DENO_NO_UPDATE_CHECK=1 deno run --frozen", ...flags, entry].join(
    " ",
  );
}
