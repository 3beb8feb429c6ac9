import { assertEquals } from "@std/assert";
import {
  CborTag,
  type CborValue,
  encodeCbor,
  utf8,
} from "../../../src/core/bytes/mod.ts";
import { decodeBundle } from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { Eid } from "../../../src/dtn/bundle/eid.ts";
import {
  encodeStatusReport,
  statusReportOn,
} from "../../../src/dtn/bundle/status_report.ts";
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
});

/** `tag` on a message of COSE with A128GCM and an IV, and what follows the header. */
function cose(tag: number, ...rest: CborValue[]): number[] {
  const header = encodeCbor(new Map([[1, 1]]));
  const iv = new Map([[5, new Uint8Array(12)]]);
  return [...encodeCbor(new CborTag(tag, [header, iv, ...rest]))];
}

Deno.test("encryptionOf() takes whole messages of COSE, and not what begins like them", () => {
  const sealed = Uint8Array.of(1, 2, 3);
  const encrypt0 = cose(16, sealed);
  assertEquals(encryptionOf(bundle(encrypt0)), "cose");
  assertEquals(encryptionOf(bundle(cose(96, sealed, []))), "cose");
  for (let length = 0; length < encrypt0.length; length++) {
    assertEquals(encryptionOf(bundle(encrypt0.slice(0, length))), undefined);
  }
  for (
    const payload of [
      [...encrypt0, 0x41, 0x42],
      [0xd0, 0x83, 0x40, ...utf8("meet me at noon")],
      cose(16, null), // the ciphertext is elsewhere
      cose(16, "text"),
      cose(96, sealed),
      cose(18, sealed),
      cose(16, sealed, []),
      [...encodeCbor(new CborTag(16, [new Uint8Array(), new Map(), sealed]))],
      [...encodeCbor(new CborTag(16, [utf8("\x60"), new Map(), sealed]))],
    ]
  ) assertEquals(encryptionOf(bundle(payload)), undefined, `${payload}`);
});

Deno.test("encryptionOf() lets status reports pass, and no other payload with their flag", () => {
  const flags = BUNDLE_FLAG.adminRecord;
  const report = encodeStatusReport(
    statusReportOn(bundle([1]), { received: true }, 0),
  );
  assertEquals(encryptionOf(bundle([...report], flags)), "record");
  for (
    const payload of [
      [],
      [1],
      [...utf8("meet me at noon")],
      [...report, 0],
      [0x82, 3, 0x41, 0x9f], // another type
      cose(16, Uint8Array.of(1)),
    ]
  ) assertEquals(encryptionOf(bundle(payload, flags)), undefined);
});

Deno.test("encryptionOf() does not take a confidentiality block that is none", () => {
  const secured = Uint8Array.fromHex(
    vectors.rfc9173.find(({ id }) => id.startsWith("A.2"))!.hex!,
  );
  const { primary, blocks } = decodeBundle(secured);
  const at = blocks.findIndex(({ type }) =>
    type === BLOCK_TYPE.confidentiality
  );
  for (const data of ["8101", "810102", "81010201", "810102018202820100", ""]) {
    const block = { ...blocks[at]!, data: Uint8Array.fromHex(data) };
    const made = { primary, blocks: blocks.with(at, block) };
    assertEquals(encryptionOf(made), undefined, data);
  }
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
