import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE } from "./canonical_block.ts";
import { CborCursor } from "./cbor_cursor.ts";
import { readEid } from "./eid_codec.ts";
import { BundleError } from "./error.ts";

/** Whether a confidentiality block of `bundle` says that block `number` is encrypted. */
export function isEncrypted(bundle: Bundle, number: number): boolean {
  return isTarget(bundle, BLOCK_TYPE.confidentiality, number);
}

/** Whether an integrity block of `bundle` that is not encrypted says that it signs block `number`; 0 is the primary one. */
export function isSigned(bundle: Bundle, number: number): boolean {
  return isTarget(bundle, BLOCK_TYPE.integrity, number);
}

/** Whether a whole security block, as far as all security contexts have them alike, has `number` among its targets (RFC 9172 §3.6). */
function isTarget({ blocks }: Bundle, type: number, number: number): boolean {
  return blocks.some((block) =>
    block.type === type && targetsIn(block.data).includes(number)
  );
}

/** None if it is malformed. */
function targetsIn(data: Uint8Array): readonly number[] {
  const targets: number[] = [];
  try {
    const cursor = new CborCursor(data);
    for (let left = cursor.array(); left > 0; left--) {
      targets.push(cursor.uint());
    }
    cursor.uint(); // the security context
    const hasParameters = (cursor.uint() & 1) !== 0;
    readEid(cursor);
    if (hasParameters && cursor.array() < 1) return [];
    return cursor.peek() < 0 ? [] : targets;
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return [];
  }
}
