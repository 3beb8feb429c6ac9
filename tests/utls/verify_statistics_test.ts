import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { aucOf, rocCurve } from "../../src/utls/verify/auc.ts";
import { compareCounts, compareUniform } from "../../src/utls/verify/counts.ts";
import { featuresOf } from "../../src/utls/verify/features.ts";
import { isComputedX25519Key } from "../../src/utls/verify/curve25519.ts";
import { evenness } from "../../src/utls/verify/order_properties.ts";
import { score, trainLogistic } from "../../src/utls/verify/logistic.ts";
import {
  binomialP,
  chiSquareP,
  normalP,
} from "../../src/utls/verify/p_value.ts";
import { seededRandom } from "./_seeded_random.ts";

Deno.test("chiSquareP() gives the critical values of the NIST/SEMATECH handbook §1.3.6.7.4", () => {
  // degrees, then the values that are exceeded with chance 0.10, 0.05, 0.025, 0.01 and 0.001
  const table = [
    [1, 2.706, 3.841, 5.024, 6.635, 10.828],
    [2, 4.605, 5.991, 7.378, 9.210, 13.816],
    [10, 15.987, 18.307, 20.483, 23.209, 29.588],
    [30, 40.256, 43.773, 46.979, 50.892, 59.703],
    [100, 118.498, 124.342, 129.561, 135.807, 149.449],
  ] as const;
  for (const [degrees, ...values] of table) {
    [0.1, 0.05, 0.025, 0.01, 0.001].forEach((p, i) =>
      assertAlmostEquals(chiSquareP(values[i]!, degrees) / p, 1, 2e-3)
    );
  }
});

Deno.test("chiSquareP() is exp(-x/2) for two degrees, far into the tail", () => {
  for (const x of [0, 0.1, 1, 10, 100, 1_000]) {
    assertAlmostEquals(chiSquareP(x, 2) / Math.exp(-x / 2), 1, 1e-11);
  }
  assertEquals(chiSquareP(Infinity, 3), 0);
  assertThrows(() => chiSquareP(1, 0), RangeError);
  assertThrows(() => chiSquareP(NaN, 1), RangeError);
});

Deno.test("normalP() gives the two-sided tails of a normal variable", () => {
  assertAlmostEquals(normalP(1.959964), 0.05, 1e-7);
  assertAlmostEquals(normalP(-3), 0.0026997960632602, 1e-13);
});

Deno.test("binomialP() sums the upper tail", () => {
  assertAlmostEquals(binomialP(8, 10, 0.5), 56 / 1_024, 1e-12);
  assertAlmostEquals(binomialP(0, 10, 0.5), 1, 1e-12);
  assertEquals(binomialP(0, 0, 0.5), 1);
});

Deno.test("compareCounts() is Pearson's test of a two by two table", () => {
  const { statistic, p } = compareCounts(
    "",
    new Map([["a", 20], ["b", 30]]),
    new Map([["a", 30], ["b", 20]]),
  );
  assertAlmostEquals(statistic, 4, 1e-12); // n(ad - bc)^2 over the product of the margins
  assertAlmostEquals(p, 0.0455002638964, 1e-12);
});

Deno.test("compareCounts() counts rare values as one", () => {
  const rare = Array.from({ length: 8 }, (_, i) => [`${i}`, 1] as const);
  const ours = new Map([["common", 92], ...rare]);
  const reference = new Map([["common", 100], ["other", 8]]);
  const pooled = compareCounts("", ours, reference);
  const same = compareCounts(
    "",
    new Map([["common", 92], ["rare", 8]]),
    new Map([["common", 100], ["rare", 8]]),
  );
  assertEquals(pooled, same);
});

Deno.test("compareCounts() forgives what a small reference may lack by chance", () => {
  const ours = (n: number) => new Map([[0, n - 8], [1, 8]]);
  const never = (n: number) => new Map([[0, n]]);
  assertEquals(compareCounts("", ours(100), never(100)).p, 0);
  const { p } = compareCounts("", ours(100), never(100), 1 / 16);
  assert(p > 1e-4 && p < 0.01, `${p}`);
  assertEquals(compareCounts("", ours(215), never(215), 1 / 16).p, 0);
  assert(compareCounts("", ours(213), never(213), 1 / 16).p > 0);
});

Deno.test("compareCounts() forgives no stray from what never varies", () => {
  const constant = new Map([["a", 500]]);
  assertEquals(compareCounts("", constant, constant).p, 1);
  const stray = compareCounts("", new Map([["a", 499], ["b", 1]]), constant);
  assertEquals([stray.statistic, stray.p], [1, 0]);
  assertEquals(compareCounts("", new Map(), constant).p, 0);
});

Deno.test("compareCounts() forgives no value that a well-known reference never has, nor a field that is missing", () => {
  const four = new Map([1, 2, 3, 4].map((value) => [value, 500]));
  const stray = new Map([...four, [1, 499] as const, [5, 1] as const]);
  assertEquals(compareCounts("", stray, four).p, 0);
  assertEquals(compareCounts("", new Map(), four).p, 0);
  const open = new Map([[1, 500], [2, 10]]);
  const ours = new Map([[1, 490], [2, 12], [3, 8]]);
  assertAlmostEquals(compareCounts("", ours, open).p, 2 ** -8, 1e-12); // all eight on our side
});

Deno.test("evenness() sums all places of a permutation", () => {
  const orders = [[0, 1, 2], [1, 2, 0], [2, 0, 1]];
  const even = evenness("", orders)!;
  assertAlmostEquals(even.statistic, 0, 1e-12);
  const fixed = evenness("", Array(30).fill([0, 1, 2]))!;
  assertAlmostEquals(fixed.statistic, 120, 1e-9); // 2/3 of the sum over nine places: 3 of 400/10, 6 of 100/10
  assertAlmostEquals(fixed.p, chiSquareP(120, 4), 1e-12);
  assertEquals(evenness("", [[0, 1], [0, 2]]), undefined);
});

Deno.test("compareUniform() counts values that were never seen", () => {
  const { statistic } = compareUniform("", new Map([[1, 10], [2, 10]]), 4);
  assertEquals(statistic, 20);
});

Deno.test("isComputedX25519Key() accepts public keys and one in eight random strings", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 100; i++) {
    const key = nodeProvider.x25519.publicKey(random(32));
    assert(isComputedX25519Key(key));
  }
  let accepted = 0;
  for (let i = 0; i < 4_000; i++) {
    if (isComputedX25519Key(random(32))) accepted++;
  }
  assert(
    compareUniform("", new Map([[0, accepted], [1, 4_000 - accepted]]), 2).p <
      1e-9,
  );
  assertAlmostEquals(accepted / 4_000, 1 / 8, 0.02);
  assert(!isComputedX25519Key(new Uint8Array(31)));
  assert(!isComputedX25519Key(new Uint8Array(32).fill(0xff)));
});

Deno.test("aucOf() counts ties half, and agrees with Hanley and McNeil's variance where nothing is told apart", () => {
  assertEquals(aucOf([2, 3], [0, 1]).area, 1);
  assertEquals(aucOf([0, 1], [0, 1]).area, 0.5);
  const draws = seededRandom(2)(8_000);
  const scores = Array.from(
    { length: 2_000 },
    (_, i) => new DataView(draws.buffer).getUint32(4 * i),
  );
  const { area, variance } = aucOf(scores.slice(0, 800), scores.slice(800));
  const expected = 2_001 / (12 * 800 * 1_200); // of the Mann-Whitney statistic
  assertAlmostEquals(area, 0.5, 4 * Math.sqrt(expected));
  assertAlmostEquals(variance / expected, 1, 0.05);
  assertThrows(() => aucOf([1], [1, 2]), RangeError);
});

Deno.test("rocCurve() goes from (0, 0) to (1, 1), one step for tied scores", () => {
  assertEquals(rocCurve([2, 1], [1, 0]), [[0, 0], [0, 0.5], [0.5, 1], [1, 1]]);
});

Deno.test("featuresOf() writes 4096 columns at most", () => {
  const sample = Array.from({ length: 60 }, (_, i) => ({
    order: [],
    grease: {},
    parts: Object.fromEntries(
      Array.from({ length: 700 }, (_, part) => [part, `${i % 6}`]),
    ),
  }));
  assertEquals(featuresOf(sample, sample).names.length, 4_096);
});

Deno.test("trainLogistic() finds the column that matters", () => {
  const random = seededRandom(3);
  const labels = Array.from(
    { length: 400 },
    (): 0 | 1 => random(1)[0]! & 1 ? 1 : 0,
  );
  const rows = labels.map((label) => {
    const noise = () => random(1)[0]! / 74 - 1.73; // variance 1
    return Float64Array.of(noise(), label * 2 - 1, noise());
  });
  const weights = trainLogistic(rows, labels);
  assert(weights[1]! > 10 * Math.abs(weights[0]!), weights.join());
  assert(rows.every((row, i) => score(weights, row) > 0 === (labels[i] === 1)));
});
