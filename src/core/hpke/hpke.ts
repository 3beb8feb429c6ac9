import { type Bytes, concat, utf8 } from "../bytes/mod.ts";
import {
  type Aead,
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
  x25519KeyPair,
} from "../crypto/mod.ts";

/** Bytes that sealing adds: the encapsulated key, 32, and the tag, 16. */
export const HPKE_OVERHEAD = 48;

/** An AEAD cipher of RFC 9180 §7.3. */
export type HpkeAead = "aes-128-gcm" | "chacha20-poly1305";

/** The ciphers' numbers and the bytes of their keys. */
const AEADS: Readonly<Record<HpkeAead, { id: number; keyLength: number }>> = {
  "aes-128-gcm": { id: 0x0001, keyLength: 16 },
  "chacha20-poly1305": { id: 0x0003, keyLength: 32 },
};

/** What both ends must have in common. */
export interface HpkeOptions {
  /** The cipher; `"chacha20-poly1305"` by default. */
  readonly aead?: HpkeAead;
  /** What the keys are for (`info`); empty by default. */
  readonly info?: Uint8Array;
  /** What is authenticated beside the message; empty by default. */
  readonly aad?: Uint8Array;
}

const KEM_ID = [0x00, 0x20]; // DHKEM(X25519, HKDF-SHA256)
const KDF_ID = [0x00, 0x01]; // HKDF-SHA256
const KEM_SUITE = concat(utf8("KEM"), Uint8Array.from(KEM_ID));
const VERSION = utf8("HPKE-v1");
const MODE_BASE = 0;
const EMPTY = new Uint8Array();
/** What messages without an `info` have in common: two hashes less for each. */
const BARE_CONTEXTS = new Map<HpkeAead, Bytes>();

/**
 * Seals `plaintext` to the holder of `publicKey`, 32 bytes: base mode with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256
 * (RFC 9180 §6.1). Gives the encapsulated key and the ciphertext.
 *
 * The sender stays unknown: who must be known signs what is sealed.
 *
 * @param ephemeral - A key pair that is used for this message alone; fresh by default.
 * @throws {CryptoError} `weak_key` if the public key has low order.
 */
export function hpkeSeal(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  options: HpkeOptions = {},
  ephemeral: X25519KeyPair = generateX25519(crypto),
): { readonly enc: Bytes; readonly ciphertext: Bytes } {
  const enc = ephemeral.publicKey;
  const schedule = encapsulate(crypto, publicKey, options, ephemeral);
  using aead = schedule.aead();
  return {
    enc,
    ciphertext: aead.seal(schedule.nonce(), plaintext, options.aad),
  };
}

/**
 * Opens what {@link hpkeSeal} sealed.
 *
 * @throws {CryptoError} `unauthenticated` if it was not sealed so to this key; `weak_key` if `enc` has low order.
 */
export function hpkeOpen(
  crypto: CryptoProvider,
  keyPair: X25519KeyPair,
  sealed: { readonly enc: Uint8Array; readonly ciphertext: Uint8Array },
  options: HpkeOptions = {},
): Bytes {
  const { enc, ciphertext } = sealed;
  const schedule = decapsulate(crypto, keyPair, enc, options);
  using aead = schedule.aead();
  return aead.open(schedule.nonce(), ciphertext, options.aad);
}

/**
 * A secret of `length` bytes that the holder of `publicKey` can derive from the encapsulated key (RFC 9180 §6.2).
 *
 * @param ephemeral - A key pair that is used for this secret alone; fresh by default.
 * @throws {CryptoError} `weak_key` if the public key has low order.
 */
export function hpkeSendSecret(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
  exporterContext: Uint8Array,
  length: number,
  options: HpkeOptions = {},
  ephemeral: X25519KeyPair = generateX25519(crypto),
): { readonly enc: Bytes; readonly secret: Bytes } {
  const enc = ephemeral.publicKey;
  const schedule = encapsulate(crypto, publicKey, options, ephemeral);
  return { enc, secret: schedule.exportSecret(exporterContext, length) };
}

/**
 * The secret that {@link hpkeSendSecret} made with `enc`; of another `enc` it is another secret.
 *
 * @throws {CryptoError} `weak_key` if `enc` has low order.
 */
export function hpkeReceiveSecret(
  crypto: CryptoProvider,
  keyPair: X25519KeyPair,
  enc: Uint8Array,
  exporterContext: Uint8Array,
  length: number,
  options: HpkeOptions = {},
): Bytes {
  return decapsulate(crypto, keyPair, enc, options)
    .exportSecret(exporterContext, length);
}

/** The key pair that follows from the secret `ikm`, which should have 32 bytes of entropy (RFC 9180 §7.1.3). */
export function hpkeDeriveKeyPair(
  crypto: CryptoProvider,
  ikm: Uint8Array,
): X25519KeyPair {
  const labels = new Labeled(crypto, KEM_SUITE);
  const prk = labels.extract(EMPTY, "dkp_prk", ikm);
  return x25519KeyPair(crypto, labels.expand(prk, "sk", EMPTY, 32));
}

function encapsulate(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
  options: HpkeOptions,
  ephemeral: X25519KeyPair,
): KeySchedule {
  using privateKey = ephemeral.privateKey;
  const dh = crypto.x25519.sharedSecret(privateKey.expose(), publicKey);
  const context = concat(ephemeral.publicKey, publicKey);
  const secret = extractAndExpand(crypto, dh, context);
  return new KeySchedule(crypto, secret, options);
}

function decapsulate(
  crypto: CryptoProvider,
  keyPair: X25519KeyPair,
  enc: Uint8Array,
  options: HpkeOptions,
): KeySchedule {
  const dh = crypto.x25519.sharedSecret(keyPair.privateKey.expose(), enc);
  const context = concat(enc, keyPair.publicKey);
  const secret = extractAndExpand(crypto, dh, context);
  return new KeySchedule(crypto, secret, options);
}

/** The shared secret of the KEM (§4.1). */
function extractAndExpand(
  crypto: CryptoProvider,
  dh: Uint8Array,
  kemContext: Uint8Array,
): Bytes {
  const labels = new Labeled(crypto, KEM_SUITE);
  const prk = labels.extract(EMPTY, "eae_prk", dh);
  return labels.expand(prk, "shared_secret", kemContext, 32);
}

/** What follows from a shared secret, for one message (§5.1). */
class KeySchedule {
  readonly #crypto: CryptoProvider;
  readonly #aead: HpkeAead;
  readonly #labels: Labeled;
  readonly #context: Uint8Array;
  readonly #secret: Uint8Array;

  constructor(
    crypto: CryptoProvider,
    sharedSecret: Uint8Array,
    { info = EMPTY, aead = "chacha20-poly1305" }: HpkeOptions,
  ) {
    const id = Uint8Array.of(...KEM_ID, ...KDF_ID, 0, AEADS[aead].id);
    this.#crypto = crypto;
    this.#aead = aead;
    this.#labels = new Labeled(crypto, concat(utf8("HPKE"), id));
    this.#context = this.#contextOf(info);
    this.#secret = this.#labels.extract(sharedSecret, "secret", EMPTY);
  }

  aead(): Aead {
    const key = this.#expand("key", AEADS[this.#aead].keyLength);
    return this.#aead === "aes-128-gcm"
      ? this.#crypto.aesGcm(key)
      : this.#crypto.chacha20poly1305(key);
  }

  /** The base nonce, the nonce of the first message. */
  nonce(): Bytes {
    return this.#expand("base_nonce", 12);
  }

  exportSecret(context: Uint8Array, length: number): Bytes {
    return this.#labels.expand(this.#expand("exp", 32), "sec", context, length);
  }

  #contextOf(info: Uint8Array): Bytes {
    const known = info.length === 0 && BARE_CONTEXTS.get(this.#aead);
    if (known) return known;
    const context = concat(
      Uint8Array.of(MODE_BASE),
      this.#labels.extract(EMPTY, "psk_id_hash", EMPTY),
      this.#labels.extract(EMPTY, "info_hash", info),
    );
    if (info.length === 0) BARE_CONTEXTS.set(this.#aead, context);
    return context;
  }

  #expand(label: string, length: number): Bytes {
    return this.#labels.expand(this.#secret, label, this.#context, length);
  }
}

/** LabeledExtract and LabeledExpand of one suite (§4). */
class Labeled {
  readonly #crypto: CryptoProvider;
  readonly #suite: Uint8Array;

  constructor(crypto: CryptoProvider, suite: Uint8Array) {
    this.#crypto = crypto;
    this.#suite = suite;
  }

  extract(salt: Uint8Array, label: string, ikm: Uint8Array): Bytes {
    const parts = [VERSION, this.#suite, utf8(label), ikm];
    return this.#crypto.hmac("sha256", salt, ...parts);
  }

  expand(
    prk: Uint8Array,
    label: string,
    info: Uint8Array,
    length: number,
  ): Bytes {
    const prefix = Uint8Array.of(length >> 8, length);
    const labeled = concat(prefix, VERSION, this.#suite, utf8(label), info);
    return this.#crypto.hkdfExpand("sha256", prk, labeled, length);
  }
}
