import { assert, assertEquals, assertThrows } from "@std/assert";
import { DecodeError, Writer } from "../../src/core/bytes/mod.ts";
import { ClosedHours } from "../../src/htx/closed_hours.ts";

const closed = (hours: number[]) =>
  hours.reduce((set, hour) => set.with(hour), ClosedHours.NONE);
const encoded = (...hours: number[]) =>
  hours.reduce((w, hour) => w.u32(hour), new Writer(4 * hours.length)).finish();

Deno.test("ClosedHours has what was put in, as few ranges", () => {
  const set = closed([7, 5, 6, 900_000, 1, 5]);
  assertEquals(set.encode(), encoded(1, 1, 5, 7, 900_000, 900_000));
  for (const hour of [1, 5, 6, 7, 900_000]) assert(set.has(hour), `${hour}`);
  for (const hour of [0, 2, 4, 8, 899_999, 900_001]) {
    assert(!set.has(hour), `${hour}`);
  }
  assertEquals(ClosedHours.decode(set.encode()).encode(), set.encode());
});

Deno.test("ClosedHours stays bounded and opens no hour, by closing earlier ones", () => {
  const hours = Array.from({ length: 200 }, (_, i) => 1_000 + 10 * i);
  const set = closed(hours);
  for (const hour of hours) assert(set.has(hour), `${hour}`);
  assertEquals(set.encode().length, 64 * 8);
  assert(!set.has(hours.at(-1)! - 5));
  assert(set.has(hours[0]! + 5));
  assertEquals(ClosedHours.decode(set.encode()).encode(), set.encode());
});

Deno.test("ClosedHours.decode() refuses what encode() does not give", () => {
  for (
    const bytes of [
      encoded(1),
      encoded(2, 1),
      encoded(1, 2, 3, 4),
      encoded(5, 6, 1, 2),
      encoded(...Array.from({ length: 130 }, (_, i) => i - i % 2 + i)),
    ]
  ) assertThrows(() => ClosedHours.decode(bytes), DecodeError);
});
