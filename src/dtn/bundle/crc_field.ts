import type { CborBuffer } from "./cbor_buffer.ts";
import type { CborCursor } from "./cbor_cursor.ts";
import { blockCrc, CRC_LENGTH, CRC_TYPE, type CrcType } from "./crc.ts";
import { BundleError } from "./error.ts";

/** Reads the type of a check value. */
export function readCrcType(cursor: CborCursor): CrcType {
  const type = cursor.uint();
  if (type > CRC_TYPE.crc32c) {
    throw new BundleError("crc_type", `A CRC type is 0 to 2: got ${type}`);
  }
  return type as CrcType;
}

/** Reads the check value of a block that began at `start`, checks it, and returns it. */
export function readCrc(
  cursor: CborCursor,
  type: CrcType,
  start: number,
): number {
  const length = CRC_LENGTH[type];
  const at = cursor.at + 1;
  if (cursor.bytes[cursor.at] !== (0x40 | length)) {
    throw new BundleError(
      cursor.peek() < 0 ? "truncated" : "cbor",
      `A check value is a byte string of ${length}`,
    );
  }
  cursor.byteString();
  let got = 0;
  for (let i = at; i < at + length; i++) got = got << 8 | cursor.bytes[i]!;
  if (blockCrc(type, cursor.bytes, start, at) !== got >>> 0) {
    throw new BundleError("crc", "The check value of a block is another");
  }
  return got;
}

/** Appends the check value of the block that began at `start`, which is computed unless it is given. */
export function writeCrc(
  buffer: CborBuffer,
  type: CrcType,
  start: number,
  known?: number,
): void {
  const length = CRC_LENGTH[type];
  buffer.byte(0x40 | length);
  buffer.fixed(
    known ?? blockCrc(type, buffer.bytes, start, buffer.at),
    length,
  );
}
