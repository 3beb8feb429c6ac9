import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex } from "../../../src/core/bytes/mod.ts";
import {
  BundleError,
  decodeBundle,
  encodeBundle,
  QUIRKS,
  receptionFaults,
} from "../../../src/dtn/mod.ts";
import { bp7, ion, wellFormed } from "./_vectors.ts";

/** What becomes of each: the code it is refused with, or the rules it breaks that a node may overlook. */
const CONFORMANCE: Record<string, string> = {
  "primary-no-crc-no-bib": "primary_unprotected",
  "reserved-block-flags": "accepted",
  "status-flag-with-null-source": "flags",
  "duplicate-block-number": "block",
  "payload-block-number-33": "block",
  "payload-not-last": "block",
  "crc-type-25": "crc_type",
  "age-block-number-166-time-zero": "accepted",
  "time-zero-without-age": "cbor", // its timestamp is not in the shortest form
  "fragment-and-must-not-fragment": "flags",
  "unknown-block-type-8": "primary_unprotected",
  "ipn-zero-nonzero-report-to": "primary_unprotected",
  "payload-as-text-string": "cbor",
  "payload-byte-string-control": "primary_unprotected",
  "bsl-no-primary": "block",
  "bsl-only-primary": "block",
  "bsl-no-type-1": "block",
  "bsl-payload-number-2": "block",
  "bsl-payload-not-last": "block",
  "bsl-dup-number": "block",
  "bsl-type-0": "block",
  "bsl-number-0": "block",
  "bsl-minimal-ok": "primary_unprotected",
  "bsl-private-block-ok": "primary_unprotected",
  "bplib-crc16": "accepted",
  "bplib-crc32": "accepted",
  "bplib-many-blocks": "accepted",
  "bplib-corrupt": "cbor",
  "gofuzz-1": "crc_type",
  "gofuzz-2": "flags",
  "gofuzz-3": "flags",
  "gofuzz-4": "flags",
};

/** Syntax only: hops, age and lifetime are judged by whoever has a clock. */
const SENT_TO_ION: Record<string, string> = {
  "ok": "accepted",
  "hop limit exceeded (count 5>limit 3)": "accepted",
  "age > lifetime": "accepted",
  "expired creation": "accepted",
  "no payload": "block",
  "payload first, ext last": "block",
  "two payload blocks": "block",
  "dup block numbers": "block",
  "payload block number 2": "block",
  "ext block number 0": "block",
  "version 8": "version",
  "definite outer array": "cbor",
  "trailing byte": "trailing",
  "missing break": "truncated",
  "two bundle age": "block",
  "two previous node": "block",
  "src dtn:none, no must-not-fragment": "flags",
  "admin flag + status flag": "flags",
  "payload as text string": "cbor",
  "payload indefinite bstr": "cbor",
  "nonminimal version 0x1807": "cbor",
  "lifetime 0": "accepted",
};

Deno.test("decodeBundle() gives every conformance bundle its verdict", () => {
  const verdicts = bp7.conformance.map(({ id, hex }) => [id, verdict(hex)]);
  assertEquals(Object.fromEntries(verdicts), CONFORMANCE);
});

Deno.test("decodeBundle() judges what was sent to ION by RFC 9171", () => {
  const verdicts = ion.sent_to_ion.map(({ id, hex }) => [id, verdict(hex)]);
  assertEquals(Object.fromEntries(verdicts), SENT_TO_ION);
});

Deno.test("decodeBundle() refuses what drafts of BPv7 wrote, quirks or not", () => {
  for (const { id, hex } of bp7.legacy_must_not_emit) {
    const bytes = decodeHex(hex);
    assertThrows(
      () => decodeBundle(bytes, { quirks: QUIRKS }),
      BundleError,
      undefined,
      id,
    );
  }
});

Deno.test("encodeBundle() gives back the bytes of every bundle that decodes", () => {
  for (const { name, bytes } of wellFormed()) {
    assertEquals(encodeBundle(decodeBundle(bytes)), bytes, name);
  }
});

Deno.test("decodeBundle() takes with quirks what it refuses without", () => {
  const at = (list: readonly { id: string; hex: string }[], id: string) =>
    decodeHex(list.find((each) => each.id === id)!.hex);
  const cases = [
    ["long_heads", at(bp7.conformance, "time-zero-without-age")],
    ["long_heads", at(ion.sent_to_ion, "nonminimal version 0x1807")],
    ["indefinite_lengths", at(ion.sent_to_ion, "payload indefinite bstr")],
    [
      "contradictory_flags",
      at(ion.sent_to_ion, "src dtn:none, no must-not-fragment"),
    ],
    ["contradictory_flags", at(ion.sent_to_ion, "admin flag + status flag")],
    [
      "contradictory_flags",
      at(bp7.conformance, "status-flag-with-null-source"),
    ],
    ["dtn_without_slash", at(bp7.bundles_seen_on_dtn7, "dtn7-rs-download")],
    [
      "dtn_none_as_text",
      decodeHex(
        "9f8807000082028201028202820101" + "8201646e6f6e65" +
          "8201000085010100004101ff",
      ),
    ],
  ] as const;
  for (const [quirk, bytes] of cases) {
    const others = QUIRKS.filter((each) => each !== quirk);
    assertThrows(() => decodeBundle(bytes, { quirks: others }), BundleError);
    const options = { quirks: [quirk] };
    const bundle = decodeBundle(bytes, options);
    const again = encodeBundle(bundle, options);
    assertEquals(
      encodeBundle(decodeBundle(again, options), options),
      again,
      quirk,
    );
  }
});

function verdict(hex: string): string {
  try {
    return receptionFaults(decodeBundle(decodeHex(hex))).join() || "accepted";
  } catch (error) {
    if (error instanceof BundleError) return error.code;
    throw error;
  }
}
