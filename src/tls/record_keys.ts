import type { Bytes } from "../core/bytes/mod.ts";
import type { Aead, CryptoProvider } from "../core/crypto/mod.ts";
import { nextTrafficSecret, trafficKeys } from "./key_schedule.ts";
import type { Suite } from "./suite.ts";

/** One direction's traffic secret, its AEAD and its sequence number (RFC 8446 §5.3). */
export class RecordKeys implements Disposable {
  readonly #crypto: CryptoProvider;
  /** The suite in use. */
  readonly suite: Suite;
  readonly #nonce = new Uint8Array(12);
  #secret: Bytes;
  #iv: Bytes;
  #aead: Aead;
  #sequence = 0;

  /** Takes over `secret`, which is wiped at the next key or on dispose. */
  constructor(crypto: CryptoProvider, suite: Suite, secret: Bytes) {
    this.#crypto = crypto;
    this.suite = suite;
    this.#secret = secret;
    const { key, iv } = trafficKeys(crypto, suite, secret);
    this.#aead = suite.aead(crypto, key);
    this.#iv = iv;
    key.fill(0);
  }

  /** Number of records under this key. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The AEAD. */
  get aead(): Aead {
    return this.#aead;
  }

  /** The nonce of the next record, in an array that the following call overwrites. */
  nonce(): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let rest = this.#sequence;
    for (let i = nonce.length - 1; rest > 0; i--) {
      nonce[i]! ^= rest % 256;
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }

  /**
   * Counts the record whose {@link nonce} was used.
   *
   * @throws {RangeError} If the sequence number would pass 2^53 − 1; it never wraps.
   */
  advance(): void {
    if (this.#sequence >= Number.MAX_SAFE_INTEGER) {
      throw new RangeError("A sequence number must not wrap");
    }
    this.#sequence++;
  }

  /** Moves on to the next traffic secret (RFC 8446 §7.2). */
  update(): void {
    const next = nextTrafficSecret(this.#crypto, this.suite, this.#secret);
    this[Symbol.dispose]();
    const { key, iv } = trafficKeys(this.#crypto, this.suite, next);
    this.#secret = next;
    this.#aead = this.suite.aead(this.#crypto, key);
    this.#iv = iv;
    this.#sequence = 0;
    key.fill(0);
  }

  /** Wipes the keys. */
  [Symbol.dispose](): void {
    this.#secret.fill(0);
    this.#iv.fill(0);
    this.#aead[Symbol.dispose]();
  }
}
