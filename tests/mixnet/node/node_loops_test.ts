import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { NodeLoops } from "../../../src/mixnet/node/node_loops.ts";
import { seededRandom } from "./_draws.ts";

const id = (byte: number) => new Uint8Array(32).fill(byte);
const name = (byte: number) => id(byte).toHex();
const loop = (number: number, ...via: number[]) => ({
  path: [1, ...via, 1].map(id),
  delaysMs: 30,
  identifier: new Uint8Array(16).fill(number),
});
const loops = (more = {}) =>
  new NodeLoops(0, { perSecond: 10, random: seededRandom(11), ...more });

Deno.test("NodeLoops leave as a Poisson process of their rate: exponential gaps, however late one looks", () => {
  const each = loops();
  const times: number[] = [];
  while (times.length < 20_000) {
    times.push(each.nextMs);
    assertEquals(each.take(each.nextMs), 1);
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const mean = gaps.reduce((a, b) => a + b) / gaps.length;
  assertAlmostEquals(mean, 100, 3);
  const above = gaps.filter((gap) => gap > 100).length / gaps.length;
  assertAlmostEquals(above, Math.exp(-1), 0.015);
  const late = loops();
  const isLate = times.findLastIndex((time) => time < times[0]! + 900);
  assertEquals(late.take(times[isLate]!), isLate + 1);
  assertEquals(late.nextMs, times[isLate + 1]);
});

Deno.test("NodeLoops do not fall below their floor, whatever the network says", () => {
  const slow = loops({ perSecond: 0, floorPerSecond: 2 });
  let sent = 0;
  for (let now = 0; now < 1_000_000; now += 100) sent += slow.take(now);
  assertAlmostEquals(sent, 2_000, 150);
  assertThrows(() => loops({ floorPerSecond: 0 }), RangeError);
  assertThrows(() => loops({ perSecond: -1 }), RangeError);
});

Deno.test("NodeLoops make up for no pause of the process", () => {
  const each = loops();
  assertEquals(each.take(3_600_000), 1);
  assert(each.nextMs > 3_600_000);
});

Deno.test("NodeLoops know their own once, and nothing else", () => {
  const each = loops();
  each.left(loop(5, 2, 3), 100);
  assertEquals(each.pending, 1);
  assertEquals(each.came(new Uint8Array(16).fill(6), true, 150), false);
  assertEquals(each.came(loop(5).identifier, true, 160), true);
  assertEquals(each.came(loop(5).identifier, true, 160), false);
  assertEquals(each.counts, { sent: 1, returned: 1, tampered: 0, lost: 0 });
});

Deno.test("NodeLoops count the loops that come back changed", () => {
  const each = loops();
  each.left(loop(5, 2), 0);
  assertEquals(each.came(loop(5).identifier, false, 50), true);
  assertEquals(each.counts.tampered, 1);
});

Deno.test("NodeLoops share what a loop took beyond its delays among its links", () => {
  const each = loops();
  each.left(loop(5, 2, 3), 100);
  each.came(loop(5).identifier, true, 190);
  assertEquals(
    each.links,
    [[1, 2], [2, 3], [3, 1]].map(([from, to]) => ({
      from: name(from!),
      to: name(to!),
      returned: 1,
      lost: 0,
      latencyMs: 20,
    })),
  );
  each.left(loop(6, 2), 200);
  each.came(loop(6).identifier, true, 230 + 140);
  const [, , , back] = each.links;
  assertAlmostEquals(
    each.links.find(({ to }) => to === name(2))!.latencyMs,
    20 + 0.1 * (70 - 20),
    1e-9,
  );
  assertEquals([back!.from, back!.to], [name(2), name(1)]);
});

Deno.test("NodeLoops count a loop as lost after its delays and the grace, on each of its links", () => {
  const each = loops({ graceMs: 1_000 });
  each.left(loop(5, 2), 0);
  each.left(loop(6, 3), 10);
  each.take(1_030);
  assertEquals(each.pending, 2);
  each.take(1_031);
  assertEquals([each.pending, each.counts.lost], [1, 1]);
  assertEquals(each.came(loop(5).identifier, true, 1_031), false);
  assertEquals(each.links.map(({ from, to, lost }) => [from, to, lost]), [
    [name(1), name(2), 1],
    [name(2), name(1), 1],
  ]);
});

Deno.test("NodeLoops remember a bounded number of loops and links", () => {
  const each = loops({ maxPending: 3, maxLinks: 5 });
  for (let i = 0; i < 100; i++) each.left(loop(i, 2 + i), 0);
  assertEquals([each.pending, each.counts.lost], [3, 97]);
  assertEquals(each.links.length, 5);
  assert(each.links.some(({ to }) => to === name(2 + 96)));
});
