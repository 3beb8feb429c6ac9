/** One executable: what it runs and what it may touch. */
export interface Role {
  /** Its module. */
  readonly entry: string;
  /** What it is for, in half a line. */
  readonly description: string;
  /** Flags of `deno run` and `deno compile`; every permission it has is here. */
  readonly flags: readonly string[];
}

/** Where Linux distributions and Homebrew keep libcrypto 3. */
export const LIBCRYPTO_PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
  "/usr/lib/aarch64-linux-gnu/libcrypto.so.3",
  "/usr/lib64/libcrypto.so.3",
  "/usr/lib/libcrypto.so.3",
  "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
  "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
];

/** Where they keep libsodium. */
export const LIBSODIUM_PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/libsodium.so.23",
  "/usr/lib/aarch64-linux-gnu/libsodium.so.23",
  "/usr/lib64/libsodium.so.23",
  "/usr/lib/libsodium.so.23",
  "/opt/homebrew/opt/libsodium/lib/libsodium.23.dylib",
  "/usr/local/opt/libsodium/lib/libsodium.23.dylib",
];

const ALLOW_LIBRARIES = `--allow-ffi=${
  [...LIBCRYPTO_PATHS, ...LIBSODIUM_PATHS].join(",")
}`;

/**
 * Every executable by name. Tasks, builds and tests read this table, so what is tested is what ships.
 *
 * - Reading and writing are unrestricted because keys, configuration, decoy site and store lie where their owner puts them;
 *   so is the network, whose targets the server's own allow-list governs.
 * - The only native code that a role may load is OpenSSL's and libsodium's, from where systems keep them. No role may ask the system about
 *   itself. Only `betanet` (for `demo`) and `utls` (for the browser that its user names) may start processes.
 * - `utls` reaches the loopback and nothing beyond: there the browser visits it.
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
      ALLOW_LIBRARIES,
      "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,BETANET_*",
    ],
  },
  utls: {
    entry: "cli/utls.ts",
    description:
      "ClientHellos of browsers: draw, fingerprint, explain, compare",
    flags: [
      "--no-prompt",
      "--allow-net=127.0.0.1",
      "--allow-read",
      "--allow-write",
      "--allow-run",
    ],
  },
  mixnode: {
    entry: "cli/mixnode.ts",
    description: "mixnet: nodes, clients, authorities, proofs of delays",
    flags: [
      "--no-prompt",
      "--unstable-net",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      ALLOW_LIBRARIES,
      "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,BETANET_*",
    ],
  },
  dtn: {
    entry: "cli/dtn.ts",
    description: "Bundle Protocol 7: node, send, recv, ping, inspect",
    flags: [
      "--no-prompt",
      "--unstable-net",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,BETANET_*",
    ],
  },
  fabric: {
    entry: "cli/fabric.ts",
    description: "agents: node, send, request, listen, receipts",
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
      ALLOW_LIBRARIES,
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
