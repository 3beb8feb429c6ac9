import type { Bytes } from "../core/bytes/mod.ts";
import {
  type Aead,
  CryptoError,
  type CryptoProvider,
} from "../core/crypto/mod.ts";
import { HtxError } from "./error.ts";
import {
  encodeFrameHeader,
  type FrameHeader,
  type FrameType,
  TAG_LENGTH,
} from "./frame.ts";
import {
  nextTrafficKeys,
  NONCE_LENGTH,
  type TrafficKeys,
  wipeKeys,
  writeNonce,
} from "./keys.ts";

/** When a direction must change its key (§5.3). */
export interface RekeyLimits {
  /** Frames under one key, at most 2^16. */
  readonly frames: number;
  /** Ciphertext bytes under one key, at most 8 GiB. */
  readonly bytes: number;
  /** Age of a key in milliseconds, at most 1 h. */
  readonly ageMs: number;
}

/** The limits of Betanet 1.1 §5.3. */
export const REKEY_LIMITS: RekeyLimits = {
  frames: 0x10000,
  bytes: 8 * 2 ** 30,
  ageMs: 3_600_000,
};

/** One direction's keys, counter and AEAD; sealing and opening share it. */
class Direction {
  readonly #crypto: CryptoProvider;
  #keys: TrafficKeys;
  #aead: Aead;
  readonly nonce = new Uint8Array(NONCE_LENGTH);
  /** Frames under this key. */
  frames = 0;
  /** Ciphertext bytes under this key. */
  bytes = 0;
  /** How many times the key changed. */
  generation = 0;
  #wiped = false;

  constructor(crypto: CryptoProvider, keys: TrafficKeys) {
    this.#crypto = crypto;
    this.#keys = keys;
    this.#aead = crypto.chacha20poly1305(keys.key);
  }

  /** The AEAD, with {@link nonce} set for the next frame. */
  next(length: number): Aead {
    if (this.#wiped) throw new HtxError("closed", "Keys are wiped");
    writeNonce(this.#keys.nonceSalt, this.frames, this.nonce);
    this.frames++;
    this.bytes += length;
    return this.#aead;
  }

  /** Moves on to the next key and wipes this one. */
  rekey(): void {
    const keys = nextTrafficKeys(this.#crypto, this.#keys);
    this.#dropKey();
    this.#keys = keys;
    this.#aead = this.#crypto.chacha20poly1305(keys.key);
    this.frames = 0;
    this.bytes = 0;
    this.generation++;
  }

  wipe(): void {
    this.#wiped = true;
    this.#dropKey();
  }

  #dropKey(): void {
    this.#aead[Symbol.dispose]();
    wipeKeys(this.#keys);
  }
}

/** Seals the frames we send. */
export class Sealer {
  readonly #direction: Direction;
  readonly #limits: RekeyLimits;
  #keyedAtMs: number;

  /**
   * Starts with the first key of our direction.
   *
   * @throws {RangeError} If a limit is above that of §5.3, or leaves no frame between two KEY_UPDATEs.
   */
  constructor(
    crypto: CryptoProvider,
    keys: TrafficKeys,
    nowMs: number,
    limits: RekeyLimits = REKEY_LIMITS,
  ) {
    const { frames, bytes, ageMs } = limits;
    if (
      !(frames >= 2 && frames <= REKEY_LIMITS.frames &&
        bytes > 0 && bytes <= REKEY_LIMITS.bytes &&
        ageMs > 0 && ageMs <= REKEY_LIMITS.ageMs)
    ) {
      throw new RangeError("Rekey limits must not be above 2^16, 8 GiB, 1 h");
    }
    this.#direction = new Direction(crypto, keys);
    this.#keyedAtMs = nowMs;
    this.#limits = limits;
  }

  /** How many times our key changed. */
  get generation(): number {
    return this.#direction.generation;
  }

  /** When the key is too old, on the clock of the caller. */
  get rekeyAtMs(): number {
    return this.#keyedAtMs + this.#limits.ageMs;
  }

  /** Whether the next frame has to be a KEY_UPDATE; that frame is the last under its key. */
  rekeyDue(nowMs: number, nextLength: number): boolean {
    return this.#direction.frames + 1 >= this.#limits.frames ||
      this.#direction.bytes + nextLength >= this.#limits.bytes ||
      nowMs >= this.rekeyAtMs;
  }

  /** Uses the next key from the next frame on. */
  rekey(nowMs: number): void {
    this.#direction.rekey();
    this.#keyedAtMs = nowMs;
  }

  /**
   * Seals the frame whose `length` plaintext bytes already stand in `out` where its ciphertext goes, which is
   * `headerLength` bytes after `offset`; returns the offset after its tag.
   */
  seal(
    type: FrameType,
    streamId: number,
    length: number,
    out: Bytes,
    offset: number,
  ): number {
    const start = encodeFrameHeader(type, streamId, length, out, offset);
    const aead = this.#direction.next(length);
    const end = start + length + TAG_LENGTH;
    aead.seal(
      this.#direction.nonce,
      out.subarray(start, start + length),
      out.subarray(offset, start),
      out.subarray(start, end),
    );
    return end;
  }

  /** Wipes the key; nothing can be sealed any more. */
  [Symbol.dispose](): void {
    this.#direction.wipe();
  }
}

/** Opens the frames we receive. */
export class Opener {
  readonly #direction: Direction;

  /** Starts with the first key of the peer's direction. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys) {
    this.#direction = new Direction(crypto, keys);
  }

  /** How many times the peer's key changed. */
  get generation(): number {
    return this.#direction.generation;
  }

  /**
   * Opens the frame at `offset` of `bytes`, all of which are there.
   *
   * @throws {HtxError} `unauthenticated` if it was damaged, replayed, reordered, or sealed under another key;
   * `violation` if the peer used its key beyond the limits of §5.3.
   */
  open(bytes: Uint8Array, offset: number, header: FrameHeader): Bytes {
    if (
      this.#direction.frames >= REKEY_LIMITS.frames ||
      this.#direction.bytes > REKEY_LIMITS.bytes
    ) {
      throw new HtxError("violation", "Peer used one key for too long");
    }
    const start = offset + header.headerLength;
    const aead = this.#direction.next(header.length);
    try {
      return aead.open(
        this.#direction.nonce,
        bytes.subarray(start, start + header.length + TAG_LENGTH),
        bytes.subarray(offset, start),
      );
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new HtxError("unauthenticated", "Frame does not verify", { cause });
    }
  }

  /** Uses the peer's next key from the next frame on. */
  rekey(): void {
    this.#direction.rekey();
  }

  /** Wipes the key; nothing can be opened any more. */
  [Symbol.dispose](): void {
    this.#direction.wipe();
  }
}
