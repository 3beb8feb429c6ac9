import { assertEquals } from "@std/assert";
import { decodeBundle } from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { Eid } from "../../../src/dtn/bundle/eid.ts";
import { encryptionOf } from "../../../src/dtn/guard/plaintext_guard.ts";
import vectors from "../../vectors/dtn/bp7.json" with { type: "json" };

function bundle(payload: readonly number[], flags = 0) {
  return createBundle({
    source: Eid.parse("dtn://a/app"),
    destination: Eid.parse("dtn://b/in"),
    creation: { timeMs: 1, sequence: 0 },
    lifetimeMs: 1_000,
    payload: Uint8Array.from(payload),
    flags,
  });
}

Deno.test("encryptionOf() goes by structure: what only looks random is plaintext", () => {
  const looksRandom = Array.from(
    { length: 200 },
    (_, i) => (i * 167 + 13) % 256,
  );
  for (
    const payload of [
      [],
      [1, 2, 3],
      looksRandom,
      [0xd0],
      [0xd0, 0x84, 0x40],
      [0xd8, 0x60, 0x83, 0x40],
      [0xd0, 0x83, 0x60],
    ]
  ) assertEquals(encryptionOf(bundle(payload)), undefined, `${payload}`);
  assertEquals(encryptionOf(bundle([0xd0, 0x83, 0x43, 1, 1, 1])), "cose");
  assertEquals(encryptionOf(bundle([0xd8, 0x60, 0x84, 0x40])), "cose");
  assertEquals(encryptionOf(bundle([1], BUNDLE_FLAG.adminRecord)), "record");
});

Deno.test("encryptionOf() knows which bundles of RFC 9173 have an encrypted payload", () => {
  const found = vectors.rfc9173.flatMap(({ id, hex }) =>
    hex && /^A/.test(id)
      ? [[
        id.slice(0, 3),
        encryptionOf(decodeBundle(Uint8Array.fromHex(hex))),
      ]]
      : []
  );
  assertEquals(Object.fromEntries(found), {
    "A.0": undefined,
    "A.1": undefined,
    "A.2": "bcb",
    "A.3": "bcb",
    "A.4": "bcb",
  });
});
