import { encodeVarint, varintSize } from "./varint.ts";
import type { Bytes } from "./bytes.ts";

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
    this.#bytes.set(bytes, this.#grow(bytes.length));
    return this;
  }

  /** Appends one byte. */
  u8(value: number): this {
    return this.#uint(value, 1);
  }

  /** Appends a 16-bit big-endian integer. */
  u16(value: number): this {
    return this.#uint(value, 2);
  }

  /** Appends a 24-bit big-endian integer. */
  u24(value: number): this {
    return this.#uint(value, 3);
  }

  /** Appends a 32-bit big-endian integer. */
  u32(value: number): this {
    return this.#uint(value, 4);
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

  /** Appends a QUIC variable-length integer (RFC 9000 §16) in its shortest form. */
  varint(value: number): this {
    const at = this.#grow(varintSize(value));
    encodeVarint(value, this.#bytes, at);
    return this;
  }

  /** The bytes written, as a copy that nothing else holds. */
  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  #uint(value: number, size: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw new RangeError(
        `A u${8 * size} must be in 0..2^${8 * size}-1: got ${value}`,
      );
    }
    let at = this.#grow(size) + size;
    for (let i = 0; i < size; i++) {
      this.#bytes[--at] = value & 0xff;
      value = Math.floor(value / 0x100);
    }
    return this;
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
