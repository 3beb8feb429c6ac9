import { assert, assertEquals } from "@std/assert";
import { equal } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  adminRecordType,
  bpsec,
  type Bundle,
  bundleAgeOf,
  BundleError,
  type BundleErrorCode,
  decodeBundle,
  decodeStatusReport,
  Eid,
  encodeBundle,
  hopCountOf,
  payloadOf,
  previousNodeOf,
  QUIRKS,
  Reassembly,
  receptionFaults,
} from "../../src/dtn/mod.ts";
import { keysOf } from "../dtn/bpsec/_keys.ts";
import { hdtn, wellFormed } from "../dtn/bundle/_vectors.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { report } from "./_line_process.ts";

const STRICT = 900_000;
const LENIENT = 100_000;

/** Takes the signatures and encrypted payloads of HDTN's bundles. */
const policy = new bpsec.SecurityPolicy({
  crypto: nodeProvider,
  node: Eid.parse("ipn:1.0"),
  keys: keysOf({
    integrity: hdtn.meta.key_integrity_hex,
    confidentiality: hdtn.meta.key_confidentiality_hex,
  }),
  rules: (["confidentiality", "integrity"] as const).map((service) => ({
    role: "acceptor",
    service,
    targets: [0, 1, 2, 7, 10],
    optional: true,
  })),
});

Deno.test(`decodeBundle() survives ${STRICT} mutated bundles: each is refused by a code, or another that it encodes again`, () => {
  const counts = run(STRICT, 51, (bytes) => {
    const bundle = decodeBundle(bytes);
    assert(equal(encodeBundle(bundle), bytes));
    look(bundle);
  });
  const codes: BundleErrorCode[] = [
    ...["truncated", "trailing", "cbor", "version", "eid", "flags"] as const,
    ...["crc_type", "crc", "block", "limit"] as const,
  ];
  for (const code of codes) assert(counts.has(code), code);
});

Deno.test(`decodeBundle() survives ${LENIENT} mutated bundles with every quirk allowed`, () => {
  const options = { quirks: QUIRKS };
  run(LENIENT, 52, (bytes) => {
    const bundle = decodeBundle(bytes, options);
    const again = encodeBundle(bundle, options);
    assertEquals(encodeBundle(decodeBundle(again, options), options), again);
    look(bundle);
  });
});

function run(
  total: number,
  seed: number,
  attempt: (bytes: Uint8Array) => void,
): Map<string, number> {
  const bundles = wellFormed();
  const random = generator(seed);
  const counts = new Map([["decoded", 0]]);
  const startedAtMs = performance.now();
  for (let i = 0; i < total; i++) {
    const bytes = mutate(bundles[i % bundles.length]!.bytes, random);
    const outcome = outcomeOf(() => attempt(bytes));
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  const list = [...counts].map(([outcome, n]) => `${outcome} ${n}`).join(", ");
  report(`${total} mutated bundles in ${seconds} s: ${list}`);
  assert(counts.get("decoded")! > total / 100);
  return counts;
}

/** Whatever a node asks of a bundle that decoded. */
function look(bundle: Bundle): void {
  receptionFaults(bundle);
  new Reassembly().add(bundle, 0, 1);
  policy.check(bundle);
  outcomeOf(() => previousNodeOf(bundle));
  outcomeOf(() => bundleAgeOf(bundle));
  outcomeOf(() => hopCountOf(bundle));
  outcomeOf(() => adminRecordType(payloadOf(bundle)));
  outcomeOf(() => decodeStatusReport(payloadOf(bundle)));
}

function outcomeOf(attempt: () => void): string {
  try {
    attempt();
    return "decoded";
  } catch (error) {
    if (error instanceof BundleError) return error.code;
    throw error;
  }
}
