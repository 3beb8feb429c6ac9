import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  nobleProvider,
  nodeProvider,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import {
  bpsec,
  type Bundle,
  decodeBundle,
  Eid,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/mod.ts";
import { addConfidentialityBlock } from "../../../src/dtn/bpsec/confidentiality.ts";
import { scopeParts } from "../../../src/dtn/bpsec/scope.ts";
import { bp7, hdtn } from "../bundle/_vectors.ts";
import { keysOf } from "./_keys.ts";

type Case = typeof bp7.rfc9173[number];

const PLAIN = "Ready to generate a 32-byte payload";
const HASHES = { 5: "sha256", 6: "sha384", 7: "sha512" } as const;

function example(id: string): Case {
  return bp7.rfc9173.find((each) => each.id.startsWith(id))!;
}

const original = decodeBundle(decodeHex(example("A.0").hex!));
const secret = (hex: string) => new Secret(decodeHex(hex));

/** The integrity block of `each`, with HMAC of its variant. */
function sign(
  crypto: typeof nodeProvider,
  bundle: Bundle,
  source: string,
  targets: readonly number[],
  key: string,
  variant: number,
  scope: number,
): Bundle {
  return bpsec.signBlocks(crypto, bundle, {
    source: Eid.parse(source),
    targets,
    key: secret(key),
    hash: HASHES[variant as 5],
    scope,
    number: 3,
  });
}

for (const crypto of [nodeProvider, nobleProvider]) {
  Deno.test(`${crypto.name}: signBlocks() makes the bundle of RFC 9173 A.1, and verifyIntegrity() takes it`, () => {
    const { hex, key, sha_variant, scope_flags } = example("A.1");
    const signed = bpsec.signBlocks(crypto, original, {
      source: Eid.parse("ipn:2.1"),
      targets: [1],
      key: secret(key!),
      hash: HASHES[sha_variant as 7],
      scope: scope_flags!,
    });
    assertEquals(encodeHex(encodeBundle(signed)), hex);
    const [{ block }] = bpsec.integrityBlocksOf(signed) as [
      bpsec.SecurityOperations,
    ];
    const keys = keysOf({ integrity: key! });
    bpsec.verifyIntegrity(crypto, signed, block, keys);
  });

  Deno.test(`${crypto.name}: a wrapped key makes the bundle of RFC 9173 A.2, and decryptBlocks() unwraps it`, () => {
    const { hex, kek, cek, iv } = example("A.2");
    const bundle = decodeBundle(decodeHex(hex!));
    const [bcb] = bundle.blocks;
    const keys = keysOf({ wrapping: kek! });
    const opened = bpsec.decryptBlocks(crypto, bundle, bcb!, keys);
    assertEquals(opened, original);
    const drawing = fixedRandom(crypto, cek!);
    const made = addConfidentialityBlock(drawing, original, {
      source: Eid.parse("ipn:2.1"),
      targets: [1],
      key: secret(kek!),
      wrap: true,
      freshKeyLength: 16,
      scope: 0,
      iv: decodeHex(iv!),
      number: 2,
    });
    assertEquals(encodeHex(encodeBundle(made)), hex);
  });

  Deno.test(`${crypto.name}: two sources make the bundle of RFC 9173 A.3, and its checks undo it`, () => {
    const { hex, original: before, ...a3 } = example("A.3");
    const start = decodeBundle(decodeHex(before!));
    const { bib_key, bib_sha_variant, bib_targets } = a3;
    const signed = sign(
      crypto,
      start,
      "ipn:3.0",
      bib_targets!,
      bib_key!,
      bib_sha_variant!,
      0,
    );
    const made = addConfidentialityBlock(crypto, signed, {
      source: Eid.parse("ipn:2.1"),
      targets: [1],
      key: secret(a3.bcb_key!),
      scope: 0,
      iv: decodeHex(a3.iv!),
      number: 4,
    });
    assertEquals(encodeHex(encodeBundle(made)), hex);
    const keys = keysOf({ integrity: bib_key!, confidentiality: a3.bcb_key! });
    const opened = bpsec.decryptBlocks(crypto, made, made.blocks[1]!, keys);
    bpsec.verifyIntegrity(crypto, opened, opened.blocks[0]!, keys);
    assertEquals(new TextDecoder().decode(payloadOf(opened)), PLAIN);
  });

  Deno.test(`${crypto.name}: full scope makes the bundle of RFC 9173 A.4, and its checks undo it`, () => {
    const { hex, ...a4 } = example("A.4");
    const signed = sign(
      crypto,
      original,
      "ipn:2.1",
      [1],
      a4.bib_key!,
      a4.bib_sha_variant!,
      7,
    );
    const [bib, payload] = signed.blocks;
    assertEquals(encodeHex(bib!.data), a4.bib_plain_asb);
    const header = { type: 12, number: 2, flags: 1 };
    assertEquals(aadOf(signed, payload!, header), a4.aad_payload);
    assertEquals(aadOf(signed, bib!, header), a4.aad_bib);
    const made = addConfidentialityBlock(crypto, signed, {
      source: Eid.parse("ipn:2.1"),
      targets: [3, 1],
      key: secret(a4.bcb_key!),
      iv: decodeHex(a4.iv!),
      number: 2,
    });
    assertEquals(encodeHex(encodeBundle(made)), hex);
    const keys = keysOf({
      integrity: a4.bib_key!,
      confidentiality: a4.bcb_key!,
    });
    assertEquals(bpsec.integrityBlocksOf(made), []); // it is encrypted
    assertEquals([...bpsec.encryptedBlocks(made)], [3, 1]);
    const opened = bpsec.decryptBlocks(crypto, made, made.blocks[1]!, keys);
    assertEquals(opened, signed);
    bpsec.verifyIntegrity(crypto, opened, opened.blocks[0]!, keys);
  });

  Deno.test(`${crypto.name}: bundles of a live HDTN verify and decrypt, and no longer if one bit is flipped`, () => {
    const keys = keysOf({
      integrity: hdtn.meta.key_integrity_hex,
      confidentiality: hdtn.meta.key_confidentiality_hex,
    });
    for (const { id, hex } of hdtn.bundles) {
      const bundle = decodeBundle(decodeHex(hex));
      bpsec.checkSecurityBlocks(bundle);
      const opened = open(crypto, bundle, keys);
      assert(payloadOf(opened).length === 60, id);
      const changed = payloadOf(bundle).slice();
      changed[30]! ^= 1;
      const blocks = bundle.blocks.with(-1, {
        ...bundle.blocks.at(-1)!,
        data: changed,
      });
      const error = assertThrows(
        () => open(crypto, { ...bundle, blocks }, keys),
        bpsec.BpsecError,
      );
      assertEquals(error.code, "failed", id);
    }
  });
}

Deno.test("verifyIntegrity() refuses check values of signed blocks only if it is told to", () => {
  const bundle = decodeBundle(decodeHex(hdtn.bundles[0]!.hex));
  const keys = keysOf({ integrity: hdtn.meta.key_integrity_hex });
  const [bib] = bundle.blocks;
  bpsec.verifyIntegrity(nodeProvider, bundle, bib!, keys);
  const options = { refuseTargetCrc: true };
  const error = assertThrows(
    () => bpsec.verifyIntegrity(nodeProvider, bundle, bib!, keys, options),
    bpsec.BpsecError,
  );
  assertEquals(error.code, "malformed");
});

Deno.test("an empty payload is signed as BSL signs it", () => {
  const { bib_mac, key } = example("BSL");
  const empty = { ...original.blocks[0]!, data: new Uint8Array(0) };
  const bundle = { ...original, blocks: [empty] };
  const signed = sign(nodeProvider, bundle, "ipn:2.1", [1], key!, 7, 0);
  const [{ security }] = bpsec.integrityBlocksOf(signed) as [
    bpsec.SecurityOperations,
  ];
  assertEquals(security.results, [[[1, decodeHex(bib_mac!)]]]);
});

/** `bundle` decrypted and verified, if there is anything to do. */
function open(
  crypto: typeof nodeProvider,
  bundle: Bundle,
  keys: bpsec.SecurityKeys,
): Bundle {
  let opened = bundle;
  let checked = 0;
  for (const { block } of bpsec.confidentialityBlocksOf(bundle)) {
    opened = bpsec.decryptBlocks(crypto, opened, block, keys);
    checked++;
  }
  for (const { block } of bpsec.integrityBlocksOf(opened)) {
    bpsec.verifyIntegrity(crypto, opened, block, keys);
    checked++;
  }
  assert(checked > 0);
  return opened;
}

function aadOf(
  bundle: Bundle,
  target: Bundle["blocks"][number],
  header: { type: number; number: number; flags: number },
): string {
  return encodeHex(concat(...scopeParts(bundle, target, header, 7)));
}

/** `crypto` that draws `hex`. */
function fixedRandom(
  crypto: typeof nodeProvider,
  hex: string,
): typeof nodeProvider {
  return { ...crypto, random: () => decodeHex(hex) };
}
