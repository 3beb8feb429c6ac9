import { assertEquals, assertThrows } from "@std/assert";
import { decodeHex } from "../../../src/core/bytes/mod.ts";
import { FabricError } from "../../../src/fabric/mod.ts";
import {
  decodePayload,
  encodePayload,
} from "../../../src/fabric/agent/payload.ts";
import {
  MAX_PAYLOAD_DEPTH,
  MAX_PAYLOAD_VALUES,
} from "../../../src/fabric/agent/payload_bounds.ts";

const hex = decodeHex;

Deno.test("payloads carry what CBOR has, and give it back as it was", () => {
  const values = [
    ...[undefined, null, true, 0, -1, 2 ** 40, 1.5, NaN, -Infinity, "é", ""],
    ...[10n ** 30n, -(10n ** 30n), 5n],
    ...[
      [1, [2]],
      { a: { b: [] } },
      new Date(5),
      new Set([1]),
      new Uint8Array(3),
    ],
    ...[new Map<unknown, unknown>([[1, {}], ["a", 2]]), Float64Array.of(1.5)],
  ];
  for (const value of values) {
    const given = decodePayload(encodePayload(value));
    assertEquals(
      typeof value === "bigint" ? BigInt(given as number) : given,
      value,
    );
  }
});

Deno.test("encodePayload() refuses what no payload carries", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  let deep: unknown = 1;
  for (let i = 0; i <= MAX_PAYLOAD_DEPTH; i++) deep = [deep];
  const refused = [cyclic, deep, /a/, new Error("e"), [1].values()];
  for (const value of [...refused, () => 1, { a: Symbol("s") }]) {
    const want = "A message cannot carry that value";
    assertThrows(() => encodePayload(value), RangeError, want);
  }
  assertThrows(() => encodePayload(new Uint8Array(100), 100), RangeError);
  assertEquals(decodePayload(encodePayload([1])), [1]);
});

Deno.test("decodePayload() refuses malformed and costly CBOR", () => {
  const refused = [
    ...[
      "",
      "18",
      "1c",
      "1f",
      "6261",
      "42ff",
      "8201",
      "a101",
      "c1",
      "f818",
      "e0",
    ],
    "0000", // goes on
    "5fff", // of indefinite length
    "9fff",
    "bfff",
    "9affffffff", // longer than all there is
    "bb7fffffffffffffff",
    "81".repeat(MAX_PAYLOAD_DEPTH + 1) + "00",
    "c2590401" + "ff".repeat(1_025), // a long integer
    "c200", // tags of something else
    "d9010200",
    "d9010300",
    "d84000",
    "d81b826552656745787061", // an object of a class
    "d81c80", // a shared value
    "d81d00", // a reference
    "d9dfff8319e0008161610a", // a record definition
    "d833848080808000", // a packed table
    "c482181e01", // a decimal fraction
    "c074323031332d30332d32315432303a30343a30305a",
  ];
  for (const bytes of refused) {
    const error = assertThrows(() => decodePayload(hex(bytes)), FabricError);
    assertEquals(error.code, "malformed");
  }
  const many = new Uint8Array(MAX_PAYLOAD_VALUES + 5).fill(0x80);
  many.set([0x9a, 0, 0x10, 0, 0]);
  assertThrows(() => decodePayload(many), FabricError);
});

Deno.test("decodePayload() leaves prototypes alone, and one payload tells nothing to the next", () => {
  const polluting = encodePayload(
    new Map<unknown, unknown>([["__proto__", { isAdmin: true }], [
      "constructor",
      1,
    ]]),
  ).subarray(3);
  const given = decodePayload(polluting) as Record<string, unknown>;
  assertEquals(Object.getPrototypeOf(given), Object.prototype);
  assertEquals(({} as Record<string, unknown>).isAdmin, undefined);
  assertEquals(given.isAdmin, undefined);
  // A map tag that is of no map would have the next object come as a Map.
  assertThrows(() => decodePayload(hex("d9010300")), FabricError);
  assertEquals(decodePayload(encodePayload({ a: 1 })), { a: 1 });
});
