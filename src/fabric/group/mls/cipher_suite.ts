import type {
  CiphersuiteImpl,
  CiphersuiteName,
} from "ts-mls/crypto/ciphersuite.js";
import type { Hpke, PrivateKey, PublicKey } from "ts-mls/crypto/hpke.js";
import type { Kdf } from "ts-mls/crypto/kdf.js";
import { type Bytes, equal } from "../../../core/bytes/mod.ts";
import {
  type Aead,
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
  x25519KeyPair,
} from "../../../core/crypto/mod.ts";
import {
  type HpkeAead,
  hpkeDeriveKeyPair,
  hpkeOpen,
  hpkeReceiveSecret,
  hpkeSeal,
  hpkeSendSecret,
} from "../../../core/hpke/mod.ts";

/** The cipher suites offered (RFC 9420 §17.1), by number: those of our own primitives. */
export const GROUP_CIPHER_SUITES = {
  1: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  3: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
} as const satisfies Readonly<Record<number, CiphersuiteName>>;

/** The number of a suite that is offered: X25519, SHA-256 and Ed25519 with AES-128-GCM (1) or ChaCha20-Poly1305 (3). */
export type GroupCipherSuite = keyof typeof GROUP_CIPHER_SUITES;

const AEAD: Readonly<
  Record<GroupCipherSuite, { name: HpkeAead; keyLength: number }>
> = {
  1: { name: "aes-128-gcm", keyLength: 16 },
  3: { name: "chacha20-poly1305", keyLength: 32 },
};
const HASH_BYTES = 32;
const NONCE_BYTES = 12;

/** The functions of a suite, of the primitives of `crypto`. */
export function cipherSuite(
  crypto: CryptoProvider,
  id: GroupCipherSuite,
): CiphersuiteImpl {
  const { ed25519 } = crypto;
  return {
    name: GROUP_CIPHER_SUITES[id],
    rng: { randomBytes: (length) => crypto.random(length) },
    hash: {
      digest: settled((data) => crypto.hash("sha256", data)),
      mac: settled((key, data) => crypto.hmac("sha256", key, data)),
      verifyMac: settled((key, mac, data) =>
        equal(mac, crypto.hmac("sha256", key, data))
      ),
    },
    kdf: kdf(crypto),
    signature: {
      sign: settled((seed, message) => ed25519.sign(seed, message)),
      verify: settled((key, message, signature) =>
        ed25519.verify(key, message, signature)
      ),
      keygen: settled(() => {
        const signKey = crypto.random(32);
        return { signKey, publicKey: ed25519.publicKey(signKey) };
      }),
    },
    hpke: hpke(crypto, id),
  };
}

function kdf(crypto: CryptoProvider): Kdf {
  return {
    size: HASH_BYTES,
    extract: settled((salt, ikm) => crypto.hmac("sha256", salt, ikm)),
    expand: settled((prk, info, length) =>
      crypto.hkdfExpand("sha256", prk, info, length)
    ),
  };
}

function hpke(crypto: CryptoProvider, id: GroupCipherSuite): Hpke {
  const { name: aead, keyLength } = AEAD[id];
  const cipher = (key: Uint8Array): Aead =>
    id === 1 ? crypto.aesGcm(key) : crypto.chacha20poly1305(key);
  const pairOf = (pair: X25519KeyPair) => ({
    privateKey: new HeldPrivateKey(pair),
    publicKey: new HeldPublicKey(pair.publicKey),
  });
  return {
    keyLength,
    nonceLength: NONCE_BYTES,
    importPrivateKey: settled((key) =>
      new HeldPrivateKey(x25519KeyPair(crypto, key.slice()))
    ),
    importPublicKey: settled((key) => new HeldPublicKey(key.slice())),
    exportPrivateKey: settled((key) => held(key).privateKey.expose().slice()),
    exportPublicKey: settled((key) => raw(key)),
    generateKeyPair: settled(() => pairOf(generateX25519(crypto))),
    deriveKeyPair: settled((ikm) => pairOf(hpkeDeriveKeyPair(crypto, ikm))),
    seal: settled((key, plaintext, info, aad) => {
      const options = { aead, info, ...(aad && { aad }) };
      const sealed = hpkeSeal(crypto, raw(key), plaintext, options);
      return { enc: sealed.enc, ct: sealed.ciphertext };
    }),
    open: settled((key, enc, ciphertext, info, aad) => {
      const options = { aead, info, ...(aad && { aad }) };
      return hpkeOpen(crypto, held(key), { enc, ciphertext }, options);
    }),
    exportSecret: settled((key, context, length, info) =>
      hpkeSendSecret(crypto, raw(key), context, length, { aead, info })
    ),
    importSecret: settled((key, context, enc, length, info) =>
      hpkeReceiveSecret(crypto, held(key), enc, context, length, {
        aead,
        info,
      })
    ),
    encryptAead: settled((key, nonce, aad, plaintext) => {
      using sealing = cipher(key);
      return sealing.seal(nonce, plaintext, aad);
    }),
    decryptAead: settled((key, nonce, aad, ciphertext) => {
      using opening = cipher(key);
      return opening.open(nonce, ciphertext, aad);
    }),
  };
}

/** The function as one that gives a promise, which is what the library asks for. */
function settled<A extends unknown[], R>(
  make: (...args: A) => R,
): (...args: A) => Promise<R> {
  // deno-lint-ignore require-await -- so that what it throws rejects the promise
  return async (...args) => make(...args);
}

/** A key in the shape of Web Crypto's, which the library passes on unread. */
class HeldKey<Type extends "private" | "public"> implements CryptoKey {
  readonly algorithm = { name: "X25519" };
  readonly extractable = true;
  readonly usages: KeyUsage[] = [];
  readonly type: Type;

  constructor(type: Type) {
    this.type = type;
  }
}

class HeldPrivateKey extends HeldKey<"private"> {
  readonly pair: X25519KeyPair;

  constructor(pair: X25519KeyPair) {
    super("private");
    this.pair = pair;
  }
}

class HeldPublicKey extends HeldKey<"public"> {
  readonly bytes: Bytes;

  constructor(bytes: Bytes) {
    super("public");
    this.bytes = bytes;
  }
}

function held(key: PrivateKey): X25519KeyPair {
  if (key instanceof HeldPrivateKey) return key.pair;
  throw new TypeError("Want a private key of this suite");
}

function raw(key: PublicKey): Bytes {
  if (key instanceof HeldPublicKey) return key.bytes;
  throw new TypeError("Want a public key of this suite");
}
