import { DecodeError } from "./error.ts";
import { decodeVarint, varintLength } from "./varint.ts";

/** A bounds-checked cursor over one whole message; every read is a view that borrows its bytes. */
export class Reader {
  /** The value being decoded, for error messages. */
  readonly what: string;
  readonly #bytes: Uint8Array;
  #offset = 0;

  /** Starts at the first of `bytes`, which decode to one `what`. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.what = what;
  }

  /** Number of bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Number of bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Takes the next `length` bytes.
   *
   * @throws {DecodeError} If fewer are left.
   */
  take(length: number): Uint8Array {
    return this.#bytes.subarray(this.#advance(length), this.#offset);
  }

  /**
   * The bytes read from offset `start` up to now, e.g. those a signature covers.
   *
   * @throws {RangeError} If `start` is not an offset already reached.
   */
  since(start: number): Uint8Array {
    if (!(start >= 0 && start <= this.#offset)) {
      throw new RangeError(
        `Offset must be in 0..${this.#offset}: got ${start}`,
      );
    }
    return this.#bytes.subarray(start, this.#offset);
  }

  /**
   * Takes the next `length` bytes as a message of their own.
   *
   * @throws {DecodeError} If fewer are left.
   */
  sub(length: number, what: string = this.what): Reader {
    return new Reader(this.take(length), what);
  }

  /** Takes every byte left. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /**
   * Reads one byte.
   *
   * @throws {DecodeError} If none is left, as every read does when it is cut short.
   */
  u8(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  /**
   * The next byte, which stays unread.
   *
   * @throws {DecodeError} If none is left.
   */
  peek(): number {
    const byte = this.u8();
    this.#offset--;
    return byte;
  }

  /** Reads a 16-bit big-endian integer. */
  u16(): number {
    const at = this.#advance(2);
    return this.#bytes[at]! << 8 | this.#bytes[at + 1]!;
  }

  /** Reads a 24-bit big-endian integer. */
  u24(): number {
    const at = this.#advance(3);
    return this.#bytes[at]! << 16 | this.#bytes[at + 1]! << 8 |
      this.#bytes[at + 2]!;
  }

  /** Reads a 32-bit big-endian integer. */
  u32(): number {
    return this.u16() * 0x10000 + this.u16();
  }

  /** Reads a 64-bit big-endian integer. */
  u64(): bigint {
    return BigInt(this.u32()) << 32n | BigInt(this.u32());
  }

  /**
   * Reads a QUIC variable-length integer (RFC 9000 §16).
   *
   * @throws {DecodeError} If it is cut short, not in its shortest form, or above 2^53 − 1.
   */
  varint(): number {
    const at = this.#advance(1);
    this.#advance(varintLength(this.#bytes[at]!) - 1);
    return decodeVarint(this.#bytes, at, this.what);
  }

  /**
   * Fails unless every byte was read.
   *
   * @throws {DecodeError} If bytes are left.
   */
  end(): void {
    if (this.remaining > 0) {
      throw new DecodeError(this.what, `${this.remaining} trailing bytes`);
    }
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (!(length >= 0 && length <= this.#bytes.length - at)) {
      throw new DecodeError(
        this.what,
        `need ${length} bytes at offset ${at}, have ${this.remaining}`,
      );
    }
    this.#offset = at + length;
    return at;
  }
}
