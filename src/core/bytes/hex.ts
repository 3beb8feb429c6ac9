import type { Bytes } from "./bytes.ts";
import { DecodeError } from "./error.ts";

/** Lower-case hexadecimal of `bytes`. */
export function encodeHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * The bytes that `text` writes in hexadecimal, in either case.
 *
 * @throws {DecodeError} If a character is not a hex digit or their number is odd.
 */
export function decodeHex(text: string): Bytes {
  try {
    return Uint8Array.fromHex(text);
  } catch {
    throw new DecodeError("hex", "want an even number of hex digits");
  }
}
