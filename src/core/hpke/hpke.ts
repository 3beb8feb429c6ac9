import { type Bytes, concat, utf8 } from "../bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../crypto/mod.ts";

/** Bytes that sealing adds: the encapsulated key, 32, and the tag, 16. */
export const HPKE_OVERHEAD = 48;

/** What both ends must have in common. */
export interface HpkeOptions {
  /** What the keys are for (`info`); empty by default. */
  readonly info?: Uint8Array;
  /** What is authenticated beside the message; empty by default. */
  readonly aad?: Uint8Array;
}

const KEM_ID = [0x00, 0x20]; // DHKEM(X25519, HKDF-SHA256)
const SUITE_ID = Uint8Array.of(...KEM_ID, 0x00, 0x01, 0x00, 0x03);
const KEM_SUITE = concat(utf8("KEM"), Uint8Array.from(KEM_ID));
const HPKE_SUITE = concat(utf8("HPKE"), SUITE_ID);
const VERSION = utf8("HPKE-v1");
const MODE_BASE = 0;
const EMPTY = new Uint8Array();

/**
 * Seals `plaintext` to the holder of `publicKey`, 32 bytes: base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * ChaCha20-Poly1305 (RFC 9180 §6.1). Gives the encapsulated key and the ciphertext.
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
  using privateKey = ephemeral.privateKey;
  const enc = ephemeral.publicKey;
  const dh = crypto.x25519.sharedSecret(privateKey.expose(), publicKey);
  const secret = extractAndExpand(crypto, dh, concat(enc, publicKey));
  const { key, nonce } = schedule(crypto, secret, options.info ?? EMPTY);
  using aead = crypto.chacha20poly1305(key);
  return { enc, ciphertext: aead.seal(nonce, plaintext, options.aad) };
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
  const dh = crypto.x25519.sharedSecret(keyPair.privateKey.expose(), enc);
  const context = concat(enc, keyPair.publicKey);
  const secret = extractAndExpand(crypto, dh, context);
  const { key, nonce } = schedule(crypto, secret, options.info ?? EMPTY);
  using aead = crypto.chacha20poly1305(key);
  return aead.open(nonce, ciphertext, options.aad);
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

/** Key and base nonce, the nonce of the first message (§5.1). */
function schedule(
  crypto: CryptoProvider,
  sharedSecret: Uint8Array,
  info: Uint8Array,
): { readonly key: Bytes; readonly nonce: Bytes } {
  const labels = new Labeled(crypto, HPKE_SUITE);
  const context = concat(
    Uint8Array.of(MODE_BASE),
    labels.extract(EMPTY, "psk_id_hash", EMPTY),
    labels.extract(EMPTY, "info_hash", info),
  );
  const secret = labels.extract(sharedSecret, "secret", EMPTY);
  return {
    key: labels.expand(secret, "key", context, 32),
    nonce: labels.expand(secret, "base_nonce", context, 12),
  };
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
