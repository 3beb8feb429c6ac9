import { aeskw, ctr, gcm } from "@noble/ciphers/aes.js";
import { chacha20, chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, equal } from "../bytes/mod.ts";
import { checkedProvider, type Primitives, type RawAead } from "./checked.ts";
import { CryptoError } from "./error.ts";
import { mlKem768 } from "./ml_kem.ts";
import { own } from "./own.ts";
import type { CryptoProvider, Ecdh } from "./provider.ts";
import { Secret } from "./secret.ts";

const HASH = { sha256, sha384, sha512, blake2s, blake2b };

const primitives: Primitives = {
  name: "noble",
  hash(name, ...parts) {
    const hash = HASH[name].create();
    for (const part of parts) hash.update(part);
    return own(hash.digest());
  },
  hmac(name, key, ...parts) {
    const mac = hmac.create(HASH[name], key);
    for (const part of parts) mac.update(part);
    return own(mac.digest());
  },
  blake2bMac(key, length, ...parts) {
    const mac = blake2b.create({ key, dkLen: length });
    for (const part of parts) mac.update(part);
    return own(mac.digest());
  },
  hkdf: (name, ikm, salt, info, length) =>
    length === 0
      ? new Uint8Array(0)
      : own(hkdf(HASH[name], ikm, salt, info, length)),
  chacha20poly1305: (key) =>
    aead((nonce, aad) => chacha20poly1305(key, nonce, aad)),
  aesGcm: (key) => aead((nonce, aad) => gcm(key, nonce, aad)),
  aesKeyWrap: {
    wrap: (wrappingKey, key) => own(aeskw(wrappingKey).encrypt(key)),
    unwrap(wrappingKey, wrapped) {
      try {
        return own(aeskw(wrappingKey).decrypt(wrapped));
      } catch (cause) {
        throw new CryptoError("unauthenticated", undefined, { cause });
      }
    },
  },
  chacha20: (key, nonce, counter, data) =>
    own(chacha20(key, nonce, data, undefined, counter)),
  aesCtr: (key, iv, data) => own(ctr(key, iv).encrypt(data)),
  x25519: {
    publicKey: (key) => own(x25519.getPublicKey(key)),
    sharedSecret(key, peer) {
      try {
        return own(x25519.scalarMult(key, peer));
      } catch (cause) { // noble's way to refuse an all-zero secret
        throw new CryptoError("weak_key", undefined, { cause });
      }
    },
  },
  p256: ecdh(p256, 32),
  p384: ecdh(p384, 48),
  ed25519: {
    publicKey: (seed) => own(ed25519.getPublicKey(seed)),
    sign: (seed, message) => own(ed25519.sign(message, seed)),
    signer(seed) {
      const key = new Secret(seed.slice());
      return {
        sign: (message) => own(ed25519.sign(message, key.expose())),
        [Symbol.dispose]: () => key[Symbol.dispose](),
      };
    },
    verify: verifyCofactorless,
  },
  mlKem768,
};

/** The audited `@noble` packages: plain JavaScript that runs in browsers too, several times slower than native code. */
export const nobleProvider: CryptoProvider = checkedProvider(primitives);

/** [S]B − [k]A encodes to R, as OpenSSL verifies; noble's own `verify` multiplies by the cofactor and so accepts more. */
function verifyCofactorless(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { Point } = ed25519;
  const r = signature.subarray(0, 32);
  const s = bytesToNumberLE(signature.subarray(32));
  const digest = primitives.hash("sha512", r, key, message);
  const k = Point.Fn.create(bytesToNumberLE(digest));
  try {
    const a = Point.fromBytes(key);
    const expected = Point.BASE.multiplyUnsafe(s)
      .subtract(a.multiplyUnsafe(k));
    return equal(expected.toBytes(), r);
  } catch { // not a point
    return false;
  }
}

function ecdh(curve: typeof p256, length: number): Ecdh {
  const publicKey = (privateKey: Uint8Array) => {
    if (!curve.utils.isValidSecretKey(privateKey)) {
      throw new RangeError("Private key out of range");
    }
    return own(curve.getPublicKey(privateKey, false));
  };
  return {
    length,
    generateKeyPair() {
      const privateKey = own(curve.utils.randomSecretKey());
      return { privateKey, publicKey: publicKey(privateKey) };
    },
    publicKey,
    sharedSecret(privateKey, peer) {
      if (!curve.utils.isValidSecretKey(privateKey)) {
        throw new RangeError("Private key out of range");
      }
      try {
        return curve.getSharedSecret(privateKey, peer, false).slice(
          1,
          1 + length,
        );
      } catch (cause) { // not a point of the curve
        throw new CryptoError("invalid_key", undefined, { cause });
      }
    },
  };
}

interface NobleCipher {
  encrypt(plaintext: Uint8Array): Uint8Array;
  decrypt(ciphertext: Uint8Array): Uint8Array;
}

function aead(
  cipher: (nonce: Uint8Array, aad?: Uint8Array) => NobleCipher,
): RawAead {
  return {
    seal(nonce, plaintext, aad, out) {
      const sealed = own(cipher(nonce, aad).encrypt(plaintext));
      if (!out) return sealed;
      out.set(sealed);
      return out;
    },
    open(nonce, ciphertext, aad, out) {
      let plaintext: Bytes;
      try {
        plaintext = own(cipher(nonce, aad).decrypt(ciphertext));
      } catch (cause) {
        throw new CryptoError("unauthenticated", undefined, { cause });
      }
      if (!out) return plaintext;
      out.set(plaintext);
      return out;
    },
  };
}
