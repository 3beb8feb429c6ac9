import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "../mixnet/client/_mix_world.ts";
import { separate } from "./_boosted_stumps.ts";
import { ByteTally } from "./_byte_tally.ts";
import { oneSampleKs, twoSampleKs } from "./_kolmogorov_smirnov.ts";
import {
  autocorrelation,
  dispersion,
  poissonDispersionP,
  windowCounts,
} from "./_point_process.ts";

const random = seededRandom(6);
const draws = (n: number, draw = random) => Array.from({ length: n }, draw);

Deno.test("twoSampleKs() measures the largest distance of two distribution functions", () => {
  assertEquals(twoSampleKs([1, 2, 3, 4], [1, 2, 3, 4]), { distance: 0, p: 1 });
  assertAlmostEquals(twoSampleKs([1, 2, 3, 4], [3, 4, 5, 6]).distance, 0.5);
  assertEquals(twoSampleKs([1, 2], [3, 4]).distance, 1);
  assertEquals(twoSampleKs([1, 1, 1], [1, 1, 1, 1]).distance, 0);
});

Deno.test("its p is Kolmogorov's", () => {
  // 5 % and 1 % points of the limit law: 1.3581 and 1.6276 over √n (Smirnov 1948).
  const n = 40_000;
  for (const [point, p] of [[1.3581, 0.05], [1.6276, 0.01]] as const) {
    const shift = point / Math.sqrt(n);
    const even = Array.from({ length: n }, (_, i) => (i + 0.5) / n);
    const ks = oneSampleKs(even, (x) => Math.min(1, x + shift));
    assertAlmostEquals(ks.p, p, 0.001);
  }
  assert(twoSampleKs(draws(2_000), draws(2_000)).p > 0.01);
  const skewed = draws(2_000, () => random() ** 1.5);
  assert(twoSampleKs(draws(2_000), skewed).p < 1e-5);
});

Deno.test("windowCounts() counts whole windows", () => {
  assertEquals(windowCounts([0, 9, 10, 15, 29, 31, 39], 10, 35, 10), [2, 1]);
});

Deno.test("dispersion() is 0 of a clock, 1 of a Poisson process and more of bursts", () => {
  assertEquals(dispersion([3, 3, 3, 3]), 0);
  assertEquals(dispersion([0, 4, 0, 4]), 8 / 3);
  let at = 0;
  const times = draws(20_000, () => at -= Math.log(1 - random()));
  const counts = windowCounts(times, 0, 19_000, 5);
  const value = dispersion(counts);
  assertAlmostEquals(value, 1, 0.1);
  assert(poissonDispersionP(value, counts.length) > 0.01);
  assert(poissonDispersionP(1.2, counts.length) < 1e-9);
  assert(poissonDispersionP(0.8, counts.length) < 1e-9);
});

Deno.test("autocorrelation() finds rhythm", () => {
  const rhythm = Array.from({ length: 100 }, (_, i) => i % 2);
  assertAlmostEquals(autocorrelation(rhythm, 1), -1, 0.02);
  assertAlmostEquals(autocorrelation(rhythm, 2), 1, 0.03);
  assertAlmostEquals(autocorrelation(draws(10_000), 1), 0, 0.04);
});

Deno.test("ByteTally finds values that are too many, at one place and in all", () => {
  const [even, marked] = [new ByteTally(8), new ByteTally(8)];
  for (let i = 0; i < 3_000; i++) {
    const message = () => Uint8Array.from(draws(8), (x) => x * 256);
    even.add(message());
    marked.add(message().fill(7, 5, 6));
  }
  assert(even.uniform().p > 0.001);
  assert(even.uniformPlaces().p > 0.001);
  assertEquals(marked.uniformPlaces(), { place: 5, p: 0 });
  assert(marked.uniform().p < 1e-9);
  assert(marked.compare(even).p < 1e-9);
  assertAlmostEquals(even.compare(even).p, 1);
  assertEquals([even.bytes, even.messages], [24_000, 3_000]);
});

Deno.test("separate() guesses where there is nothing to find, and finds what is beyond lines", () => {
  const rows = (n: number, spread: number) =>
    Array.from(
      { length: n },
      () => Float64Array.of((random() - 0.5) * spread, random(), random()),
    );
  const names = ["spread", "noise", "more noise"];
  const same = separate(names, rows(1_000, 1), rows(1_000, 1));
  assert(same.byChance[0] < same.auc && same.auc < same.byChance[1]);
  // 1.96 √(0.45 · 5 / 6,000)
  assertAlmostEquals(same.byChance[1] - 0.5, 0.03795, 1e-4);
  const wide = separate(names, rows(1_000, 2), rows(1_000, 1));
  assert(wide.auc > 0.7 && wide.interval[0] > 0.65);
  assertEquals(wide.asked[0], "spread");
  assertEquals(wide.n, [1_000, 1_000]);
});
