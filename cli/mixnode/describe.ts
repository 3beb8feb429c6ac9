import { systemClock } from "../../src/core/async/mod.ts";
import { encodeBase64Url, encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import { EpochKeys } from "../../src/mixnet/mod.ts";
import { type Command, command } from "../_main.ts";
import { readKeys } from "./keys.ts";
import { wouldBeReached } from "./listeners.ts";
import { ownDescriptor } from "./own_descriptor.ts";
import { mixnodeState, parametersOf, readMixnodeConfig } from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode describe [--config <file>]

Prints the signed descriptor of the node that the configuration describes, as it would publish it now, and what it says.

  --config <file>   mixnode.toml by default

With --json the descriptor itself is in base64url.

Example:
  betanet-mixnode describe --config mixnode.toml
`;

/** The file of a node's store in the folder of its state. */
export const NODE_STORE = "node.sqlite";

/** Prints a node's descriptor. */
export const describe: Command = command({
  usage: USAGE,
  flags: { config: "string" },
  async run(flags, context) {
    const config = readMixnodeConfig(flags.config);
    const crypto = defaultProvider();
    const folder = mixnodeState(config.node.state, context);
    const keys = readKeys(folder, "node");
    using store = sqliteStore(`${folder}/${NODE_STORE}`);
    using epochKeys = new EpochKeys({ crypto, store });
    const nowMs = systemClock.wallTime();
    const { epochSeconds } = parametersOf(config);
    const epoch = Math.floor(nowMs / (epochSeconds * 1_000));
    const state = { folder, store };
    const reached = await wouldBeReached(config.node, state, context);
    const node = { crypto, config, keys, epochKeys, reached: () => reached };
    const { descriptor, bytes } = ownDescriptor(node, epoch, nowMs);
    const shown = {
      id: encodeHex(descriptor.identityKey),
      network: descriptor.network,
      role: descriptor.role,
      addresses: descriptor.addresses,
      linkKey: encodeHex(descriptor.linkKey),
      asn: descriptor.asn,
      epochs: [...descriptor.sphinxKeys.keys()],
      expires: new Date(descriptor.expiresMs).toISOString(),
    };
    const text = Object.entries(shown)
      .map(([name, value]) => `${name} ${[value].flat().join(" ")}`);
    const encoded = encodeBase64Url(bytes);
    context.print(
      { ...shown, descriptor: encoded },
      [...text, `descriptor ${encoded}`].join("\n"),
    );
  },
});
