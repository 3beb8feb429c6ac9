import type { Bytes } from "../bytes/mod.ts";
import { type Aead, CryptoError, type CryptoProvider } from "../crypto/mod.ts";
import { NoiseError } from "./error.ts";
import { MAX_MESSAGE_LENGTH, TAG_LENGTH } from "./pattern.ts";

const KEY_LENGTH = 32;
const RESERVED_NONCE = 2n ** 64n - 1n;

/** A ChaChaPoly key and its nonce counter (Noise §5.1), for one direction. */
export class CipherState implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #key: Bytes;
  #aead: Aead | undefined;
  #nonce = 0n;

  /**
   * Takes over `key`, which {@linkcode CipherState.rekey} and dispose wipe.
   *
   * @throws {RangeError} If `key` is not 32 bytes.
   */
  constructor(crypto: CryptoProvider, key: Bytes) {
    if (key.length !== KEY_LENGTH) {
      throw new RangeError(`A Noise key must be 32 bytes: got ${key.length}`);
    }
    this.#crypto = crypto;
    this.#key = key;
    this.#aead = crypto.chacha20poly1305(key);
  }

  /** The nonce of the next message, 0 … 2^64 − 1; the last value is never used to encrypt. */
  get nonce(): bigint {
    return this.#nonce;
  }

  /**
   * Moves to another nonce, for transports that lose or reorder messages (Noise §11.4).
   *
   * Encrypting twice with one nonce breaks the cipher: only a receiver may go back.
   *
   * @throws {RangeError} If `nonce` is not in 0 … 2^64 − 1.
   */
  setNonce(nonce: bigint): void {
    if (nonce < 0n || nonce > RESERVED_NONCE) {
      throw new RangeError(`A nonce must be in 0..2^64-1: got ${nonce}`);
    }
    this.#nonce = nonce;
  }

  /**
   * Encrypts `plaintext` (at most 65,519 bytes), authenticates `ad` with it, and moves to the next nonce.
   *
   * @returns The ciphertext with its 16-byte tag.
   * @throws {RangeError} If `plaintext` is too long for a Noise message.
   * @throws {NoiseError} `exhausted` after 2^64 − 1 messages, `closed` after dispose.
   */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Bytes {
    const aead = this.#usable();
    if (plaintext.length > MAX_MESSAGE_LENGTH - TAG_LENGTH) {
      throw new RangeError(
        `A Noise plaintext must be at most 65519 bytes: got ${plaintext.length}`,
      );
    }
    const sealed = aead.seal(encodeNonce(this.#nonce), plaintext, ad);
    this.#nonce++;
    return sealed;
  }

  /**
   * Verifies `ad` and decrypts `ciphertext` (tag included), then moves to the next nonce; a failure leaves the nonce where it was.
   *
   * @throws {NoiseError} `rejected` if it does not verify or is over 65,535 bytes, `exhausted` and `closed` as for encryption.
   */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Bytes {
    const aead = this.#usable();
    if (ciphertext.length > MAX_MESSAGE_LENGTH) {
      throw new NoiseError("rejected");
    }
    try {
      const plaintext = aead.open(encodeNonce(this.#nonce), ciphertext, ad);
      this.#nonce++;
      return plaintext;
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new NoiseError("rejected", { cause });
    }
  }

  /**
   * Replaces the key by a one-way function of itself and keeps the nonce (Noise §4.2, §11.3).
   *
   * @throws {NoiseError} `closed` after dispose.
   */
  rekey(): void {
    if (!this.#aead) throw new NoiseError("closed");
    const next = this.#aead.seal(
      encodeNonce(RESERVED_NONCE),
      new Uint8Array(KEY_LENGTH),
    );
    this.#key.set(next.subarray(0, KEY_LENGTH));
    next.fill(0);
    this.#aead[Symbol.dispose]();
    this.#aead = this.#crypto.chacha20poly1305(this.#key);
  }

  /** Wipes the key; further use throws. */
  [Symbol.dispose](): void {
    this.#aead?.[Symbol.dispose]();
    this.#aead = undefined;
    this.#key.fill(0);
  }

  #usable(): Aead {
    if (!this.#aead) throw new NoiseError("closed");
    if (this.#nonce === RESERVED_NONCE) throw new NoiseError("exhausted");
    return this.#aead;
  }
}

/** 4 zero bytes, then the 64-bit little-endian counter (Noise §12.3). */
function encodeNonce(nonce: bigint): Bytes {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(4, nonce, true);
  return bytes;
}
