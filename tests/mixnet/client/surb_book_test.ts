import { assertEquals } from "@std/assert";
import { SurbBook } from "../../../src/mixnet/client/surb_book.ts";

const id = (n: number) => new Uint8Array(16).fill(n);
const surb = (meaning: string, expiresMs = Infinity) => ({
  recovery: [],
  expiresMs,
  meaning,
});

Deno.test("a SURB comes back once", () => {
  const book = new SurbBook<string>(10);
  book.give(id(1), surb("one"));
  assertEquals(book.take(id(2)), undefined);
  assertEquals(book.take(id(1))?.meaning, "one");
  assertEquals(book.take(id(1)), undefined);
});

Deno.test("of too many SURBs the oldest is forgotten and counted", () => {
  const book = new SurbBook<string>(2);
  for (const n of [1, 2, 3]) book.give(id(n), surb(`${n}`));
  assertEquals([book.size, book.evicted], [2, 1]);
  assertEquals(
    [1, 2, 3].map((n) => book.take(id(n))?.meaning),
    [undefined, "2", "3"],
  );
});

Deno.test("SURBs that no node accepts, or whose return means nothing, are forgotten", () => {
  const book = new SurbBook<string>(10);
  book.give(id(1), surb("expires", 1_000));
  book.give(id(2), surb("moot"));
  book.give(id(3), surb("stays", 1_001));
  book.tick(999, () => false);
  assertEquals(book.size, 3);
  book.tick(1_000, (meaning) => meaning === "moot");
  assertEquals(
    [1, 2, 3].map((n) => book.take(id(n))?.meaning),
    [undefined, undefined, "stays"],
  );
});
