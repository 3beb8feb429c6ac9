/**
 * Protection of a link's frames: the transport phase of Noise, which the CipherStates of `core/noise` do too, but in place.
 *
 * ```text
 * k1, k2   = HKDF-SHA-256(IKM = "", salt = chaining key, info = "", 64)      Split(), Noise §5.2: k1 of the initiator
 * nonce    = 4 zero bytes ‖ LE64(number of the frame in its direction, from 0)
 * rekey    k = first 32 bytes of AEAD(k, nonce 2^64 − 1, "", 32 zeros)      REKEY(), §4.2, after each 2^16 frames
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import {
  type Aead,
  CryptoError,
  type CryptoProvider,
} from "../../core/crypto/mod.ts";
import { MixnetError } from "../error.ts";

/** Frames of one direction under one key. */
export const REKEY_FRAMES = 0x10000;

const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const EMPTY = new Uint8Array(0);

/** The keys of both directions of a link. */
export interface LinkKeys {
  /** Of the frames from initiator to responder, 32 bytes. */
  readonly initiator: Bytes;
  /** Of the frames from responder to initiator, 32 bytes. */
  readonly responder: Bytes;
}

/** The keys of Noise's Split() for a final `chainingKey`. */
export function splitLinkKeys(
  crypto: CryptoProvider,
  chainingKey: Uint8Array,
): LinkKeys {
  const keys = crypto.hkdf("sha256", EMPTY, chainingKey, EMPTY, 64);
  const initiator = keys.slice(0, KEY_LENGTH);
  const responder = keys.slice(KEY_LENGTH);
  keys.fill(0);
  return { initiator, responder };
}

/** One direction of a link, for sealing or for opening. */
export class LinkCipher implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #key: Bytes;
  readonly #nonce = new Uint8Array(NONCE_LENGTH);
  readonly #counter = new DataView(this.#nonce.buffer, 4);
  #aead: Aead | undefined;
  #frames = 0;

  /** Takes over `key`, 32 bytes, which rekeying and dispose wipe. */
  constructor(crypto: CryptoProvider, key: Bytes) {
    this.#crypto = crypto;
    this.#key = key;
    this.#aead = crypto.chacha20poly1305(key);
  }

  /** Number of frames so far. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Seals the body that stands at the start of `frame`, in place; the tag takes the last 16 bytes.
   *
   * @throws {MixnetError} `closed` after dispose.
   */
  seal(frame: Bytes, bodyLength: number): void {
    const aead = this.#next();
    aead.seal(this.#nonce, frame.subarray(0, bodyLength), EMPTY, frame);
  }

  /**
   * Opens `frame` into `body`, which is 16 bytes shorter.
   *
   * @throws {MixnetError} `unauthenticated` if it was damaged, replayed or reordered; `closed` after dispose.
   */
  open(frame: Bytes, body: Bytes): void {
    const aead = this.#next();
    try {
      aead.open(this.#nonce, frame, EMPTY, body);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new MixnetError("unauthenticated", "A link frame does not verify", {
        cause,
      });
    }
  }

  /** Wipes the key. */
  [Symbol.dispose](): void {
    this.#aead?.[Symbol.dispose]();
    this.#aead = undefined;
    this.#key.fill(0);
  }

  #next(): Aead {
    if (!this.#aead) throw new MixnetError("closed", "The link is closed");
    if (this.#frames > 0 && this.#frames % REKEY_FRAMES === 0) {
      this.#aead = this.#rekeyed(this.#aead);
    }
    this.#counter.setUint32(0, this.#frames >>> 0, true);
    this.#counter.setUint32(4, Math.floor(this.#frames / 2 ** 32), true);
    this.#frames++;
    return this.#aead;
  }

  #rekeyed(aead: Aead): Aead {
    this.#nonce.fill(0xff, 4);
    const next = aead.seal(this.#nonce, new Uint8Array(KEY_LENGTH));
    aead[Symbol.dispose]();
    this.#key.set(next.subarray(0, KEY_LENGTH));
    next.fill(0);
    return this.#crypto.chacha20poly1305(this.#key);
  }
}
