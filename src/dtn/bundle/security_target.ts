import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE } from "./canonical_block.ts";
import { CborCursor } from "./cbor_cursor.ts";
import { BundleError } from "./error.ts";

/** Whether a confidentiality block of `bundle` says that block `number` is encrypted. */
export function isEncrypted(bundle: Bundle, number: number): boolean {
  return isTarget(bundle, BLOCK_TYPE.confidentiality, number);
}

/** Whether an integrity block of `bundle` that is not encrypted says that it signs block `number`; 0 is the primary one. */
export function isSigned(bundle: Bundle, number: number): boolean {
  return isTarget(bundle, BLOCK_TYPE.integrity, number);
}

/** An abstract security block begins with an array of the numbers of its targets (RFC 9172 §3.6). */
function isTarget({ blocks }: Bundle, type: number, number: number): boolean {
  for (const block of blocks) {
    if (block.type !== type) continue;
    try {
      const cursor = new CborCursor(block.data);
      for (let left = cursor.array(); left > 0; left--) {
        if (cursor.uint() === number) return true;
      }
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
    }
  }
  return false;
}
