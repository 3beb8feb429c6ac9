import type { Bytes } from "../bytes/mod.ts";
import { Secret } from "./secret.ts";

/** Hash functions a provider has, with their output length in bytes. */
export const HASH_LENGTH = {
  sha256: 32,
  sha384: 48,
  sha512: 64,
  blake2s: 32,
  blake2b: 64,
} as const;

/** One of {@link HASH_LENGTH}. */
export type HashName = keyof typeof HASH_LENGTH;

/**
 * An AEAD cipher (RFC 5116) under one key, with 16-byte tags and nonces of 12 bytes, if nothing else was asked for.
 *
 * Dispose wipes its copy of the key; every later use throws `TypeError`.
 */
export interface Aead extends Disposable {
  /**
   * Encrypts `plaintext` and returns the ciphertext with its tag behind it, in `out` when given, else in a new array.
   *
   * @param out At least `plaintext.length + 16` bytes; it may start where `plaintext` starts (sealing in place), but not
   * overlap the input otherwise.
   * @throws {RangeError} If `nonce` has another length, or `out` is too short or overlaps the input otherwise.
   */
  seal(
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad?: Uint8Array,
    out?: Bytes,
  ): Bytes;

  /**
   * Verifies `ciphertext`, tag included, and returns the plaintext, in `out` when given, else in a new array.
   *
   * @param out At least `ciphertext.length - 16` bytes; it may start where `ciphertext` starts (opening in place), but not
   * overlap the input otherwise. If the tag does not verify, those bytes are zeros, in place the ciphertext's too.
   * @throws {RangeError} If `nonce` has another length, or `out` is too short or overlaps the input otherwise.
   * @throws {CryptoError} `unauthenticated` if the tag does not verify, whatever the cause.
   */
  open(
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    aad?: Uint8Array,
    out?: Bytes,
  ): Bytes;
}

/** AES key wrap (RFC 3394): what is wrapped has 8 bytes more than the key. */
export interface AesKeyWrap {
  /**
   * Wraps `key` with a 16- or 32-byte key.
   *
   * @throws {RangeError} If `key` has not a multiple of 8 bytes, from 16.
   */
  wrap(wrappingKey: Uint8Array, key: Uint8Array): Bytes;
  /**
   * The key in `wrapped`.
   *
   * @throws {CryptoError} `unauthenticated` if it was not wrapped so with this key.
   */
  unwrap(wrappingKey: Uint8Array, wrapped: Uint8Array): Bytes;
}

/** A private key and its public key. */
export interface KeyPair {
  /** The private key, or the seed it comes from. */
  readonly privateKey: Bytes;
  /** The public key. */
  readonly publicKey: Bytes;
}

/** X25519 (RFC 7748); every key is 32 bytes. */
export interface X25519 {
  /** The public key of `privateKey`. */
  publicKey(privateKey: Uint8Array): Bytes;
  /**
   * The 32-byte shared secret; a `publicKey` on the twist or not in its shortest form counts as RFC 7748 §5 says.
   *
   * @throws {CryptoError} `weak_key` if it is all zero (RFC 7748 §6.1).
   */
  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Bytes;
}

/** ECDH over a NIST curve (SEC 1 §3.3.1); private keys are big-endian scalars, public keys uncompressed points. */
export interface Ecdh {
  /** Bytes of a private key and of a shared secret: 32 for P-256, 48 for P-384. A public key has twice that and one. */
  readonly length: number;
  /** A fresh key pair. */
  generateKeyPair(): KeyPair;
  /**
   * The public key of `privateKey`.
   *
   * @throws {RangeError} If `privateKey` has another length, or is not in 1 … n − 1.
   */
  publicKey(privateKey: Uint8Array): Bytes;
  /**
   * The x-coordinate of the shared point.
   *
   * @throws {CryptoError} `invalid_key` if `publicKey` is not an uncompressed point on the curve.
   */
  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Bytes;
}

/** A key to sign with. Dispose wipes it, as far as the library lets us: it signs nothing any more. */
export interface Ed25519Signer extends Disposable {
  /**
   * Signs `message`.
   *
   * @throws {TypeError} After dispose.
   */
  sign(message: Uint8Array): Bytes;
}

/** Ed25519 (RFC 8032); seeds and public keys are 32 bytes, signatures 64. */
export interface Ed25519 {
  /** The public key of `seed`. */
  publicKey(seed: Uint8Array): Bytes;
  /** Signs `message`. */
  sign(seed: Uint8Array, message: Uint8Array): Bytes;
  /** Signs with one key again and again: what {@link sign} does to the key, which takes longer than to sign, is done once. */
  signer(seed: Uint8Array): Ed25519Signer;
  /**
   * Whether `signature` (R ‖ S) over `message` is that of `publicKey` (A), by the strictest reading of RFC 8032 §5.1.7;
   * malformed keys and signatures are `false`.
   *
   * | case | accepted |
   * | --- | --- |
   * | S not below the group order (a malleable signature) | no |
   * | A not in its shortest form, or not a point | no |
   * | A of small order, which would sign every message | no |
   * | A with a small-order part | if the equation holds |
   * | R not in its shortest form | no |
   * | R of small order | if the equation holds |
   * | holds only when multiplied by the cofactor 8 (as ZIP 215 does) | no |
   */
  verify(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;
}

/** ML-KEM-768 (FIPS 203): 1,184-byte public, 2,400-byte private keys, 1,088-byte ciphertexts, 32-byte secrets. */
export interface MlKem768 {
  /**
   * A key pair from a 64-byte `seed` (d ‖ z), random when absent.
   *
   * @throws {RangeError} If `seed` is not 64 bytes long.
   */
  generateKeyPair(seed?: Uint8Array): KeyPair;
  /**
   * A fresh shared secret and its ciphertext for `publicKey`; `seed` (32 bytes) fixes the randomness, for tests.
   *
   * @throws {CryptoError} `invalid_key` if `publicKey` fails the checks of FIPS 203 §7.2: length and modulus.
   * @throws {RangeError} If `seed` is not 32 bytes long.
   */
  encapsulate(
    publicKey: Uint8Array,
    seed?: Uint8Array,
  ): { readonly ciphertext: Bytes; readonly sharedSecret: Bytes };
  /**
   * The shared secret of `ciphertext`; a forged one gives an unrelated secret (implicit rejection).
   *
   * @throws {CryptoError} `invalid_key` if a length is wrong or `privateKey` fails the hash check of FIPS 203 §7.3.
   */
  decapsulate(privateKey: Uint8Array, ciphertext: Uint8Array): Bytes;
}

/**
 * The one door to cryptographic primitives: synchronous, so that protocol state machines need no IO.
 *
 * A wrong length of what our caller chooses throws `RangeError` before any work; what a peer sent fails with
 * {@link CryptoError} or, in `verify`, `false`. Every array returned is new and has its buffer for itself.
 */
export interface CryptoProvider {
  /** `"node"`, `"noble"` or the name of a native library. */
  readonly name: string;
  /** `length` bytes from the system's generator, of any length. */
  random(length: number): Bytes;
  /** The hash of `parts` joined. */
  hash(name: HashName, ...parts: readonly Uint8Array[]): Bytes;
  /** HMAC (RFC 2104) over `parts` joined. */
  hmac(
    name: HashName,
    key: Uint8Array,
    ...parts: readonly Uint8Array[]
  ): Bytes;
  /**
   * Keyed BLAKE2b (RFC 7693 §2.9) over `parts` joined, with an output of `length` bytes, which is itself hashed.
   *
   * @param key 1 to 64 bytes, else `RangeError`.
   * @param length 1 to 64, else `RangeError`.
   */
  blake2bMac(
    key: Uint8Array,
    length: number,
    ...parts: readonly Uint8Array[]
  ): Bytes;
  /**
   * HKDF-Extract then HKDF-Expand (RFC 5869); an empty salt stands for zeros.
   *
   * @param length At most 255 times the length of the hash, else `RangeError`.
   */
  hkdf(
    name: HashName,
    ikm: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ): Bytes;
  /**
   * HKDF-Expand (RFC 5869 §2.3) of `prk`, which is at least as long as the hash.
   *
   * @param length At most 255 times the length of the hash, else `RangeError`.
   */
  hkdfExpand(
    name: HashName,
    prk: Uint8Array,
    info: Uint8Array,
    length: number,
  ): Bytes;
  /** ChaCha20-Poly1305 (RFC 8439) under a copy of a 32-byte key. */
  chacha20poly1305(key: Uint8Array): Aead;
  /**
   * AES-GCM (NIST SP 800-38D) under a copy of a 16- or 32-byte key.
   *
   * @param nonceLength 8 to 16 bytes; 12 by default, as others are hashed first.
   */
  aesGcm(key: Uint8Array, nonceLength?: number): Aead;
  /** AES key wrap (RFC 3394). */
  readonly aesKeyWrap: AesKeyWrap;
  /**
   * XORs `data` with the ChaCha20 key stream (RFC 8439 §2.4) that starts at block `counter`.
   *
   * @throws {RangeError} If a length is wrong or a block would have a number above 2^32 − 2.
   */
  chacha20(
    key: Uint8Array,
    nonce: Uint8Array,
    counter: number,
    data: Uint8Array,
  ): Bytes;
  /** XORs `data` with AES-CTR under a 16- or 32-byte key; `iv` is the first 16-byte counter block, which wraps at 2^128. */
  aesCtr(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Bytes;
  /** X25519. */
  readonly x25519: X25519;
  /** ECDH over P-256. */
  readonly p256: Ecdh;
  /** ECDH over P-384. */
  readonly p384: Ecdh;
  /** Ed25519. */
  readonly ed25519: Ed25519;
  /** ML-KEM-768. */
  readonly mlKem768: MlKem768;
}

/** An X25519 key pair that can be printed and logged without harm. */
export interface X25519KeyPair {
  /** The private key, 32 bytes. */
  readonly privateKey: Secret;
  /** The public key, 32 bytes. */
  readonly publicKey: Bytes;
}

/** A fresh X25519 key pair. */
export function generateX25519(crypto: CryptoProvider): X25519KeyPair {
  return x25519KeyPair(crypto, crypto.random(32));
}

/** The X25519 key pair of `privateKey`, 32 bytes, which it takes over. */
export function x25519KeyPair(
  crypto: CryptoProvider,
  privateKey: Bytes,
): X25519KeyPair {
  const publicKey = crypto.x25519.publicKey(privateKey);
  return { privateKey: new Secret(privateKey), publicKey };
}
