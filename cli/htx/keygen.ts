import { encodeBase64Url, encodeHex } from "../../src/core/bytes/mod.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import {
  type CryptoProvider,
  defaultProvider,
  generateX25519,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { readConfig, stateDirectory } from "./settings.ts";
import { makeServerKeys, writeClientKey, writeServerKeys } from "./keys.ts";

const USAGE = `
Usage: betanet-htx keygen [--server | --client] --state <folder>

Makes the keys of a server (server.json) or of a client (client.json) in a folder, mode 0600, and prints what is
public. It never replaces keys that are there.

  --server           make a server's keys
  --client           make a client's key (default)
  --config <file>    read the lifetime of ticket keys from htx.toml
  --state <folder>   where to put them

Examples:
  betanet-htx keygen --client --state ~/.betanet
  betanet-htx server --client <public key> --allow example.org:443
`;

/** Makes keys. */
export const keygen: Command = command({
  usage: USAGE,
  flags: {
    server: "boolean",
    client: "boolean",
    config: "string",
    state: "string",
  },
  async run({ server, client, config, state }, context) {
    const { print } = context;
    if (state === undefined || server && client) {
      throw new CliError("usage", "Want --state and one of --server, --client");
    }
    const folder = stateDirectory(state, context);
    const path = `${folder}/${server ? "server" : "client"}.json`;
    if (await exists(path)) {
      throw new CliError("failed", `There are keys in ${path} already`, {
        hint: "Move them away first, or choose another folder.",
      });
    }
    const crypto = defaultProvider();
    if (!server) {
      const pair = clientPair(crypto);
      writeClientKey(path, pair);
      const publicKey = encodeBase64Url(pair.publicKey);
      return print({ path, publicKey }, publicKey);
    }
    const { tickets } = readConfig(config, {}).server;
    const keys = await makeServerKeys();
    keys.ring.rotate(crypto, systemClock.wallTime(), {
      lifetimeMs: tickets.lifetime,
      overlapMs: tickets.overlap,
    });
    writeServerKeys(path, keys);
    const identity = crypto.ed25519.publicKey(keys.identitySeed.expose());
    const peerId = encodeHex(htx.peerId(crypto, identity));
    const staticKey = encodeBase64Url(keys.staticKeyPair.publicKey);
    print({ path, peerId, staticKey }, `peer ${peerId}\nkey  ${staticKey}`);
  },
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A key pair whose public key does not look like a flag where a command line takes it. */
function clientPair(crypto: CryptoProvider): X25519KeyPair {
  for (;;) {
    const pair = generateX25519(crypto);
    if (!encodeBase64Url(pair.publicKey).startsWith("-")) return pair;
  }
}
