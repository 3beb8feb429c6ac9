import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, Reader } from "../../src/core/bytes/mod.ts";

function reader(...bytes: number[]): Reader {
  return new Reader(Uint8Array.from(bytes), "thing");
}

Deno.test("Reader reads big-endian integers of every width", () => {
  const r = reader(
    ...[0xff],
    ...[0xfe, 0xff],
    ...[0xfd, 0xfe, 0xff],
    ...[0xfc, 0xfd, 0xfe, 0xff],
    ...[0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff],
  );
  assertEquals(r.u8(), 0xff);
  assertEquals(r.u16(), 0xfeff);
  assertEquals(r.u24(), 0xfdfeff);
  assertEquals(r.u32(), 0xfcfdfeff);
  assertEquals(r.u64(), 0xf8f9fafbfcfdfeffn);
  r.end();
});

Deno.test("Reader takes views of its bytes and counts them", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const r = new Reader(bytes, "thing");
  const taken = r.take(3);
  assertEquals(taken, Uint8Array.of(1, 2, 3));
  assertEquals(taken.buffer, bytes.buffer);
  assertEquals([r.offset, r.remaining], [3, 1]);
  assertEquals(r.rest(), Uint8Array.of(4));
  assertEquals(r.rest(), new Uint8Array(0));
});

Deno.test("Reader.peek() leaves the byte unread and fails at the end", () => {
  const r = reader(7);
  assertEquals([r.peek(), r.u8()], [7, 7]);
  assertThrows(() => r.peek(), DecodeError);
});

Deno.test("Reader.since() gives what was read from an offset on", () => {
  const r = reader(1, 2, 3, 4);
  r.u8();
  const start = r.offset;
  r.u16();
  assertEquals(r.since(start), Uint8Array.of(2, 3));
  for (const bad of [-1, 4, NaN]) {
    assertThrows(() => r.since(bad), RangeError, "0..3");
  }
});

Deno.test("Reader.sub() cannot read past its own length", () => {
  const r = reader(1, 2, 3);
  const inner = r.sub(2, "inner");
  inner.u8();
  assertThrows(() => inner.u16(), DecodeError, "decode inner");
  assertEquals(r.u8(), 3);
});

Deno.test("Reader refuses to read past the end, and stays where it was", () => {
  const reads: ((r: Reader) => unknown)[] = [
    (r) => r.u16(),
    (r) => r.u24(),
    (r) => r.u32(),
    (r) => r.u64(),
    (r) => r.take(2),
    (r) => r.take(-1),
    (r) => r.take(NaN),
    (r) => r.sub(2),
  ];
  for (const read of reads) {
    const r = reader(1);
    assertThrows(() => read(r), DecodeError, "Cannot decode thing: need");
    assertEquals(r.offset, 0);
  }
  assertThrows(() => reader().u8(), DecodeError);
});

Deno.test("Reader.varint() reads one and refuses one cut short", () => {
  assertEquals(reader(0x7b, 0xbd).varint(), 15293);
  assertThrows(() => reader(0x7b).varint(), DecodeError);
  assertThrows(() => reader().varint(), DecodeError);
});

Deno.test("Reader.end() refuses trailing bytes", () => {
  reader().end();
  assertThrows(() => reader(1, 2).end(), DecodeError, "2 trailing bytes");
});
