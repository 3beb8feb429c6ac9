import { encodeHex } from "../../src/core/bytes/mod.ts";
import { ConfigError, parseConfig } from "../../src/core/config/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import { serveHttp } from "../../src/core/transport/mod.ts";
import { directory } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Program } from "../_main.ts";
import { beaconOf } from "./beacon_of.ts";
import { SCHEMA } from "./config.ts";
import { show } from "./directory_show.ts";
import { readKeys } from "./keys.ts";
import {
  askDirectory,
  mixnodeState,
  parametersOf,
  readMixnodeConfig,
  trustOf,
} from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode directory <command> [flags]

Commands:
  init    print the configuration of a new network
  serve   run an authority
  show    print the document of an epoch

To found a network, each authority makes a key with keygen --authority; one prints the configuration with init, which all
authorities, nodes and clients put into their mixnode.toml; each authority adds [authority] and runs serve.

Examples:
  betanet-mixnode keygen --authority
  betanet-mixnode directory init --network test --authority 5f1c…@192.0.2.1:9100 > mixnode.toml
  betanet-mixnode directory serve --config mixnode.toml
  betanet-mixnode directory show
`;

const INIT_USAGE = `
Usage: betanet-mixnode directory init --network <name> --authority <key>@<host:port>

Prints the [network] part of mixnode.toml.

  --network <name>                  what it is called
  --authority <key>@<host:port>     an authority; give it for each
  --threshold <n>                   how many of them must sign (more than half)
  --epoch <duration>                length of an epoch (1h)

Example:
  betanet-mixnode directory init --network test --authority 5f1c…@192.0.2.1:9100
`;

const SERVE_USAGE = `
Usage: betanet-mixnode directory serve [--config <file>]

Takes nodes' descriptors, votes with the other authorities, and signs a document before each epoch.

  --config <file>   mixnode.toml by default

Example:
  betanet-mixnode directory serve --config authority.toml
`;

const init: Command = command({
  usage: INIT_USAGE,
  flags: {
    network: "string",
    authority: "strings",
    threshold: "string",
    epoch: "string",
  },
  run(flags, context) {
    if (flags.network === undefined || flags.authority.length === 0) {
      throw new CliError("usage", "Want --network and --authority");
    }
    const { authority: authorities } = flags;
    const text = [
      "[network]",
      `name = ${JSON.stringify(flags.network)}`,
      `authorities = ${JSON.stringify(authorities)}`,
      `threshold = ${
        flags.threshold ?? Math.floor(authorities.length / 2) + 1
      }`,
      `epoch = ${JSON.stringify(flags.epoch ?? "1h")}`,
    ].join("\n");
    try {
      parseConfig(text, SCHEMA, { source: "flags" });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new CliError("usage", error.message);
    }
    context.print(text, text);
    return Promise.resolve();
  },
});

const serve: Command = command({
  usage: SERVE_USAGE,
  flags: { config: "string" },
  async run(flags, { log, print, signal, ...context }) {
    const config = readMixnodeConfig(flags.config);
    const { host, port, nodes, state } = config.authority;
    const folder = mixnodeState(state ?? config.node.state, context);
    const { identitySeed } = readKeys(folder, "authority");
    const crypto = defaultProvider();
    const id = encodeHex(crypto.ed25519.publicKey(identitySeed.expose()));
    using store = sqliteStore(`${folder}/authority.sqlite`);
    const authority = authorityOf({
      ...{ crypto, store, log, parameters: parametersOf(config) },
      seed: identitySeed,
      trust: trustOf(config),
      peers: config.network.authorities
        .filter(({ key }) => encodeHex(key) !== id)
        .map(({ address }) => address),
      ask: askDirectory,
      beacon: beaconOf(config, crypto, log),
      ...(nodes.length > 0 && { registered: nodes }),
    });
    await using server = serveHttp(directory.directoryRequests({ authority }), {
      ...{ hostname: host, port, signal },
    });
    const { address } = server;
    print({ id, address }, `authority ${id} at ${address}`);
    await authority.run(signal);
  },
});

/** Founds a network, runs its authorities and shows their documents. */
export const directoryProgram: Program = {
  name: "betanet-mixnode directory",
  usage: USAGE,
  commands: { init, serve, show },
};

function authorityOf(
  options: directory.DirectoryAuthorityOptions,
): directory.DirectoryAuthority {
  try {
    return new directory.DirectoryAuthority(options);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CliError("failed", cause.message, {
      cause,
      hint: "betanet-mixnode check --authority says more.",
    });
  }
}
