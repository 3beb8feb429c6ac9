import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  PoissonMix,
  type PoissonMixOptions,
} from "../../../src/mixnet/node/poisson_mix.ts";
import { thresholdMix, timedMix } from "../../../src/mixnet/node/pool_mix.ts";
import { seededRandom } from "./_draws.ts";

const poisson = (more: Partial<PoissonMixOptions> = {}) =>
  new PoissonMix<string>({
    capacity: 100,
    meanDelayMs: 10,
    maxDelayMs: 1_000,
    random: seededRandom(6),
    ...more,
  });

Deno.test("PoissonMix holds each packet for its own delay, counted from its arrival", () => {
  const lateness: number[] = [];
  const mix = poisson({ onLateness: (ms) => lateness.push(ms) });
  mix.offer("long", 50, 100);
  mix.offer("short", 20, 105);
  assertEquals(mix.nextMs, 125);
  assertEquals(mix.take(124), []);
  assertEquals(mix.take(127), ["short"]);
  assertEquals(mix.take(150), ["long"]);
  assertEquals(lateness, [2, 0]);
  assertEquals([mix.size, mix.nextMs], [0, Infinity]);
});

Deno.test("PoissonMix refuses a delay above the cap, and packets that it has no room for", () => {
  const mix = poisson({ capacity: 1 });
  assertEquals(mix.offer("a", 1_000.001, 0), "delay_cap");
  assertEquals(mix.offer("b", 1_000, 0), undefined);
  assertEquals(mix.offer("c", 1, 0), "pool_full");
  assertEquals(mix.size, 1);
});

Deno.test("PoissonMix delays who asks for no delay as long as the others, and below the cap", () => {
  const mix = poisson({ capacity: 20_000, maxDelayMs: 30 });
  for (let i = 0; i < 20_000; i++) mix.offer("zero", 0, 0);
  assertEquals(mix.take(0), []);
  const counts = [5, 10, 30].map((ms) => (mix.take(ms), mix.size));
  const expected = [5, 10].map((ms) =>
    20_000 * (Math.exp(-ms / 10) - Math.exp(-3)) / (1 - Math.exp(-3))
  );
  assert(Math.abs(counts[0]! - expected[0]!) < 300, `${counts} ${expected}`);
  assert(Math.abs(counts[1]! - expected[1]!) < 300, `${counts} ${expected}`);
  assertEquals(counts[2], 0);
});

Deno.test("PoissonMix wants a mean that fits under the cap", () => {
  assertThrows(() => poisson({ meanDelayMs: 0 }), RangeError);
  assertThrows(() => poisson({ meanDelayMs: 2_000 }), RangeError);
});

Deno.test("thresholdMix() fires when it is full enough, keeps some by chance, and lets all others go", () => {
  const mix = thresholdMix<number>({
    capacity: 10,
    threshold: 4,
    keep: 1,
    maxDelayMs: 100,
    random: seededRandom(7),
  });
  const left: number[] = [];
  for (let id = 0; id < 301; id++) {
    assertEquals(mix.offer(id, 50, id), undefined);
    const taken = mix.take(id);
    assertEquals(taken.length, mix.size === 1 && id >= 3 ? 3 : 0);
    left.push(...taken);
  }
  left.push(...mix.flush());
  assertEquals(left.length, 301);
  assertEquals(new Set(left).size, 301);
  assert(
    left.some((id, i) => i > 0 && id < left[i - 1]!),
    "in order of arrival",
  );
  assertEquals(mix.offer(1, 101, 0), "delay_cap");
  assertEquals([mix.size, mix.nextMs], [0, Infinity]);
});

Deno.test("timedMix() fires at the ends of its intervals, which do not depend on arrivals", () => {
  const mix = timedMix<string>({
    capacity: 3,
    intervalMs: 100,
    maxDelayMs: 1_000,
    random: seededRandom(8),
  });
  assertEquals(mix.nextMs, Infinity);
  mix.offer("a", 5, 130);
  mix.offer("b", 900, 190);
  assertEquals(mix.nextMs, 200);
  assertEquals(mix.take(199), []);
  assertEquals(mix.take(203).sort(), ["a", "b"]);
  for (const each of ["c", "d", "e"]) mix.offer(each, 0, 210);
  assertEquals(mix.offer("f", 0, 210), "pool_full");
  assertEquals(mix.nextMs, 300);
  assertEquals(mix.flush().sort(), ["c", "d", "e"]);
  assertEquals(mix.size, 0);
});

Deno.test("timedMix() leaves what it keeps for the next interval with others", () => {
  const mix = timedMix<string>({
    capacity: 9,
    intervalMs: 10,
    keep: 2,
    maxDelayMs: 1_000,
    random: seededRandom(9),
  });
  for (const each of ["a", "b", "c"]) mix.offer(each, 0, 1);
  assertEquals(mix.take(10).length, 1);
  assertEquals([mix.size, mix.nextMs], [2, Infinity]);
  mix.offer("d", 0, 27);
  assertEquals(mix.nextMs, 30);
  assertEquals(mix.take(30).length, 1);
});

Deno.test("pool mixes want sizes that fit into each other", () => {
  const common = { capacity: 4, maxDelayMs: 1, random: Math.random };
  assertThrows(() => thresholdMix({ ...common, threshold: 5 }), RangeError);
  assertThrows(
    () => thresholdMix({ ...common, threshold: 2, keep: 2 }),
    RangeError,
  );
  assertThrows(() => timedMix({ ...common, intervalMs: 0 }), RangeError);
  assertThrows(
    () => timedMix({ ...common, intervalMs: 1, keep: 4 }),
    RangeError,
  );
});
