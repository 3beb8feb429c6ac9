import { type Bytes, concat } from "../bytes/mod.ts";
import { isStrictSignature } from "./ed25519_strict.ts";
import { CryptoError } from "./error.ts";
import {
  type Aead,
  type AesKeyWrap,
  type CryptoProvider,
  type Ecdh,
  type Ed25519,
  HASH_LENGTH,
  type HashName,
  type MlKem768,
  type X25519,
} from "./provider.ts";

/** What a library supplies; {@link checkedProvider} adds the rest. */
export interface Primitives extends
  Omit<
    CryptoProvider,
    "random" | "hkdfExpand" | "chacha20poly1305" | "aesGcm"
  > {
  /** ChaCha20-Poly1305 under a 32-byte key. */
  chacha20poly1305(key: Uint8Array): RawAead;
  /** AES-GCM under a 16- or 32-byte key, with nonces of 8 to 16 bytes. */
  aesGcm(key: Uint8Array, nonceLength: number): RawAead;
}

/**
 * An {@link Aead} of a library. The `key` it is made from is an array for it alone, which is wiped when the `Aead` is
 * disposed; a library that keeps the key elsewhere wipes that in its own dispose.
 */
export type RawAead = Pick<Aead, "seal" | "open"> & Partial<Disposable>;

const AEAD_NONCE_LENGTH = 12;
const AEAD_TAG_LENGTH = 16;
const UNCOMPRESSED = 0x04; // first byte of such a point (SEC 1 §2.3.3)
const MAX_HKDF_BLOCKS = 255;
const MAX_RANDOM_CHUNK = 65536; // getRandomValues refuses more at once
const CHACHA20_BLOCKS = 2 ** 32 - 1; // noble refuses the last one

/**
 * The provider of `raw`, with every check that the port promises made before `raw` is called.
 *
 * So all providers refuse the same inputs: wrong lengths, all-zero X25519 secrets, Ed25519 keys and signatures outside
 * the strict rules of {@link Ed25519.verify}. A `raw` that covers only some primitives can spread another provider:
 * `checkedProvider({ ...nodeProvider, name: "native", chacha20poly1305 })`.
 */
export function checkedProvider(raw: Primitives): CryptoProvider {
  return {
    name: raw.name,
    random,
    hash: (name, ...parts) => raw.hash(name, ...parts),
    hmac: (name, key, ...parts) => raw.hmac(name, key, ...parts),
    blake2bMac(key, length, ...parts) {
      checkBlake2b("key", key.length);
      checkBlake2b("output", length);
      return raw.blake2bMac(key, length, ...parts);
    },
    hkdf(name, ikm, salt, info, length) {
      checkHkdfLength(name, length);
      return raw.hkdf(name, ikm, salt, info, length);
    },
    hkdfExpand(name, prk, info, length) {
      checkHkdfLength(name, length);
      if (prk.length < HASH_LENGTH[name]) {
        throw new RangeError(
          `An HKDF key for ${name} must have at least ${
            HASH_LENGTH[name]
          } bytes: got ${prk.length}`,
        );
      }
      return hkdfExpand(raw, name, prk, info, length);
    },
    chacha20poly1305(key) {
      checkLength("A ChaCha20-Poly1305 key", key, 32);
      const make = (copy: Uint8Array) => raw.chacha20poly1305(copy);
      return checkedAead(key, AEAD_NONCE_LENGTH, make);
    },
    aesGcm(key, nonceLength = AEAD_NONCE_LENGTH) {
      checkLength("An AES key", key, 16, 32);
      checkGcmNonceLength(nonceLength);
      const make = (copy: Uint8Array) => raw.aesGcm(copy, nonceLength);
      return checkedAead(key, nonceLength, make);
    },
    aesKeyWrap: checkedAesKeyWrap(raw.aesKeyWrap),
    chacha20(key, nonce, counter, data) {
      checkLength("A ChaCha20 key", key, 32);
      checkLength("A ChaCha20 nonce", nonce, 12);
      checkChaCha20Blocks(counter, data.length);
      return raw.chacha20(key, nonce, counter, data);
    },
    aesCtr(key, iv, data) {
      checkLength("An AES key", key, 16, 32);
      checkLength("An AES-CTR counter block", iv, 16);
      return raw.aesCtr(key, iv, data);
    },
    x25519: checkedX25519(raw.x25519),
    p256: checkedEcdh("P-256", raw.p256),
    p384: checkedEcdh("P-384", raw.p384),
    ed25519: checkedEd25519(raw.ed25519),
    mlKem768: checkedMlKem768(raw.mlKem768),
  };
}

/** HKDF-Expand (RFC 5869 §2.3) over the HMAC of `raw`; lengths are already checked. */
export function hkdfExpand(
  raw: Pick<Primitives, "hmac">,
  name: HashName,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Bytes {
  if (length <= HASH_LENGTH[name]) { // most keys are no longer than a hash
    return raw.hmac(name, prk, info, Uint8Array.of(1)).slice(0, length);
  }
  const blocks: Bytes[] = [];
  let block: Bytes = new Uint8Array(0);
  for (let i = 1, have = 0; have < length; i++, have += block.length) {
    block = raw.hmac(name, prk, block, info, Uint8Array.of(i));
    blocks.push(block);
  }
  return concat(...blocks).slice(0, length);
}

function random(length: number): Bytes {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`Want a number of random bytes: got ${length}`);
  }
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_RANDOM_CHUNK) {
    crypto.getRandomValues(out.subarray(at, at + MAX_RANDOM_CHUNK));
  }
  return out;
}

function checkedAead(
  key: Uint8Array,
  nonceLength: number,
  make: (copy: Uint8Array) => RawAead,
): Aead {
  const copy = key.slice();
  const raw = make(copy);
  let disposed = false;
  const checkUsable = () => {
    if (disposed) throw new TypeError("Cannot use a disposed AEAD");
  };
  return {
    seal(nonce, plaintext, aad, out) {
      checkUsable();
      checkLength("An AEAD nonce", nonce, nonceLength);
      const length = plaintext.length + AEAD_TAG_LENGTH;
      const target = out && checkedOutput(out, length, plaintext, aad);
      return raw.seal(nonce, plaintext, aad, target);
    },
    open(nonce, ciphertext, aad, out) {
      checkUsable();
      checkLength("An AEAD nonce", nonce, nonceLength);
      const length = ciphertext.length - AEAD_TAG_LENGTH;
      if (length < 0) throw new CryptoError("unauthenticated");
      const target = out && checkedOutput(out, length, ciphertext, aad);
      try {
        return raw.open(nonce, ciphertext, aad, target);
      } catch (error) {
        target?.fill(0); // some write before they verify
        throw error;
      }
    },
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      raw[Symbol.dispose]?.();
      copy.fill(0);
    },
  };
}

/** The first `length` bytes of `out`, which hold nothing of the input that is not written in place. */
function checkedOutput(
  out: Bytes,
  length: number,
  input: Uint8Array,
  aad?: Uint8Array,
): Bytes {
  if (out.length < length) {
    throw new RangeError(
      `An AEAD needs ${length} bytes of output: got ${out.length}`,
    );
  }
  const target = out.length === length ? out : out.subarray(0, length);
  const inPlace = target.byteOffset === input.byteOffset;
  if (
    (overlap(target, input) && !inPlace) || (aad && overlap(target, aad))
  ) {
    throw new RangeError("An AEAD must not write over its own input");
  }
  return target;
}

function checkedAesKeyWrap(raw: AesKeyWrap): AesKeyWrap {
  const isWhole = ({ length }: Uint8Array) => length >= 16 && length % 8 === 0;
  return {
    wrap(wrappingKey, key) {
      checkLength("An AES key", wrappingKey, 16, 32);
      if (!isWhole(key)) {
        throw new RangeError(
          `A key to wrap must have a multiple of 8 bytes, from 16: got ${key.length}`,
        );
      }
      return raw.wrap(wrappingKey, key);
    },
    unwrap(wrappingKey, wrapped) {
      checkLength("An AES key", wrappingKey, 16, 32);
      if (!isWhole(wrapped) || wrapped.length < 24) {
        throw new CryptoError("unauthenticated");
      }
      return raw.unwrap(wrappingKey, wrapped);
    },
  };
}

function checkGcmNonceLength(length: number): void {
  if (!Number.isInteger(length) || length < 8 || length > 16) {
    throw new RangeError(`A GCM nonce has 8 to 16 bytes: got ${length}`);
  }
}

function checkedX25519(raw: X25519): X25519 {
  return {
    publicKey(privateKey) {
      checkLength("An X25519 private key", privateKey, 32);
      return raw.publicKey(privateKey);
    },
    sharedSecret(privateKey, publicKey) {
      checkLength("An X25519 private key", privateKey, 32);
      checkLength("An X25519 public key", publicKey, 32);
      const secret = raw.sharedSecret(privateKey, publicKey);
      let bits = 0;
      for (const byte of secret) bits |= byte;
      if (bits === 0) throw new CryptoError("weak_key");
      return secret;
    },
  };
}

function checkedEcdh(curve: string, raw: Ecdh): Ecdh {
  const { length } = raw;
  const what = `A ${curve} private key`;
  return {
    length,
    generateKeyPair: () => raw.generateKeyPair(),
    publicKey(privateKey) {
      checkLength(what, privateKey, length);
      return raw.publicKey(privateKey);
    },
    sharedSecret(privateKey, publicKey) {
      checkLength(what, privateKey, length);
      if (
        publicKey.length !== 2 * length + 1 || publicKey[0] !== UNCOMPRESSED
      ) {
        throw new CryptoError("invalid_key");
      }
      return raw.sharedSecret(privateKey, publicKey);
    },
  };
}

function checkedEd25519(raw: Ed25519): Ed25519 {
  return {
    publicKey(seed) {
      checkLength("An Ed25519 seed", seed, 32);
      return raw.publicKey(seed);
    },
    sign(seed, message) {
      checkLength("An Ed25519 seed", seed, 32);
      return raw.sign(seed, message);
    },
    signer(seed) {
      checkLength("An Ed25519 seed", seed, 32);
      return raw.signer(seed);
    },
    verify: (publicKey, message, signature) =>
      isStrictSignature(publicKey, signature) &&
      raw.verify(publicKey, message, signature),
  };
}

function checkedMlKem768(raw: MlKem768): MlKem768 {
  return {
    generateKeyPair(seed) {
      if (seed) checkLength("An ML-KEM-768 seed", seed, 64);
      return raw.generateKeyPair(seed);
    },
    encapsulate(publicKey, seed) {
      if (seed) checkLength("An ML-KEM-768 encapsulation seed", seed, 32);
      checkPeerLength("public key", publicKey, 1184);
      return raw.encapsulate(publicKey, seed);
    },
    decapsulate(privateKey, ciphertext) {
      checkPeerLength("private key", privateKey, 2400);
      checkPeerLength("ciphertext", ciphertext, 1088);
      return raw.decapsulate(privateKey, ciphertext);
    },
  };
}

function checkLength(
  what: string,
  bytes: Uint8Array,
  ...lengths: readonly number[]
): void {
  if (!lengths.includes(bytes.length)) {
    throw new RangeError(
      `${what} must have ${lengths.join(" or ")} bytes: got ${bytes.length}`,
    );
  }
}

function checkPeerLength(what: string, bytes: Uint8Array, length: number) {
  if (bytes.length !== length) {
    throw new CryptoError(
      "invalid_key",
      `An ML-KEM-768 ${what} must have ${length} bytes: got ${bytes.length}`,
    );
  }
}

function checkBlake2b(what: string, length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 64) {
    throw new RangeError(
      `Keyed BLAKE2b wants 1 to 64 bytes of ${what}: got ${length}`,
    );
  }
}

function checkHkdfLength(name: HashName, length: number): void {
  const max = MAX_HKDF_BLOCKS * HASH_LENGTH[name];
  if (!Number.isInteger(length) || length < 0 || length > max) {
    throw new RangeError(
      `HKDF with ${name} gives 0 to ${max} bytes: got ${length}`,
    );
  }
}

function checkChaCha20Blocks(counter: number, length: number): void {
  if (!Number.isInteger(counter) || counter < 0) {
    throw new RangeError(`A ChaCha20 counter must be a u32: got ${counter}`);
  }
  if (counter + Math.ceil(length / 64) > CHACHA20_BLOCKS) {
    throw new RangeError(
      `A ChaCha20 counter must stay below 2^32 - 1: got ${length} bytes at ${counter}`,
    );
  }
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.length > 0 && b.length > 0 &&
    a.byteOffset < b.byteOffset + b.length &&
    b.byteOffset < a.byteOffset + a.length;
}
