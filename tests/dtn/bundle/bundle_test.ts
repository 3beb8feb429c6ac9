import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeHex, equal } from "../../../src/core/bytes/mod.ts";
import {
  type Bundle,
  BUNDLE_FLAG,
  BundleError,
  type BundleErrorCode,
  bundleSize,
  CRC_TYPE,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/mod.ts";
import { crc32c } from "../../../src/dtn/bundle/crc.ts";
import { wellFormed } from "./_vectors.ts";

const source = Eid.parse("ipn:1.7");
const destination = Eid.parse("dtn://n2/in");
const creation = { timeMs: 849_000_000_000, sequence: 3 };
const init = {
  source,
  destination,
  creation,
  lifetimeMs: 60_000,
  payload: Uint8Array.of(1, 2, 3),
};

Deno.test("createBundle(), encodeBundle() and decodeBundle() agree", () => {
  for (const crcType of Object.values(CRC_TYPE)) {
    const bundle = createBundle({
      ...init,
      crcType,
      reportTo: Eid.parse("ipn:977000.1.0"),
      extensions: [{ type: 192, data: new Uint8Array(300), flags: 0x10 }],
    });
    const bytes = encodeBundle(bundle);
    assertEquals(bytes.length, bundleSize(bundle));
    assertEquals(decodeBundle(bytes), bundle);
  }
});

Deno.test("encodeBundle() writes into the memory that it is given, if there is room", () => {
  const bundle = createBundle(init);
  const bytes = encodeBundle(bundle);
  for (const spare of [0, 1, 1_000]) {
    const into = new Uint8Array(bytes.length + spare).fill(0xee);
    const written = encodeBundle(bundle, {}, into);
    assertEquals(written, bytes);
    assert(written.buffer === into.buffer);
    assertEquals(into.subarray(bytes.length), new Uint8Array(spare).fill(0xee));
  }
  const short = new Uint8Array(bytes.length - 1);
  assertEquals(encodeBundle(bundle, {}, short), bytes);
  assertEquals(short, new Uint8Array(bytes.length - 1));
});

Deno.test("encodeBundle() takes the check value of a long block as it came, so that damage since then shows", () => {
  for (const crcType of [CRC_TYPE.crc16, CRC_TYPE.crc32c]) {
    const payload = new Uint8Array(2_000).fill(7);
    const bytes = encodeBundle(createBundle({ ...init, crcType, payload }));
    const bundle = decodeBundle(bytes);
    assertEquals(encodeBundle(bundle), bytes);
    const [block] = bundle.blocks;
    const data = payload.toReversed().fill(8, 1_000);
    const changed = { ...bundle, blocks: [{ ...block!, data }] };
    assertEquals(payloadOf(decodeBundle(encodeBundle(changed))), data);
    payloadOf(bundle)[1_999] = 8;
    assertThrows(
      () => decodeBundle(encodeBundle(bundle)),
      BundleError,
      "check value",
    );
  }
});

Deno.test("encodeBundle() computes the check value of a long block anew that came in another form", () => {
  const payload = new Uint8Array(2_000);
  const primary = "88070000820282010282028202018202820201820018281a000f4240";
  const block = decodeHex(`8601180100025907d0${payload.toHex()}4400000000`);
  const check = crc32c(block).toString(16).padStart(8, "0");
  const bytes = decodeHex(
    `9f${primary}${block.subarray(0, -4).toHex()}${check}ff`,
  );
  const bundle = decodeBundle(bytes, { quirks: ["long_heads"] });
  const again = encodeBundle(bundle);
  assertEquals(again.length, bytes.length - 1);
  assertEquals(decodeBundle(again), bundle);
});

Deno.test("encodeBundle() writes the bytes of RFC 9173 A.1.1.3", () => {
  const bundle = createBundle({
    source: Eid.parse("ipn:2.1"),
    destination: Eid.parse("ipn:1.2"),
    creation: { timeMs: 0, sequence: 40 },
    lifetimeMs: 1_000_000,
    payload: new TextEncoder().encode("Ready to generate a 32-byte payload"),
    crcType: CRC_TYPE.none,
  });
  assertEquals(
    encodeBundle(bundle).toHex(),
    "9f88070000820282010282028202018202820201820018281a000f4240" +
      "85010100005823526561647920746f2067656e657261746520612033322d62797465207061796c6f6164ff",
  );
});

Deno.test("decodeBundle() keeps integers of 64 bits", () => {
  const wide = (1n << 64n) - 1n;
  const bundle = createBundle({
    ...init,
    creation: { timeMs: 1n << 53n, sequence: wide },
    lifetimeMs: wide,
  });
  assertEquals(decodeBundle(encodeBundle(bundle)), bundle);
  const safe = { timeMs: Number.MAX_SAFE_INTEGER, sequence: 2 ** 32 };
  const safeBundle = createBundle({ ...init, creation: safe });
  assertEquals(decodeBundle(encodeBundle(safeBundle)).primary.creation, safe);
});

Deno.test("encodeBundle() refuses what decodeBundle() would, and numbers that are no integers", () => {
  const bundle = createBundle(init);
  const { primary, blocks } = bundle;
  const [payload] = blocks;
  const cases: [BundleErrorCode, Bundle][] = [
    ["block", { primary, blocks: [] }],
    ["block", { primary, blocks: [payload!, payload!] }],
    ["block", { primary, blocks: [{ ...payload!, number: 2 }] }],
    ["flags", { primary: { ...primary, source: Eid.NONE }, blocks }],
    [
      "flags",
      { primary: { ...primary, flags: BUNDLE_FLAG.isFragment }, blocks },
    ],
    [
      "fragment",
      {
        primary: {
          ...primary,
          flags: BUNDLE_FLAG.isFragment,
          fragment: { offset: 1, totalLength: 3 },
        },
        blocks,
      },
    ],
  ];
  for (const [code, bad] of cases) {
    assertEquals(assertThrows(() => encodeBundle(bad), BundleError).code, code);
  }
  for (const lifetimeMs of [-1, 0.5, NaN, 2 ** 53, -1n, 5n, 1n << 64n]) {
    const bad = { primary: { ...primary, lifetimeMs }, blocks };
    assertThrows(() => encodeBundle(bad), RangeError);
  }
  const bad = { primary, blocks: [{ ...payload!, flags: 1.5 }] };
  assertThrows(() => encodeBundle(bad), RangeError);
});

Deno.test("decodeBundle() bounds the number of blocks", () => {
  const extensions = Array.from(
    { length: 4 },
    () => ({ type: 200, data: new Uint8Array(0) }),
  );
  const bytes = encodeBundle(createBundle({ ...init, extensions }));
  assertEquals(decodeBundle(bytes, { maxBlocks: 5 }).blocks.length, 5);
  const error = assertThrows(
    () => decodeBundle(bytes, { maxBlocks: 4 }),
    BundleError,
  );
  assertEquals(error.code, "limit");
});

Deno.test("decodeBundle() copies no payload, and allocates nothing for what is only announced", () => {
  const bytes = encodeBundle(createBundle(init));
  assertEquals(payloadOf(decodeBundle(bytes)).buffer, bytes.buffer);
  const announced = decodeHex(
    "9f88070000820282010282028202018202820201820018281a000f424085010100005b000fffffffffffff",
  );
  const error = assertThrows(() => decodeBundle(announced), BundleError);
  assertEquals(error.code, "truncated");
});

Deno.test("decodeBundle() refuses every truncation of every bundle", () => {
  for (const { name, bytes } of wellFormed()) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      assertThrows(() => decodeBundle(cut), BundleError, undefined, name);
    }
  }
});

Deno.test("decodeBundle() takes a flipped bit for an error or for another bundle, which it encodes again", () => {
  let decoded = 0;
  for (const { name, bytes } of wellFormed()) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const again = encodeBundle(decodeBundle(changed));
        assert(equal(again, changed), `${name}, bit ${bit}`);
        decoded++;
      } catch (error) {
        if (!(error instanceof BundleError)) throw error;
      }
    }
  }
  assert(decoded > 1_000, `${decoded}`); // in what no check value covers
});

Deno.test("decodeBundle() finds every flipped bit if each block has a check value", () => {
  for (const crcType of [CRC_TYPE.crc16, CRC_TYPE.crc32c]) {
    const bytes = encodeBundle(createBundle({ ...init, crcType }));
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assertThrows(() => decodeBundle(changed), BundleError);
    }
  }
});

Deno.test("bundles that are encoded one after the other have memory of their own, the short ones in one buffer of 4 KiB", () => {
  const encoded = Array.from({ length: 200 }, (_, n) => {
    const payload = new Uint8Array(n % 2 === 0 ? 40 : 700).fill(n);
    return { payload, bytes: encodeBundle(createBundle({ ...init, payload })) };
  });
  for (const { payload, bytes } of encoded) {
    assertEquals(payloadOf(decodeBundle(bytes)), payload);
    assertEquals(
      bytes.buffer.byteLength,
      payload.length === 40 ? 4_096 : bytes.length,
    );
  }
  const buffers = new Set(encoded.map(({ bytes }) => bytes.buffer));
  assert(buffers.size < 110, "the short ones share theirs");
  encoded[0]!.bytes.fill(0);
  for (const { payload, bytes } of encoded.slice(1)) {
    assertEquals(payloadOf(decodeBundle(bytes)), payload);
  }
});
