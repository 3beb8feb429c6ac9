import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BLOCK_FLAG,
  type Bundle,
  BUNDLE_FLAG,
  BundleError,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  fragmentBundle,
  payloadOf,
  PIECE_OVERHEAD_BYTES,
  Reassembly,
  type ReassemblyOutcome,
} from "../../../src/dtn/mod.ts";
import { generator } from "../../htx/_mutation.ts";

function make(length: number, sequence = 0, flags = 0): Bundle {
  return createBundle({
    source: Eid.parse("dtn://n1/app"),
    destination: Eid.parse("ipn:2.7"),
    creation: { timeMs: 1_000, sequence },
    lifetimeMs: 60_000,
    payload: Uint8Array.from({ length }, (_, i) => i * 7 + sequence),
    flags,
    extensions: [
      { type: 200, data: new Uint8Array(40), flags: BLOCK_FLAG.replicate },
      { type: 201, data: new Uint8Array(20) },
    ],
  });
}

/** Bytes `from` to `to` of `bundle`'s payload as a fragment. */
function cut(bundle: Bundle, from: number, to: number): Bundle {
  const { primary, blocks } = bundle;
  const payload = blocks.at(-1)!;
  return {
    primary: {
      ...primary,
      flags: primary.flags | BUNDLE_FLAG.isFragment,
      fragment: { offset: from, totalLength: payload.data.length },
    },
    blocks: [...from ? [] : blocks.slice(0, -1), {
      ...payload,
      data: payload.data.subarray(from, to),
    }],
  };
}

function reasonOf(outcome: ReassemblyOutcome): string {
  return outcome.kind === "dropped" ? outcome.reason : outcome.kind;
}

Deno.test("fragmentBundle() makes fragments of at most maxBytes, which Reassembly joins in any order", () => {
  const random = generator(7);
  for (const maxBytes of [200, 257, 300, 1_000, 70_000]) {
    const bundle = make(140_000 >> random(6));
    const fragments = fragmentBundle(bundle, maxBytes).map((fragment) => {
      const bytes = encodeBundle(fragment);
      assert(bytes.length <= maxBytes, `${bytes.length} > ${maxBytes}`);
      return decodeBundle(bytes);
    });
    const types = fragments.map(({ blocks }) => blocks.map(({ type }) => type));
    assertEquals(types.shift(), [200, 201, 1]);
    for (const each of types) assertEquals(each, [200, 1]);
    fragments.sort(() => random(3) - 1);
    const reassembly = new Reassembly();
    const outcomes = fragments.map((each) => reassembly.add(each, 0, 1_000));
    const last = outcomes.pop()!;
    for (const outcome of outcomes) assertEquals(outcome.kind, "waiting");
    assert(last.kind === "whole");
    assertEquals(last.bundle, bundle);
    assertEquals([reassembly.size, reassembly.heldBytes], [0, 0]);
  }
});

Deno.test("fragmentBundle() fills fragments, leaves small bundles alone and fragments fragments", () => {
  const bundle = make(5_000);
  const fragments = fragmentBundle(bundle, 1_000);
  const [first] = fragments.map((each) => encodeBundle(each).length);
  assert(first! >= 998, `${first}`);
  assertEquals(fragmentBundle(bundle, encodeBundle(bundle).length), [bundle]);
  const smaller = fragments.flatMap((each) => fragmentBundle(each, 300));
  const reassembly = new Reassembly();
  const outcomes = smaller.map((each) => reassembly.add(each, 0, 1_000));
  const last = outcomes.at(-1)!;
  assert(last.kind === "whole");
  assertEquals(last.bundle, bundle);
});

Deno.test("fragmentBundle() refuses what must not be fragmented, and fragments without a payload", () => {
  const whole = make(5_000, 0, BUNDLE_FLAG.mustNotFragment);
  const error = assertThrows(() => fragmentBundle(whole, 1_000), BundleError);
  assertEquals(error.code, "fragment");
  assertThrows(() => fragmentBundle(make(5_000), 100), RangeError);
});

Deno.test("Reassembly joins fragments that overlap, come twice, cover others or have holes between", () => {
  const random = generator(8);
  for (let round = 0; round < 200; round++) {
    const bundle = make(1 + random(400), round);
    const { length } = payloadOf(bundle);
    const reassembly = new Reassembly();
    const covered = new Uint8Array(length);
    for (;;) {
      const from = random(3) ? random(length) : 0;
      const to = from + 1 + random(length - from);
      const outcome = reassembly.add(cut(bundle, from, to), 0, 1_000);
      const fresh = covered.subarray(from, to).includes(0);
      covered.fill(1, from, to);
      if (!covered.includes(0)) {
        assert(outcome.kind === "whole");
        assertEquals(outcome.bundle, bundle);
        break;
      }
      assertEquals(reasonOf(outcome), fresh ? "waiting" : "duplicate");
    }
  }
});

Deno.test("Reassembly takes the blocks of a first fragment whose payload came before", () => {
  const bundle = make(10);
  const { primary, blocks } = cut(bundle, 0, 5);
  const reassembly = new Reassembly();
  const late = {
    primary: { ...primary, fragment: { offset: 0, totalLength: 10 } },
    blocks: blocks.with(-1, { ...blocks.at(-1)!, data: new Uint8Array(0) }),
  };
  assertEquals(reasonOf(reassembly.add(late, 0, 1_000)), "waiting");
  const outcome = reassembly.add(cut(bundle, 0, 10), 0, 1_000);
  assert(outcome.kind === "whole");
  assertEquals(outcome.bundle, bundle);
});

Deno.test("Reassembly keeps what it was told first", () => {
  const bundle = make(10);
  const reassembly = new Reassembly();
  reassembly.add(cut(bundle, 0, 6), 0, 1_000);
  const other = cut(bundle, 4, 10);
  const lying = {
    ...other,
    blocks: [{ ...other.blocks[0]!, data: new Uint8Array(6) }],
  };
  assertEquals(reasonOf(reassembly.add(lying, 0, 1_000)), "conflicting");
  const outcome = reassembly.add(other, 0, 1_000);
  assert(outcome.kind === "whole");
  assertEquals(outcome.bundle, bundle);
  assertEquals(reassembly.counts.conflicting, 1);
});

Deno.test("Reassembly holds no more than its limits, and counts what it drops", () => {
  const limits = {
    maxBytes: 10 * PIECE_OVERHEAD_BYTES,
    maxBundles: 3,
    maxPayloadBytes: 1_000,
    maxPieces: 4,
    maxWaitMs: 100,
  };
  const reassembly = new Reassembly(limits);
  const add = (bundle: Bundle, from: number, to: number, nowMs = 0) =>
    reasonOf(reassembly.add(cut(bundle, from, to), nowMs, 1_000));
  assertEquals(add(make(1_001), 0, 1), "too_large");
  for (let i = 0; i < 6; i++) add(make(100, i), 50, 60);
  assertEquals(reassembly.size, 3);
  assertEquals(reassembly.counts.evicted, 3);
  const pieces = make(100, 9);
  for (let i = 1; i < 5; i++) {
    assertEquals(add(pieces, 9 * i, 9 * i + 1), "waiting");
  }
  assertEquals(add(pieces, 99, 100), "too_many_pieces");
  assert(reassembly.heldBytes <= limits.maxBytes);
  assertEquals(add(pieces, 18, 19), "duplicate");
  const { size } = reassembly;
  reassembly.expire(99);
  assertEquals(reassembly.size, size);
  reassembly.expire(100);
  assertEquals([reassembly.size, reassembly.heldBytes], [0, 0]);
  assertEquals(reassembly.counts.expired, size);
  reassembly.add(cut(make(100), 0, 1), 100, 5);
  reassembly.expire(105); // the bundle's lifetime is over
  assertEquals(reassembly.size, 0);
  assertEquals(
    reasonOf(new Reassembly({ maxBytes: 600 }).add(cut(make(100), 0, 1), 0, 9)),
    "too_large",
  );
});

Deno.test("Reassembly copies what it holds, and passes whole bundles on", () => {
  const bundle = make(10);
  const reassembly = new Reassembly();
  assertEquals(reassembly.add(bundle, 0, 1), { kind: "whole", bundle });
  const first = decodeBundle(encodeBundle(cut(bundle, 0, 6)));
  reassembly.add(first, 0, 1_000);
  new Uint8Array(payloadOf(first).buffer).fill(0xee);
  const outcome = reassembly.add(cut(bundle, 6, 10), 0, 1_000);
  assert(outcome.kind === "whole");
  assertEquals(outcome.bundle, bundle);
});
