import { assertEquals } from "@std/assert";
import { concat, equal, utf8 } from "../../src/core/bytes/mod.ts";

Deno.test("concat() joins in order into a new array", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concat(part, new Uint8Array(0), Uint8Array.of(3));
  part[0] = 9;
  assertEquals(joined, Uint8Array.of(1, 2, 3));
  assertEquals(concat(), new Uint8Array(0));
});

Deno.test("utf8() encodes beyond the basic plane", () => {
  assertEquals(utf8("a\u{10151}"), Uint8Array.of(0x61, 0xf0, 0x90, 0x85, 0x91));
});

Deno.test("equal() sees every single-bit difference and every length", () => {
  const a = Uint8Array.from({ length: 33 }, (_, i) => i);
  assertEquals(equal(a, a.slice()), true);
  assertEquals(equal(new Uint8Array(0), new Uint8Array(0)), true);
  assertEquals(equal(a, a.subarray(1)), false);
  assertEquals(equal(a, concat(a, Uint8Array.of(0))), false);
  for (let bit = 0; bit < a.length * 8; bit++) {
    const b = a.slice();
    b[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(equal(a, b), false);
  }
});
