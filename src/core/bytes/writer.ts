import type { Bytes } from "./bytes.ts";
import { encodeVarint, varintSize } from "./varint.ts";

/** A growing buffer that encoders append to. */
export class Writer {
  #bytes: Bytes;
  #length = 0;

  /** Starts empty, with room for `capacity` bytes before the first growth. */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Number of bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends `bytes`. */
  put(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /**
   * Appends one byte.
   *
   * @throws {RangeError} If `value` is not an integer in 0 … 255.
   */
  u8(value: number): this {
    const at = this.#grow(checkUint(value, 1));
    this.#bytes[at] = value;
    return this;
  }

  /**
   * Appends a 16-bit big-endian integer.
   *
   * @throws {RangeError} If `value` is not an integer in 0 … 2^16 − 1.
   */
  u16(value: number): this {
    const at = this.#grow(checkUint(value, 2));
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  /**
   * Appends a 24-bit big-endian integer.
   *
   * @throws {RangeError} If `value` is not an integer in 0 … 2^24 − 1.
   */
  u24(value: number): this {
    const at = this.#grow(checkUint(value, 3));
    this.#bytes[at] = value >>> 16;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value;
    return this;
  }

  /**
   * Appends a 32-bit big-endian integer.
   *
   * @throws {RangeError} If `value` is not an integer in 0 … 2^32 − 1.
   */
  u32(value: number): this {
    const at = this.#grow(checkUint(value, 4));
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }

  /**
   * Appends a 64-bit big-endian integer.
   *
   * @throws {RangeError} If `value` is not in 0 … 2^64 − 1.
   */
  u64(value: bigint): this {
    if (value < 0n || value >= 1n << 64n) {
      throw new RangeError(`A u64 must be in 0..2^64-1: got ${value}`);
    }
    return this.u32(Number(value >> 32n)).u32(Number(value & 0xffffffffn));
  }

  /**
   * Appends a QUIC variable-length integer (RFC 9000 §16) in its shortest form.
   *
   * @throws {RangeError} If `value` is not an integer in 0 … 2^53 − 1.
   */
  varint(value: number): this {
    const at = this.#grow(varintSize(value));
    encodeVarint(value, this.#bytes, at);
    return this;
  }

  /** The bytes written, which nothing else changes: no copy where they fill the room exactly. */
  finish(): Bytes {
    return this.#length === this.#bytes.length
      ? this.#bytes
      : this.#bytes.slice(0, this.#length);
  }

  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(
        Math.max(this.#length, 2 * this.#bytes.length),
      );
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    return at;
  }
}

function checkUint(value: number, size: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
    throw new RangeError(
      `A u${8 * size} must be an integer in 0..2^${8 * size}-1: got ${value}`,
    );
  }
  return size;
}
