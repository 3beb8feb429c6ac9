import nodeCrypto, { type KeyObject } from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Bytes, concat } from "../bytes/mod.ts";
import { CryptoError } from "./error.ts";
import type { Aead, CryptoProvider, HashName } from "./provider.ts";

const NODE_HASH = {
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
  blake2s: "blake2s256",
  blake2b: "blake2b512",
} as const satisfies Record<HashName, string>;

const TAG_LENGTH = 16;
const PKCS8_X25519 = Uint8Array.fromHex("302e020100300506032b656e04220420");
const SPKI_X25519 = Uint8Array.fromHex("302a300506032b656e032100");
const PKCS8_ED25519 = Uint8Array.fromHex("302e020100300506032b657004220420");
const SPKI_ED25519 = Uint8Array.fromHex("302a300506032b6570032100");

/** Deno's built-in `node:crypto` (OpenSSL-compatible, native); ML-KEM-768 from `@noble/post-quantum`. */
export const nodeProvider: CryptoProvider = {
  name: "node",
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  hash(name, ...parts) {
    const hash = nodeCrypto.createHash(NODE_HASH[name]);
    for (const part of parts) hash.update(part);
    return own(hash.digest());
  },
  hmac(name, key, ...parts) {
    const hmac = nodeCrypto.createHmac(NODE_HASH[name], key);
    for (const part of parts) hmac.update(part);
    return own(hmac.digest());
  },
  hkdf: (name, ikm, salt, info, length) =>
    nodeProvider.hkdfExpand(
      name,
      nodeProvider.hmac(name, salt, ikm),
      info,
      length,
    ),
  hkdfExpand(name, prk, info, length) {
    const blocks: Bytes[] = [];
    let block: Bytes = new Uint8Array(0);
    for (let i = 1, have = 0; have < length; i++, have += block.length) {
      block = nodeProvider.hmac(name, prk, block, info, Uint8Array.of(i));
      blocks.push(block);
    }
    return concat(...blocks).slice(0, length);
  },
  chacha20poly1305: (key) => aead("chacha20-poly1305", key),
  aesGcm: (key) => aead(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key),
  chacha20(key, nonce, counter, data) {
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setUint32(0, counter, true);
    iv.set(nonce, 4);
    return own(nodeCrypto.createCipheriv("chacha20", key, iv).update(data));
  },
  aesCtr(key, iv, data) {
    const name = key.length === 16 ? "aes-128-ctr" : "aes-256-ctr";
    return own(nodeCrypto.createCipheriv(name, key, iv).update(data));
  },
  x25519: {
    publicKey: (key) => rawPublic(privateKey(PKCS8_X25519, key)),
    sharedSecret(key, peer) {
      const secret = own(nodeCrypto.diffieHellman({
        privateKey: privateKey(PKCS8_X25519, key),
        publicKey: publicKey(SPKI_X25519, peer),
      }));
      if (secret.every((byte) => byte === 0)) throw new CryptoError("weak_key");
      return secret;
    },
  },
  ed25519: {
    publicKey: (seed) => rawPublic(privateKey(PKCS8_ED25519, seed)),
    sign: (seed, message) =>
      own(nodeCrypto.sign(null, message, privateKey(PKCS8_ED25519, seed))),
    verify(key, message, signature) {
      if (key.length !== 32 || signature.length !== 64) return false;
      try {
        return nodeCrypto.verify(
          null,
          message,
          publicKey(SPKI_ED25519, key),
          signature,
        );
      } catch {
        return false;
      }
    },
  },
  mlKem768: {
    generateKeyPair(seed) {
      const { publicKey, secretKey } = ml_kem768.keygen(seed);
      return { publicKey: own(publicKey), privateKey: own(secretKey) };
    },
    encapsulate(key, seed) {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(key, seed);
      return { ciphertext: own(cipherText), sharedSecret: own(sharedSecret) };
    },
    decapsulate: (key, ciphertext) =>
      own(ml_kem768.decapsulate(ciphertext, key)),
  },
};

function own(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function privateKey(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return nodeCrypto.createPrivateKey({
    key: concat(prefix, raw) as unknown as Buffer,
    format: "der",
    type: "pkcs8",
  });
}

function publicKey(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return nodeCrypto.createPublicKey({
    key: concat(prefix, raw) as unknown as Buffer,
    format: "der",
    type: "spki",
  });
}

function rawPublic(key: KeyObject): Bytes {
  const spki = nodeCrypto.createPublicKey(key as unknown as string).export({
    format: "der",
    type: "spki",
  });
  return new Uint8Array(spki.subarray(spki.length - 32));
}

function aead(
  name: "chacha20-poly1305" | "aes-128-gcm" | "aes-256-gcm",
  key: Uint8Array,
): Aead {
  const options = { authTagLength: TAG_LENGTH };
  return {
    seal(nonce, plaintext, aad, out) {
      const cipher = nodeCrypto.createCipheriv(
        name as "chacha20-poly1305",
        key,
        nonce,
        options,
      );
      if (aad) cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const sealed = out?.subarray(0, plaintext.length + TAG_LENGTH) ??
        new Uint8Array(plaintext.length + TAG_LENGTH);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(nonce, ciphertext, aad) {
      const length = ciphertext.length - TAG_LENGTH;
      if (length < 0) throw new CryptoError("unauthenticated");
      const decipher = nodeCrypto.createDecipheriv(
        name as "chacha20-poly1305",
        key,
        nonce,
        options,
      );
      if (aad) decipher.setAAD(aad, { plaintextLength: length });
      decipher.setAuthTag(ciphertext.subarray(length));
      const plaintext = decipher.update(ciphertext.subarray(0, length));
      try {
        decipher.final();
      } catch (cause) {
        throw new CryptoError("unauthenticated", undefined, { cause });
      }
      return own(plaintext);
    },
  };
}
