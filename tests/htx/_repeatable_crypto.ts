import { type Bytes, encodeHex } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { generator } from "./_mutation.ts";

/** Results kept; the honest ones come first, and those of damaged input need not be kept at all. */
const MAX_RESULTS = 256;
const results = new Map<string, Bytes>();

/**
 * The primitives with the same randomness each time it is called with the same seed, so that a test can come back to a
 * state as often as it likes. Key agreements done before are looked up, which makes that cheap.
 */
export function repeatableCrypto(seed: number): CryptoProvider {
  const { x25519, mlKem768 } = nodeProvider;
  const random = seededRandom(seed);
  return {
    ...nodeProvider,
    random,
    x25519: {
      publicKey: (key) => once(["public", key], () => x25519.publicKey(key)),
      sharedSecret: (key, peer) =>
        once(["shared", key, peer], () => x25519.sharedSecret(key, peer)),
    },
    mlKem768: {
      generateKeyPair(seed = random(64)) {
        const make = () => mlKem768.generateKeyPair(seed);
        return {
          privateKey: once(["private", seed], () => make().privateKey),
          publicKey: once(["generated", seed], () => make().publicKey),
        };
      },
      encapsulate(key, seed = random(32)) {
        const make = () => mlKem768.encapsulate(key, seed);
        return {
          ciphertext: once(["ciphertext", key, seed], () => make().ciphertext),
          sharedSecret: once(["secret", key, seed], () => make().sharedSecret),
        };
      },
      decapsulate: (key, ciphertext) =>
        once(
          ["opened", key, ciphertext],
          () => mlKem768.decapsulate(key, ciphertext),
        ),
    },
  };
}

/** As {@link CryptoProvider.random}, the same bytes for the same seed. */
export function seededRandom(seed: number): (length: number) => Bytes {
  const below = generator(seed);
  return (length) => Uint8Array.from({ length }, () => below(256));
}

/** What `make` gave the first time; a copy, since keys are wiped after use. */
function once(
  [what, ...input]: [string, ...Uint8Array[]],
  make: () => Bytes,
): Bytes {
  const key = what + input.map(encodeHex).join();
  const known = results.get(key);
  if (known) return known.slice();
  const made = make();
  if (results.size < MAX_RESULTS) results.set(key, made.slice());
  return made;
}
