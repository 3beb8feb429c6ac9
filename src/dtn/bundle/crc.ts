/**
 * The check values of bundle blocks (RFC 9171 §4.2.1): CRC-16/X.25 and CRC-32C (Castagnoli), eight bytes a step.
 *
 * @module
 */

/** CRC types (RFC 9171 §4.2.1). */
export const CRC_TYPE = { none: 0, crc16: 1, crc32c: 2 } as const;
/** One of {@link CRC_TYPE}. */
export type CrcType = typeof CRC_TYPE[keyof typeof CRC_TYPE];

/** Bytes of a check value by its type. */
export const CRC_LENGTH = [0, 2, 4] as const;

const X25_POLYNOMIAL = 0x8408;
const CASTAGNOLI_POLYNOMIAL = 0x82f63b78;

const X25 = slices(X25_POLYNOMIAL);
const CASTAGNOLI = slices(CASTAGNOLI_POLYNOMIAL);

/**
 * The check value of `bytes` from `start` to `end` with its own `CRC_LENGTH[type]` bytes behind them as zeros, which is how a block is
 * checked (RFC 9171 §4.2.2).
 */
export function blockCrc(
  type: CrcType,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const isShort = type === CRC_TYPE.crc16;
  const table = isShort ? X25 : CASTAGNOLI;
  const ones = isShort ? 0xffff : -1;
  let crc = update(table, ones, bytes, start, end);
  for (let i = 0; i < CRC_LENGTH[type]; i++) {
    crc = (crc >>> 8) ^ table[crc & 0xff]!;
  }
  return (crc ^ ones) >>> 0;
}

/** CRC-16/X.25 (ITU-T X.25 §2.2.7.4) of `bytes`. */
export function crc16X25(bytes: Uint8Array): number {
  return update(X25, 0xffff, bytes, 0, bytes.length) ^ 0xffff;
}

/** CRC-32C (RFC 4960 appendix B) of `bytes`. */
export function crc32c(bytes: Uint8Array): number {
  return (update(CASTAGNOLI, -1, bytes, 0, bytes.length) ^ -1) >>> 0;
}

function update(
  table: Uint32Array,
  start: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let crc = start;
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
      bytes[at + 3]! << 24;
    crc = table[0x700 | crc & 0xff]! ^
      table[0x600 | (crc >>> 8) & 0xff]! ^
      table[0x500 | (crc >>> 16) & 0xff]! ^
      table[0x400 | crc >>> 24]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < to; at++) {
    crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  }
  return crc;
}

/** Eight tables of 256: the nth is what a byte does to the check value n bytes later. */
function slices(polynomial: number): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    }
    table[i] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = (before >>> 8) ^ table[before & 0xff]!;
  }
  return table;
}
