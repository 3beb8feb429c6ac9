import { blockOfType } from "./extension_blocks.ts";
import type { Bundle } from "./bundle.ts";
import { BLOCK_TYPE } from "./canonical_block.ts";
import { CRC_TYPE } from "./crc.ts";
import { isSigned } from "./security_target.ts";

/** What RFC 9171 demands of whoever makes a bundle, and not all do. */
export type ReceptionFault =
  | "primary_unprotected" // the primary block has no check value, and no integrity block that we can read targets it (§4.3.1)
  | "age_missing" // the creation time is 0, and there is no bundle age (§4.4.2): it would never expire
  | "local_node"; // an endpoint is at ipn:!, which each node says of itself (RFC 9758 §3.4.2)

/**
 * Which rules `bundle` breaks that others may overlook: it decodes all the same, as dtn7-rs sends bundles without any check, and
 * RFC 9173 has such examples. Our node overlooks the first.
 */
export function receptionFaults(bundle: Bundle): ReceptionFault[] {
  const { primary } = bundle;
  const faults: ReceptionFault[] = [];
  if (primary.crcType === CRC_TYPE.none && !isSigned(bundle, 0)) {
    faults.push("primary_unprotected");
  }
  if (
    primary.creation.timeMs === 0 && !blockOfType(bundle, BLOCK_TYPE.bundleAge)
  ) {
    faults.push("age_missing");
  }
  if (primary.destination.isLocal || primary.source.isLocal) {
    faults.push("local_node");
  }
  return faults;
}
