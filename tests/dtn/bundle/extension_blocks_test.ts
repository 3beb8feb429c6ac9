import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex, encodeHex } from "../../../src/core/bytes/mod.ts";
import {
  BLOCK_TYPE,
  blockOfType,
  bundleAgeOf,
  BundleError,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  hopCountOf,
  previousNodeOf,
  withBundleAge,
  withExtension,
  withHopCount,
  withPreviousNode,
} from "../../../src/dtn/mod.ts";
import { bp7 } from "./_vectors.ts";

const bundle = createBundle({
  source: Eid.parse("ipn:1.7"),
  destination: Eid.parse("ipn:2.7"),
  creation: { timeMs: 1, sequence: 0 },
  lifetimeMs: 60_000,
  payload: new Uint8Array(1),
});

Deno.test("extension blocks of others say what their makers meant", () => {
  const { hex } = bp7.conformance.find(({ id }) => id === "bplib-many-blocks")!;
  const many = decodeBundle(decodeHex(hex));
  assertEquals(`${previousNodeOf(many)}`, "ipn:300.2");
  assertEquals(bundleAgeOf(many), 108_000);
  assertEquals(hopCountOf(many), { limit: 15, count: 3 });
});

Deno.test("withPreviousNode(), withBundleAge() and withHopCount() add blocks and change them", () => {
  const relay = Eid.parse("dtn://relay/");
  let next = withPreviousNode(bundle, relay);
  next = withBundleAge(next, 23);
  next = withHopCount(next, { limit: 32, count: 0 });
  assertEquals(next.blocks.map(({ number }) => number), [2, 3, 4, 1]);
  const datas = [BLOCK_TYPE.bundleAge, BLOCK_TYPE.hopCount].map((type) =>
    encodeHex(blockOfType(next, type)!.data)
  );
  assertEquals(datas, ["17", "82182000"]);
  const later = withHopCount(withBundleAge(next, 1_000), {
    limit: 32,
    count: 1,
  });
  const received = decodeBundle(encodeBundle(later));
  assertEquals(received.blocks.length, 4);
  assertEquals(bundleAgeOf(received), 1_000);
  assertEquals(hopCountOf(received), { limit: 32, count: 1 });
  assertEquals(`${previousNodeOf(received)}`, "dtn://relay/");
  assertEquals(previousNodeOf(bundle), undefined);
});

Deno.test("extension blocks that are malformed are told as such", () => {
  const { bad, ok } = bp7.fields.hop_count_body;
  const hops = (hex: string) =>
    hopCountOf(withExtension(bundle, BLOCK_TYPE.hopCount, decodeHex(hex)));
  assertEquals(ok.map(hops), [{ limit: 1, count: 0 }, {
    limit: 255,
    count: 0,
  }]);
  for (const hex of [...bad, "8101", "83010203", "82010000", "01", "820121"]) {
    const error = assertThrows(() => hops(hex), BundleError, undefined, hex);
    assertEquals(error.code, "extension");
  }
  const age = withExtension(bundle, BLOCK_TYPE.bundleAge, decodeHex("6131"));
  assertThrows(() => bundleAgeOf(age), BundleError);
  assertThrows(() => withBundleAge(bundle, -1), RangeError);
  assertThrows(
    () => withHopCount(bundle, { limit: 256, count: 0 }),
    RangeError,
  );
});
