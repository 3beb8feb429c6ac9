import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { borrow, giveBack } from "../../src/core/bytes/mod.ts";

Deno.test("borrow() gives the length asked for, and a large array again once it was given back", () => {
  const first = borrow(100_000);
  assertEquals(first.length, 100_000);
  const second = borrow(100_000);
  assertNotStrictEquals(second.buffer, first.buffer);
  giveBack(first);
  const third = borrow(200_000);
  assertEquals(third.length, 200_000);
  assertEquals(third.buffer === first.buffer, true);
  for (const bytes of [second, third]) giveBack(bytes);
});

Deno.test("giveBack() frees what is small, too large or too much", () => {
  for (const length of [0, 1_000, 10_000_000]) {
    const bytes = borrow(length);
    assertEquals(bytes.length, length);
    giveBack(bytes);
    assertEquals(bytes.buffer.byteLength, 0);
  }
  const many = Array.from({ length: 8 }, () => borrow(70_000));
  for (const bytes of many) giveBack(bytes);
  const freed = many.filter(({ buffer }) => buffer.byteLength === 0);
  assertEquals(freed.length, 4);
});
