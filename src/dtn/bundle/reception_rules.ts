import { blockOfType } from "./extension_blocks.ts";
import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE, type CanonicalBlock } from "./canonical_block.ts";
import { CborCursor } from "./cbor_cursor.ts";
import { CRC_TYPE } from "./crc.ts";
import { BundleError } from "./error.ts";

/** What RFC 9171 demands of whoever makes a bundle, and not all do. */
export type ReceptionFault =
  | "primary_unprotected" // the primary block has no check value, and no integrity block that we can read targets it (§4.3.1)
  | "age_missing"; // the creation time is 0, and there is no bundle age (§4.4.2)

/**
 * Which rules `bundle` breaks that a node may overlook: it decodes all the same, as dtn7-rs sends bundles without any check, and
 * RFC 9173 has such examples.
 */
export function receptionFaults(bundle: Bundle): ReceptionFault[] {
  const { primary, blocks } = bundle;
  const faults: ReceptionFault[] = [];
  if (primary.crcType === CRC_TYPE.none && !blocks.some(targetsPrimary)) {
    faults.push("primary_unprotected");
  }
  if (
    primary.creation.timeMs === 0 && !blockOfType(bundle, BLOCK_TYPE.bundleAge)
  ) {
    faults.push("age_missing");
  }
  return faults;
}

/** An abstract security block begins with an array of the numbers of its targets (RFC 9172 §3.6). */
function targetsPrimary({ type, data }: CanonicalBlock): boolean {
  if (type !== BLOCK_TYPE.integrity) return false;
  try {
    const cursor = new CborCursor(data);
    for (let left = cursor.array(); left > 0; left--) {
      if (cursor.uint() === 0) return true;
    }
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
  }
  return false;
}
