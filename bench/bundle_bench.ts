import { equal } from "../src/core/bytes/mod.ts";
import {
  bundleAgeOf,
  CRC_TYPE,
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../src/dtn/mod.ts";
import { timedBundle } from "./_timed_bundle.ts";

const SIZES = [3, 10_000, 1_000_000];

for (const size of SIZES) {
  const payload = new Uint8Array(size).fill(65);
  for (const [name, crcType] of Object.entries(CRC_TYPE)) {
    const group = `${size} B, ${name}`;
    const bundle = timedBundle(payload, crcType);
    const bytes = encodeBundle(bundle);
    check(bytes, payload);
    Deno.bench(`create and encode, ${group}`, { group }, () => {
      encodeBundle(timedBundle(payload, crcType));
    });
    Deno.bench(`encode, ${group}`, { group }, () => {
      encodeBundle(bundle);
    });
    Deno.bench(`decode and check, ${group}`, { group }, () => {
      decodeBundle(bytes);
    });
  }
}

function check(bytes: Uint8Array, payload: Uint8Array): void {
  const decoded = decodeBundle(bytes);
  if (
    bundleAgeOf(decoded) !== 0 || !equal(payloadOf(decoded), payload)
  ) throw new Error("A bundle is another after it was encoded and decoded");
}
