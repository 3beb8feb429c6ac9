/**
 * HPACK integer (RFC 7541 §5.1): the low bits of its first byte, or all ones there and the rest in groups of 7 bits, least
 * significant first, with the top bit set on all but the last.
 *
 * @module
 */
import { DecodeError, type Reader, type Writer } from "../core/bytes/mod.ts";

/** Most bytes behind the first: enough for 2^28, far above any index, length or table size in use. */
const MAX_GROUPS = 4;

/** Writes `value` behind the high bits `pattern`, which leave `prefixBits` to it. */
export function writeHpackInteger(
  w: Writer,
  value: number,
  prefixBits: number,
  pattern: number,
): void {
  const most = 2 ** prefixBits - 1;
  if (value < most) return void w.u8(pattern | value);
  w.u8(pattern | most);
  let left = value - most;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) {
    w.u8(left % 0x80 | 0x80);
  }
  w.u8(left);
}

/**
 * Reads an integer whose first byte leaves it `prefixBits`.
 *
 * @throws {DecodeError} If it is cut short, or takes more than five bytes.
 */
export function readHpackInteger(r: Reader, prefixBits: number): number {
  const most = 2 ** prefixBits - 1;
  let value = r.u8() & most;
  if (value < most) return value;
  for (let group = 0; group < MAX_GROUPS; group++) {
    const byte = r.u8();
    value += (byte & 0x7f) * 2 ** (7 * group);
    if (byte < 0x80) return value;
  }
  throw new DecodeError(r.what, "integer is too large");
}
