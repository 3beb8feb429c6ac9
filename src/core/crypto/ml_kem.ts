import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { CryptoError } from "./error.ts";
import { own } from "./own.ts";
import type { MlKem768 } from "./provider.ts";

/**
 * ML-KEM-768 of `@noble/post-quantum`, which checks the modulus of public keys (FIPS 203 §7.2) and the hash in
 * private keys (§7.3); Deno has no synchronous native one.
 */
export const mlKem768: MlKem768 = {
  generateKeyPair(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return { publicKey: own(publicKey), privateKey: own(secretKey) };
  },
  encapsulate(publicKey, seed) {
    const { cipherText, sharedSecret } = orInvalidKey(() =>
      ml_kem768.encapsulate(publicKey, seed)
    );
    return { ciphertext: own(cipherText), sharedSecret: own(sharedSecret) };
  },
  decapsulate: (privateKey, ciphertext) =>
    own(orInvalidKey(() => ml_kem768.decapsulate(ciphertext, privateKey))),
};

/** Lengths are checked before, so what is left to fail is the key. */
function orInvalidKey<T>(operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw new CryptoError("invalid_key", undefined, { cause });
  }
}
