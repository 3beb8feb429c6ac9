import { encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { vrfPublicKey } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { keyPath, makeKeys } from "./keys.ts";
import { mixnodeState } from "./settings.ts";

const USAGE = `
Usage: betanet-mixnode keygen [--authority | --client] [--state <folder>]

Makes the keys of a node (node.json), of an authority (authority.json) or of a client (client.json) in a folder, mode
0600, and prints what is public, in hexadecimal. It never replaces keys that are there.

  --authority        make the key of an authority
  --client           make the keys of a client
  --state <folder>   where to put them ($XDG_STATE_HOME/betanet/mixnode)

Examples:
  betanet-mixnode keygen --state ~/mixnode
  betanet-mixnode keygen --authority --state ~/authority
`;

/** Makes keys. */
export const keygen: Command = command({
  usage: USAGE,
  flags: { authority: "boolean", client: "boolean", state: "string" },
  async run({ authority, client, state }, context) {
    if (authority && client) {
      throw new CliError("usage", "Want one of --authority and --client");
    }
    const crypto = defaultProvider();
    const folder = mixnodeState(state, context);
    const kind = authority ? "authority" : client ? "client" : "node";
    const path = keyPath(folder, kind);
    if (await exists(path)) {
      throw new CliError("failed", `There are keys in ${path} already`, {
        hint: "Move them away first, or choose another folder.",
      });
    }
    const shown: Record<string, string> = { path };
    if (kind === "client") {
      const { linkKey, sealKey, vrfSeed } = makeKeys(crypto, folder, kind);
      shown.id = encodeHex(crypto.x25519.publicKey(linkKey.expose()));
      shown.sealKey = encodeHex(crypto.x25519.publicKey(sealKey.expose()));
      shown.vrfKey = encodeHex(vrfPublicKey(crypto, vrfSeed.expose()));
    } else {
      const keys = makeKeys(crypto, folder, kind);
      const seed = keys.identitySeed.expose();
      shown.id = encodeHex(crypto.ed25519.publicKey(seed));
    }
    const lines = Object.entries(shown).filter(([name]) => name !== "path")
      .map(([name, text]) => `${name} ${text}`);
    context.print(shown, lines.join("\n"));
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
