/**
 * Head of a CBOR item (RFC 8949 §3).
 *
 * ```text
 * 3b   major type, see CBOR_MAJOR
 * 5b   0..23: the argument itself; 24, 25, 26, 27: it follows in 1, 2, 4, 8 bytes;
 *      28..30: reserved; 31: indefinite length, or the break
 * nB   argument, big-endian: an integer, a length in bytes, a count of items or pairs, or a tag number
 * ```
 *
 * @module
 */
import { DecodeError } from "./error.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Major types (RFC 8949 §3.1), the first three bits of an item. */
export const CBOR_MAJOR = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;
/** One of {@link CBOR_MAJOR}. */
export type CborMajor = typeof CBOR_MAJOR[keyof typeof CBOR_MAJOR];

/** Ends an array, map or string of indefinite length (RFC 8949 §3.2.1). */
export const CBOR_BREAK = 0xff;

/** Additional information of a head without an argument: an indefinite length, or in major type 7 the break. */
export const CBOR_INDEFINITE = 31;

/**
 * Appends the head of an item: its major type with a length, count, tag number or integer in the shortest form.
 *
 * With `undefined` it starts an array, map or string of indefinite length, which {@link CBOR_BREAK} ends:
 *
 * ```ts
 * import { CBOR_BREAK, CBOR_MAJOR, encodeHex, writeCbor, writeCborHead, Writer } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new Writer();
 * writeCborHead(writer, CBOR_MAJOR.array, undefined);
 * writeCbor(writer, "block");
 * writer.u8(CBOR_BREAK);
 * assertEquals(encodeHex(writer.finish()), "9f65626c6f636bff");
 * ```
 *
 * @throws {RangeError} If `argument` is not an integer in 0 … 2^64 − 1.
 */
export function writeCborHead(
  writer: Writer,
  major: CborMajor,
  argument: number | bigint | undefined,
): void {
  const first = major << 5;
  if (argument === undefined) {
    writer.u8(first | CBOR_INDEFINITE);
  } else if (argument < 0 || Number(argument) % 1 !== 0) {
    throw new RangeError(
      `A CBOR argument must be an integer in 0..2^64-1: got ${argument}`,
    );
  } else if (argument < 24) {
    writer.u8(first | Number(argument));
  } else if (argument < 0x100) {
    writer.u8(first | 24).u8(Number(argument));
  } else if (argument < 0x10000) {
    writer.u8(first | 25).u16(Number(argument));
  } else if (argument < 0x100000000) {
    writer.u8(first | 26).u32(Number(argument));
  } else {
    writer.u8(first | 27).u64(BigInt(argument));
  }
}

/** Bytes of the head that {@link writeCborHead} writes for an argument of at least 0. */
export function cborHeadLength(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x10000) return 3;
  return argument < 0x100000000 ? 5 : 9;
}

/**
 * Reads the argument of the head that begins with `first`, which has been read.
 *
 * @param shortest Whether a longer form than needed is an error.
 * @throws {DecodeError} If it is cut short, of a reserved length, or longer than needed.
 */
export function readCborArgument(
  reader: Reader,
  first: number,
  shortest: boolean,
): number | bigint {
  const info = first & 31;
  if (info < 24) return info;
  let argument: number;
  let least: number;
  switch (info) {
    case 24:
      argument = reader.u8();
      least = 24;
      break;
    case 25:
      argument = reader.u16();
      least = 0x100;
      break;
    case 26:
      argument = reader.u32();
      least = 0x10000;
      break;
    case 27: {
      const wide = reader.u64();
      argument = Number(wide);
      if (argument > Number.MAX_SAFE_INTEGER) return wide;
      least = 0x100000000;
      break;
    }
    default:
      throw new DecodeError(reader.what, "reserved additional information");
  }
  if (shortest && argument < least) {
    throw new DecodeError(reader.what, "head is not in its shortest form");
  }
  return argument;
}
