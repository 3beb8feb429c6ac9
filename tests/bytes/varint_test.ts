import { assertEquals, assertThrows } from "@std/assert";
import {
  DecodeError,
  decodeHex,
  decodeVarint,
  encodeHex,
  encodeVarint,
  varintLength,
  varintSize,
  Writer,
} from "../../src/core/bytes/mod.ts";
import betanet from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

/** RFC 9000 appendix A.1; the last is a longer form than needed. */
const RFC_9000: readonly [value: bigint, hex: string][] = [
  [151288809941952652n, "c2197c5eff14e88c"],
  [494878333n, "9d7f3e7d"],
  [15293n, "7bbd"],
  [37n, "25"],
  [37n, "4025"],
];

function encode(value: number): string {
  return encodeHex(new Writer().varint(value).finish());
}

function decode(hex: string): number {
  return decodeVarint(decodeHex(hex), 0, "varint");
}

Deno.test("varint agrees with RFC 9000 A.1, but for values and forms we refuse", () => {
  for (const [value, hex] of RFC_9000) {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      assertThrows(() => decode(hex), DecodeError, "above 2^53 - 1");
    } else if (hex === "4025") {
      assertThrows(() => decode(hex), DecodeError, "shortest");
    } else {
      assertEquals(decode(hex), number);
      assertEquals(encode(number), hex);
    }
  }
});

Deno.test("varint agrees with the Betanet vectors", () => {
  const vectors = Object.entries(betanet.varint);
  assertEquals(vectors.length, 10);
  for (const [value, hex] of vectors) {
    assertEquals(encode(Number(value)), hex);
    assertEquals(decode(hex), Number(value));
  }
});

Deno.test("varint round-trips both sides of every length", () => {
  for (const edge of [2 ** 6, 2 ** 14, 2 ** 30, 2 ** 32, 2 ** 53]) {
    for (const value of [edge - 2, edge - 1, edge, edge + 1]) {
      if (value > Number.MAX_SAFE_INTEGER) continue;
      const hex = encode(value);
      assertEquals(decode(hex), value);
      assertEquals(varintSize(value) * 2, hex.length);
      assertEquals(varintLength(parseInt(hex.slice(0, 2), 16)) * 2, hex.length);
    }
  }
});

Deno.test("encodeVarint() writes at an offset, returns the next, and refuses what does not fit", () => {
  const into = new Uint8Array(4);
  assertEquals(encodeVarint(15293, into, 1), 3);
  assertEquals(encodeHex(into), "007bbd00");
  assertThrows(() => encodeVarint(15293, into, 3), RangeError, "offset 3");
  for (const value of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => encodeVarint(value, into, 0), RangeError);
  }
});

Deno.test("decodeVarint() rejects every longer form than needed", () => {
  for (const hex of ["403f", "80003fff", "c00000003fffffff"]) {
    assertThrows(() => decode(hex), DecodeError, "shortest");
  }
});

Deno.test("decodeVarint() rejects every truncation", () => {
  for (const hex of ["7bbd", "9d7f3e7d", "c000000040000000"]) {
    for (let end = 0; end < hex.length; end += 2) {
      assertThrows(() => decode(hex.slice(0, end)), DecodeError, "cut short");
    }
  }
});

Deno.test("decodeVarint() rejects what a number cannot hold", () => {
  assertEquals(decode("c01fffffffffffff"), Number.MAX_SAFE_INTEGER);
  for (
    const hex of ["c020000000000000", "c020000000000001", "ffffffffffffffff"]
  ) {
    assertThrows(() => decode(hex), DecodeError, "above 2^53 - 1");
  }
});
