import { assert, assertEquals } from "@std/assert";
import { TagTable } from "../../../src/mixnet/node/tag_table.ts";
import { drawBytes, seededRandom } from "./_draws.ts";

Deno.test("TagTable agrees with a Set of the first 16 bytes through its growth", () => {
  const random = seededRandom(4);
  const table = new TagTable(drawBytes(random, 8));
  const known = new Set<string>();
  const tags = Array.from({ length: 20_000 }, () => drawBytes(random, 20));
  for (const tag of [...tags, ...tags.slice(0, 500)]) {
    const key = tag.subarray(0, 16).toHex();
    assertEquals(table.lacks(tag), !known.has(key));
    assertEquals(table.add(tag), !known.has(key));
    known.add(key);
  }
  assertEquals(table.size, known.size);
  assert(tags.every((tag) => !table.lacks(tag)));
});

Deno.test("TagTable takes 16 zero bytes for present", () => {
  const table = new TagTable(new Uint8Array(8));
  assert(!table.lacks(new Uint8Array(16)));
  assert(!table.add(new Uint8Array(16)));
  assertEquals(table.size, 0);
});

Deno.test("TagTable tells tags apart that differ in one bit", () => {
  const table = new TagTable(new Uint8Array(8));
  for (let bit = 0; bit < 128; bit++) {
    const tag = new Uint8Array(16).fill(0x5a);
    tag[bit >> 3]! ^= 1 << (bit & 7);
    assert(table.add(tag), `bit ${bit}`);
  }
  assertEquals(table.size, 128);
});
