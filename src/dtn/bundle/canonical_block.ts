/**
 * Canonical blocks: every block after the primary one (RFC 9171 §4.3.2).
 *
 * ```text
 * [type, number, flags, crc type, data as a byte string ‖ check value, 2 or 4 bytes, if the crc type is 1 or 2]
 * ```
 *
 * @module
 */
import type { CborBuffer } from "./cbor_buffer.ts";
import type { CborCursor } from "./cbor_cursor.ts";
import { CRC_LENGTH, type CrcType } from "./crc.ts";
import { readCrc, readCrcType, writeCrc } from "./crc_field.ts";
import { BundleError } from "./error.ts";
import { uintSize } from "./uint.ts";

/** Types of blocks (RFC 9171 §9.1, RFC 9172 §11.1); 192 to 255 are for private use. */
export const BLOCK_TYPE = {
  payload: 1,
  previousNode: 6,
  bundleAge: 7,
  hopCount: 10,
  integrity: 11,
  confidentiality: 12,
} as const;

/** One block after the primary one. */
export interface CanonicalBlock {
  /** {@link BLOCK_TYPE} or any other number from 1. */
  readonly type: number;
  /** Names the block within its bundle: 1 the payload, 0 the primary block. */
  readonly number: number;
  /** {@link BLOCK_FLAG}s. */
  readonly flags: number;
  /** How the block itself is checked. */
  readonly crcType: CrcType;
  /** What the type says it is. */
  readonly data: Uint8Array;
}

/** Check values of long blocks as they were read, so that a bundle which is sent on is not gone through again. */
const checkValues = new WeakMap<CanonicalBlock, number>();
const LONG_BYTES = 1_024;

/** Bytes of the CBOR form of `block`. */
export function canonicalBlockSize(block: CanonicalBlock): number {
  const { data } = block;
  const crcLength = CRC_LENGTH[block.crcType];
  return 2 + uintSize(block.type) + uintSize(block.number) +
    uintSize(block.flags) + uintSize(data.length) + data.length +
    (crcLength && crcLength + 1);
}

/** Appends the CBOR form of `block`. */
export function writeCanonicalBlock(
  buffer: CborBuffer,
  block: CanonicalBlock,
): void {
  const { crcType } = block;
  const start = buffer.at;
  buffer.byte(crcType ? 0x86 : 0x85);
  buffer.uint(block.type);
  buffer.uint(block.number);
  buffer.uint(block.flags);
  buffer.byte(crcType);
  buffer.byteString(block.data);
  if (crcType === 0) return;
  const isLong = block.data.length >= LONG_BYTES;
  writeCrc(buffer, crcType, start, isLong ? checkValues.get(block) : undefined);
}

/** Reads the next canonical block; its data is a view. */
export function readCanonicalBlock(cursor: CborCursor): CanonicalBlock {
  const start = cursor.at;
  const count = cursor.array();
  const type = cursor.uint();
  const number = cursor.uint();
  const flags = cursor.uint();
  const crcType = readCrcType(cursor);
  const want = crcType ? 6 : 5;
  if (count >= 0 && count !== want) {
    throw new BundleError(
      "block",
      `A block with this CRC type has ${want} items: got ${count}`,
    );
  }
  const data = cursor.byteString();
  const checkValue = crcType ? readCrc(cursor, crcType, start) : undefined;
  cursor.endArray(count);
  const block = { type, number, flags, crcType, data };
  if (
    checkValue !== undefined && data.length >= LONG_BYTES &&
    cursor.at - start === canonicalBlockSize(block) // with quirks it may be longer, and is written otherwise
  ) checkValues.set(block, checkValue);
  return block;
}
