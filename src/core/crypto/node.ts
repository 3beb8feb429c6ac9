import type { KeyObject } from "node:crypto";
import { type Bytes, concat } from "../bytes/mod.ts";
import {
  checkedProvider,
  hkdfExpand,
  type Primitives,
  type RawAead,
} from "./checked.ts";
import { CryptoError } from "./error.ts";
import { nobleProvider } from "./noble.ts";
import { mlKem768 } from "./ml_kem.ts";
import { nodeCrypto as node } from "./node_crypto.ts";
import { own } from "./own.ts";
import type { CryptoProvider, Ecdh, HashName } from "./provider.ts";

const NODE_HASH = {
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
  blake2s: "blake2s256",
  blake2b: "blake2b512",
} as const satisfies Record<HashName, string>;

const TAG_LENGTH = 16;
const MAX_HKDF_SYNC_INFO = 1024; // node:crypto refuses more
const PKCS8_X25519 = Uint8Array.fromHex("302e020100300506032b656e04220420");
const SPKI_X25519 = Uint8Array.fromHex("302a300506032b656e032100");
const PKCS8_ED25519 = Uint8Array.fromHex("302e020100300506032b657004220420");
const SPKI_ED25519 = Uint8Array.fromHex("302a300506032b6570032100");

const primitives: Primitives = {
  name: "node",
  hash(name, ...parts) {
    const hash = node().createHash(NODE_HASH[name]);
    for (const part of parts) hash.update(part);
    return own(hash.digest());
  },
  hmac(name, key, ...parts) {
    const hmac = node().createHmac(NODE_HASH[name], key);
    for (const part of parts) hmac.update(part);
    return own(hmac.digest());
  },
  blake2bMac: (key, length, ...parts) =>
    nobleProvider.blake2bMac(key, length, ...parts), // node has no keyed BLAKE2
  hkdf(name, ikm, salt, info, length) {
    if (name.startsWith("sha") && info.length <= MAX_HKDF_SYNC_INFO) {
      return new Uint8Array(node().hkdfSync(name, ikm, salt, info, length));
    }
    const prk = primitives.hmac(name, salt, ikm);
    return hkdfExpand(primitives, name, prk, info, length);
  },
  chacha20poly1305: (key) => aead("chacha20-poly1305", key),
  aesGcm(key, nonceLength) {
    if (nonceLength !== 12) { // the block counter may wrap, where Deno's node:crypto goes wrong
      return nobleProvider.aesGcm(key, nonceLength);
    }
    return aead(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key);
  },
  aesKeyWrap: nobleProvider.aesKeyWrap, // Deno's node:crypto has none
  chacha20(key, nonce, counter, data) {
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setUint32(0, counter, true);
    iv.set(nonce, 4);
    return own(node().createCipheriv("chacha20", key, iv).update(data));
  },
  aesCtr(key, iv, data) {
    const name = key.length === 16 ? "aes-128-ctr" : "aes-256-ctr";
    return own(node().createCipheriv(name, key, iv).update(data));
  },
  x25519: {
    publicKey: (key) => rawPublic(privateKey(PKCS8_X25519, key)),
    sharedSecret(key, peer) {
      const keys = {
        privateKey: privateKey(PKCS8_X25519, key),
        publicKey: publicKey(SPKI_X25519, peer),
      };
      try {
        return own(node().diffieHellman(keys));
      } catch (cause) { // OpenSSL's way to refuse an all-zero secret
        throw new CryptoError("weak_key", undefined, { cause });
      }
    },
  },
  p256: ecdh("prime256v1", 32),
  p384: ecdh("secp384r1", 48),
  ed25519: {
    publicKey: (seed) => rawPublic(privateKey(PKCS8_ED25519, seed)),
    sign: (seed, message) =>
      own(node().sign(null, message, privateKey(PKCS8_ED25519, seed))),
    signer(seed) {
      let key: KeyObject | undefined = privateKey(PKCS8_ED25519, seed);
      return {
        sign(message) {
          if (key) return own(node().sign(null, message, key));
          throw new TypeError("Cannot use a disposed key");
        },
        [Symbol.dispose]() {
          key = undefined;
        },
      };
    },
    verify(key, message, signature) {
      try {
        const publicObject = publicKey(SPKI_ED25519, key);
        return node().verify(null, message, publicObject, signature);
      } catch { // not a point
        return false;
      }
    },
  },
  mlKem768,
};

/**
 * The native, synchronous `node:crypto` of Deno and Node.js, with ML-KEM-768 from `@noble/post-quantum`.
 *
 * The module is looked up at the first call, so that importing this file costs nothing where it is missing.
 *
 * @throws {TypeError} From every method where there is no `node:crypto`, such as in a browser.
 */
export const nodeProvider: CryptoProvider = checkedProvider(primitives);

function privateKey(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return node().createPrivateKey({
    key: concat(prefix, raw) as unknown as Buffer,
    format: "der",
    type: "pkcs8",
  });
}

function publicKey(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return node().createPublicKey({
    key: concat(prefix, raw) as unknown as Buffer,
    format: "der",
    type: "spki",
  });
}

function rawPublic(key: KeyObject) {
  const spki = node().createPublicKey(key as unknown as string).export({
    format: "der",
    type: "spki",
  });
  return new Uint8Array(spki.subarray(spki.length - 32));
}

function ecdh(curve: string, length: number): Ecdh {
  const withKey = (privateKey: Uint8Array) => {
    const ecdh = node().createECDH(curve);
    try {
      ecdh.setPrivateKey(privateKey);
    } catch (cause) {
      throw new RangeError("Private key out of range", { cause });
    }
    return ecdh;
  };
  const leftPad = (bytes: Uint8Array) => {
    const out = new Uint8Array(length);
    out.set(bytes, length - bytes.length);
    return out;
  };
  return {
    length,
    generateKeyPair() {
      const ecdh = node().createECDH(curve);
      const publicKey = own(ecdh.generateKeys());
      return { privateKey: leftPad(ecdh.getPrivateKey()), publicKey };
    },
    publicKey: (privateKey) => own(withKey(privateKey).getPublicKey()),
    sharedSecret(privateKey, publicKey) {
      const ecdh = withKey(privateKey);
      try {
        return leftPad(ecdh.computeSecret(publicKey));
      } catch (cause) { // not a point of the curve
        throw new CryptoError("invalid_key", undefined, { cause });
      }
    },
  };
}

function aead(
  algorithm: "chacha20-poly1305" | "aes-128-gcm" | "aes-256-gcm",
  key: Uint8Array,
): RawAead {
  const name = algorithm as "chacha20-poly1305"; // the typings tell the modes apart
  const options = { authTagLength: TAG_LENGTH };
  return {
    seal(nonce, plaintext, aad, out) {
      const cipher = node().createCipheriv(name, key, nonce, options);
      if (aad) cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const sealed = out ?? new Uint8Array(plaintext.length + TAG_LENGTH);
      moved(own(cipher.update(plaintext)), sealed);
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(nonce, ciphertext, aad, out) {
      const length = ciphertext.length - TAG_LENGTH;
      const decipher = node().createDecipheriv(name, key, nonce, options);
      if (aad) decipher.setAAD(aad, { plaintextLength: length });
      decipher.setAuthTag(ciphertext.subarray(length));
      const plaintext = own(decipher.update(ciphertext.subarray(0, length)));
      try {
        decipher.final();
      } catch (cause) {
        throw new CryptoError("unauthenticated", undefined, { cause });
      }
      return out ? moved(plaintext, out) : plaintext;
    },
  };
}

/** `out` with `bytes` in it, whose memory is given up: as garbage it would call for collections. */
function moved(bytes: Bytes, out: Bytes): Bytes {
  out.set(bytes);
  bytes.buffer.transfer(0);
  return out;
}
