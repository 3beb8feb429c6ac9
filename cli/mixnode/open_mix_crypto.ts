import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { createPacket, REGULAR, unwrapPacket } from "../../src/mixnet/mod.ts";
import { type CryptoName, openCrypto } from "../_crypto.ts";

/**
 * The cryptography that `name` stands for, as {@link openCrypto}; what is fastest is measured at what a mixnode does all day,
 * unwrapping a packet.
 *
 * @throws {CliError} `failed` for `native` where there is none.
 */
export function openMixCrypto(name: CryptoName, log: Logger): CryptoProvider {
  return openCrypto(name, log, { work: unwrapping });
}

function unwrapping(crypto: CryptoProvider): () => void {
  const key = crypto.random(32);
  const publicKey = crypto.x25519.publicKey(key);
  const hop = { address: publicKey, publicKey, delayNs: 1 };
  const packet = createPacket(
    crypto,
    REGULAR,
    {
      route: [hop, hop],
      destination: publicKey,
      identifier: new Uint8Array(16),
    },
    new Uint8Array(0),
  );
  return () => void unwrapPacket(crypto, REGULAR, key, packet);
}
