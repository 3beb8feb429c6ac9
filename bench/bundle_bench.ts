import { equal } from "../src/core/bytes/mod.ts";
import {
  BLOCK_TYPE,
  type Bundle,
  bundleAgeOf,
  CRC_TYPE,
  type CrcType,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  encodeBundleAge,
  payloadOf,
} from "../src/dtn/mod.ts";

/** The bundle that the benchmark of the crate bp7 makes, with a payload of 3 bytes, and with larger ones. */
const SIZES = [3, 10_000, 1_000_000];

const source = Eid.parse("dtn://node1/123456");
const destination = Eid.parse("dtn://node2/inbox");

for (const size of SIZES) {
  const payload = new Uint8Array(size).fill(65);
  for (const [name, crcType] of Object.entries(CRC_TYPE)) {
    const group = `${size} B, ${name}`;
    const bundle = make(payload, crcType);
    const bytes = encodeBundle(bundle);
    check(bundle, bytes, payload);
    Deno.bench(`create and encode, ${group}`, { group }, () => {
      encodeBundle(make(payload, crcType));
    });
    Deno.bench(`encode, ${group}`, { group }, () => {
      encodeBundle(bundle);
    });
    Deno.bench(`decode and check, ${group}`, { group }, () => {
      decodeBundle(bytes);
    });
  }
}

function make(payload: Uint8Array, crcType: CrcType): Bundle {
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

function check(bundle: Bundle, bytes: Uint8Array, payload: Uint8Array): void {
  const decoded = decodeBundle(bytes);
  if (
    bundleAgeOf(decoded) !== 0 || !equal(payloadOf(decoded), payload) ||
    !decoded.primary.source.equals(bundle.primary.source)
  ) throw new Error("A bundle is another after it was encoded and decoded");
}
