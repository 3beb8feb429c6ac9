/**
 * QUIC variable-length integers (RFC 9000 §16).
 *
 * ```text
 * first 2 bits   length   usable bits
 * 00             1 byte             6
 * 01             2 bytes           14
 * 10             4 bytes           30
 * 11             8 bytes           62, of which a JavaScript number holds 53
 * ```
 *
 * @module
 */
import { DecodeError } from "./error.ts";

/** Length in bytes (1, 2, 4 or 8) of the varint that starts with `firstByte`. */
export function varintLength(firstByte: number): number {
  return 1 << (firstByte >> 6);
}

/**
 * Length in bytes of the shortest encoding of `value`.
 *
 * @throws {RangeError} If `value` is not an integer in 0 … 2^53 − 1.
 */
export function varintSize(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(
      `A varint must be an integer in 0..2^53-1: got ${value}`,
    );
  }
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x40000000 ? 4 : 8;
}

/**
 * Writes `value` in its shortest form at `offset` and returns the offset after it.
 *
 * @throws {RangeError} If `value` is not an integer in 0 … 2^53 − 1, or does not fit into `into`.
 */
export function encodeVarint(
  value: number,
  into: Uint8Array,
  offset: number,
): number {
  const size = varintSize(value);
  if (offset + size > into.length) {
    throw new RangeError(`Cannot write ${size} bytes at offset ${offset}`);
  }
  let low = value % 0x100000000;
  let high = (value - low) / 0x100000000;
  for (let i = offset + size - 1; i >= offset; i--) {
    into[i] = low & 0xff;
    low = (low >>> 8) + (high & 0xff) * 0x1000000;
    high = high >>> 8;
  }
  into[offset] = into[offset]! | (31 - Math.clz32(size)) << 6;
  return offset + size;
}

/**
 * Reads the varint at `offset` of `bytes`, which decodes to one `what`.
 *
 * @throws {DecodeError} If it is cut short, not in its shortest form, or above 2^53 − 1.
 */
export function decodeVarint(
  bytes: Uint8Array,
  offset: number,
  what: string,
): number {
  const size = varintLength(bytes[offset] ?? 0);
  if (offset + size > bytes.length) {
    throw new DecodeError(what, "varint is cut short");
  }
  let value = bytes[offset]! & 0x3f;
  for (let i = 1; i < size; i++) value = value * 0x100 + bytes[offset + i]!;
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new DecodeError(what, "varint above 2^53 - 1");
  }
  if (varintSize(value) !== size) {
    throw new DecodeError(what, "varint is not in its shortest form");
  }
  return value;
}
