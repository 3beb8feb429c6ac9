import {
  BLOCK_TYPE,
  type Bundle,
  type CrcType,
  createBundle,
  Eid,
  encodeBundleAge,
} from "../src/dtn/mod.ts";

const source = Eid.parse("dtn://node1/123456");
const destination = Eid.parse("dtn://node2/inbox");

/** The bundle that the benchmark of the crate bp7 makes, with another `payload`. */
export function timedBundle(payload: Uint8Array, crcType: CrcType): Bundle {
  return createBundle({
    source,
    destination,
    creation: { timeMs: 849_000_000_000, sequence: 0 },
    lifetimeMs: 3_600_000,
    payload,
    crcType,
    extensions: [{ type: BLOCK_TYPE.bundleAge, data: encodeBundleAge(0) }],
  });
}
