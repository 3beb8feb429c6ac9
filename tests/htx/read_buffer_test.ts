import { assertEquals } from "@std/assert";
import { ReadBuffer } from "../../src/htx/read_buffer.ts";

/** Reads as much as fits of `arriving` bytes, all of them whole frames, and returns how much that was. */
function readAll(buffer: ReadBuffer, arriving: number): number {
  const length = Math.min(arriving, buffer.room.length);
  buffer.add(length);
  buffer.consume(length);
  return length;
}

Deno.test("ReadBuffer stays small while frames of padding arrive", () => {
  const buffer = new ReadBuffer(new Uint8Array(0), 65_537);
  for (let i = 0; i < 100; i++) {
    assertEquals(readAll(buffer, 3_072 + 21), 3_093);
    assertEquals(buffer.room.length, 4_096);
  }
});

Deno.test("ReadBuffer grows while reads fill it, and shrinks after 17 small ones", () => {
  const buffer = new ReadBuffer(new Uint8Array(0), 65_537);
  for (const size of [4_096, 32_768, 262_144, 262_144]) {
    assertEquals(readAll(buffer, 1e6), size);
  }
  for (let i = 0; i < 17; i++) {
    assertEquals(buffer.room.length, 262_144);
    readAll(buffer, 3_093);
  }
  assertEquals(buffer.room.length, 4_096);
});
