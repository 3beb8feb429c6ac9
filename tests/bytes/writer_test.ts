import { assertEquals, assertThrows } from "@std/assert";
import { Reader, Writer } from "../../src/core/bytes/mod.ts";

Deno.test("Writer writes what Reader reads, at every edge of every width", () => {
  for (const size of [8, 16, 24, 32] as const) {
    for (const value of [0, 1, 0x7f, 0x80, 2 ** (size - 1), 2 ** size - 1]) {
      const bytes = new Writer()[`u${size}`](value).finish();
      assertEquals(bytes.length, size / 8);
      assertEquals(new Reader(bytes, "uint")[`u${size}`](), value);
    }
  }
  for (const value of [0n, 1n, 1n << 32n, 1n << 63n, (1n << 64n) - 1n]) {
    const bytes = new Writer().u64(value).finish();
    assertEquals(new Reader(bytes, "uint").u64(), value);
  }
});

Deno.test("Writer refuses integers that do not fit", () => {
  const w = new Writer();
  for (const size of [8, 16, 24, 32] as const) {
    for (const value of [-1, 2 ** size, 1.5, NaN, Infinity]) {
      assertThrows(() => w[`u${size}`](value), RangeError, `A u${size} must`);
    }
  }
  for (const value of [-1n, 1n << 64n]) {
    assertThrows(() => w.u64(value), RangeError, "A u64 must");
  }
  assertThrows(() => w.varint(-1), RangeError);
  assertEquals(w.length, 0);
});

Deno.test("Writer keeps everything as it grows", () => {
  const block = Uint8Array.from({ length: 100 }, (_, i) => i);
  for (const capacity of [0, 1, 64, 250]) {
    const w = new Writer(capacity);
    w.put(block).u8(1).put(block).u32(0x01020304).varint(2 ** 40).put(block);
    assertEquals(w.length, 313);
    const r = new Reader(w.finish(), "growth");
    assertEquals(r.take(100), block);
    assertEquals(r.u8(), 1);
    assertEquals(r.take(100), block);
    assertEquals(r.u32(), 0x01020304);
    assertEquals(r.varint(), 2 ** 40);
    assertEquals(r.rest(), block);
  }
});

Deno.test("Writer.finish() returns a copy of its own", () => {
  const w = new Writer().u8(1);
  const first = w.finish();
  first[0] = 9;
  assertEquals(w.u8(2).finish(), Uint8Array.of(1, 2));
  assertEquals(first.buffer.byteLength, 1);
});
