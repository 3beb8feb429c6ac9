/**
 * Datagrams beside a session's frames (profile section 5.1).
 *
 * ```text
 * datagram = N u64 ‖ ChaCha20-Poly1305(K, nonce = NS XOR LE64(N), ad = N, message)
 * N counts the datagrams of a direction from 0; those with the same N div 2^16 have the same K, and each next one's follows by "next"
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../core/bytes/mod.ts";
import {
  type Aead,
  CryptoError,
  type CryptoProvider,
} from "../core/crypto/mod.ts";
import { HtxError } from "./error.ts";
import { TAG_LENGTH } from "./frame.ts";
import {
  nextTrafficKeys,
  NONCE_LENGTH,
  type TrafficKeys,
  wipeKeys,
  writeNonce,
} from "./keys.ts";
import { REKEY_LIMITS } from "./protection.ts";
import { ReplayWindow } from "./replay_window.ts";

const NUMBER_LENGTH = 8;
const PER_KEY = REKEY_LIMITS.frames;

/** Bytes that protection adds to a message. */
export const DATAGRAM_OVERHEAD: number = NUMBER_LENGTH + TAG_LENGTH;

/** How many keys a datagram may be ahead: all of those of a key may get lost, as one is left after an hour. */
const MAX_KEYS_AHEAD = 256;

/** Why a datagram that came is none: shorter than any, seen before, more than 1,024 behind, or more than 256 keys ahead. */
export type DatagramFault = "malformed" | "seen" | "old" | "ahead";

/** The key of one generation. */
class Generation implements Disposable {
  readonly number: number;
  readonly #crypto: CryptoProvider;
  readonly #keys: TrafficKeys;
  readonly #aead: Aead;

  constructor(crypto: CryptoProvider, number: number, keys: TrafficKeys) {
    this.#crypto = crypto;
    this.number = number;
    this.#keys = keys;
    this.#aead = crypto.chacha20poly1305(keys.key);
  }

  /** The one behind it. */
  next(): Generation {
    const keys = nextTrafficKeys(this.#crypto, this.#keys);
    return new Generation(this.#crypto, this.number + 1, keys);
  }

  seal(number: number, message: Uint8Array): Bytes {
    const head = numberBytes(number);
    const out = new Uint8Array(message.length + DATAGRAM_OVERHEAD);
    out.set(head);
    const sealed = out.subarray(NUMBER_LENGTH);
    this.#aead.seal(this.#nonce(number), message, head, sealed);
    return out;
  }

  open(number: number, datagram: Uint8Array): Bytes {
    return this.#aead.open(
      this.#nonce(number),
      datagram.subarray(NUMBER_LENGTH),
      datagram.subarray(0, NUMBER_LENGTH),
    );
  }

  [Symbol.dispose](): void {
    this.#aead[Symbol.dispose]();
    wipeKeys(this.#keys);
  }

  #nonce(number: number): Bytes {
    const nonce = new Uint8Array(NONCE_LENGTH);
    writeNonce(this.#keys.nonceSalt, number, nonce);
    return nonce;
  }
}

/** Seals the datagrams we send. */
export class DatagramSealer implements Disposable {
  #generation: Generation;
  #keyedAtMs: number;
  #next = 0;

  /** Starts with the first datagram keys of our direction, which it takes over. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys, nowMs: number) {
    this.#generation = new Generation(crypto, 0, keys);
    this.#keyedAtMs = nowMs;
  }

  /** Seals `message` under the next number; an hour under one key skips the rest of its numbers. */
  seal(message: Uint8Array, nowMs: number): Bytes {
    const isOld = nowMs - this.#keyedAtMs >= REKEY_LIMITS.ageMs;
    const end = (this.#generation.number + 1) * PER_KEY;
    if (isOld || this.#next === end) {
      using _old = this.#generation;
      this.#generation = this.#generation.next();
      this.#keyedAtMs = nowMs;
      this.#next = end;
    }
    return this.#generation.seal(this.#next++, message);
  }

  /** Wipes the key. */
  [Symbol.dispose](): void {
    this.#generation[Symbol.dispose]();
  }
}

/** Opens the datagrams we receive, each once. */
export class DatagramOpener implements Disposable {
  readonly #window = new ReplayWindow();
  #generation: Generation;
  /** For those that the first of the next generation overtook. */
  #previous: Generation | undefined;

  /** Starts with the first datagram keys of the peer's direction, which it takes over. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys) {
    this.#generation = new Generation(crypto, 0, keys);
  }

  /**
   * What `datagram` says, or why it says nothing.
   *
   * @throws {HtxError} `unauthenticated` if it is not the peer's.
   */
  open(datagram: Uint8Array): Bytes | DatagramFault {
    if (datagram.length < DATAGRAM_OVERHEAD) return "malformed";
    const number = Number(new Reader(datagram, "htx datagram").u64());
    if (!Number.isSafeInteger(number)) return "malformed";
    const freshness = this.#window.check(number);
    if (freshness !== "new") return freshness;
    const generation = this.#generationOf(Math.floor(number / PER_KEY));
    if (typeof generation === "string") return generation;
    const message = this.#opened(generation, number, datagram);
    this.#window.take(number);
    if (generation.number > this.#generation.number) {
      this.#previous?.[Symbol.dispose]();
      this.#previous = this.#generation;
      this.#generation = generation;
    }
    return message;
  }

  /** Wipes the keys. */
  [Symbol.dispose](): void {
    this.#generation[Symbol.dispose]();
    this.#previous?.[Symbol.dispose]();
  }

  #opened(
    generation: Generation,
    number: number,
    datagram: Uint8Array,
  ): Bytes {
    try {
      return generation.open(number, datagram);
    } catch (cause) {
      if (generation.number > this.#generation.number) {
        generation[Symbol.dispose]();
      }
      if (!(cause instanceof CryptoError)) throw cause;
      throw new HtxError("unauthenticated", "Datagram does not verify", {
        cause,
      });
    }
  }

  #generationOf(number: number): Generation | "old" | "ahead" {
    const now = this.#generation.number;
    if (number === now) return this.#generation;
    if (number < now) {
      return number === this.#previous?.number ? this.#previous : "old";
    }
    if (number > now + MAX_KEYS_AHEAD) return "ahead";
    let generation = this.#generation.next();
    while (generation.number < number) {
      using passed = generation;
      generation = passed.next();
    }
    return generation;
  }
}

function numberBytes(number: number): Bytes {
  return new Writer(NUMBER_LENGTH).u64(BigInt(number)).finish();
}
