import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet-mixnode <command> [flags]
       betanet-mixnode --config <file> [flags of start]

A node of a Sphinx mixnet, the authorities that say who its nodes are, and what checks them.

Commands:
  start          run a node
  stats          ask a running node what it has done
  client         send and receive messages, time the network
  keygen         make the keys of a node, an authority or a client
  describe       print the descriptor of this node
  check          look for mistakes in a configuration
  directory      found a network, run an authority, show a document
  verify-delay   check the proof of a packet's route and delays

  betanet-mixnode <command> --help explains each; --version prints the version.

Examples:
  betanet-mixnode keygen
  betanet-mixnode start --config mixnode.toml
  betanet-mixnode check --config mixnode.toml
  betanet-mixnode directory show
`;

/** Everything about the mixnet from the command line. */
export const program: Program = {
  name: "betanet-mixnode",
  usage: USAGE,
  defaultCommand: "start",
  workers: {
    unwrap: async (scope, crypto) =>
      (await import("./mixnode/unwrap_worker.ts")).unwrapWorker(scope, crypto),
  },
  commands: {
    start: async () => (await import("./mixnode/start.ts")).start,
    stats: async () => (await import("./mixnode/stats.ts")).stats,
    client: async () =>
      (await import("./mixnode/configure_client.ts")).clientCommands,
    keygen: async () => (await import("./mixnode/keygen.ts")).keygen,
    describe: async () => (await import("./mixnode/describe.ts")).describe,
    check: async () => (await import("./mixnode/check.ts")).check,
    directory: async () =>
      (await import("./mixnode/directory.ts")).directoryProgram,
    "verify-delay": async () =>
      (await import("./mixnode/verify_delay.ts")).verifyDelay,
  },
};

if (import.meta.main) await main(program);
