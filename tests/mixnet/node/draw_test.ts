import { assert, assertEquals } from "@std/assert";
import {
  drawExponential,
  drawExponentialUpTo,
  secureRandom,
  shuffle,
} from "../../../src/mixnet/node/draw.ts";
import { seededRandom } from "./_draws.ts";

Deno.test("secureRandom() gives 53 bits of what the provider draws, in [0, 1)", () => {
  const all = (byte: number) =>
    secureRandom({ random: (n) => new Uint8Array(n).fill(byte) })();
  assertEquals(all(0), 0);
  assertEquals(all(0xff), 1 - 2 ** -53);
  assertEquals(all(0x80), (0x4040404 * 2 ** 26 + 0x2020202) / 2 ** 53);
});

Deno.test("secureRandom() asks for new bytes when it has used up the old ones", () => {
  let blocks = 0;
  const random = secureRandom({
    random: (n) => new Uint8Array(n).fill(++blocks),
  });
  const draws = Array.from({ length: 129 }, random);
  assertEquals(blocks, 2);
  assertEquals(new Set(draws).size, 2);
  assert(draws[127] !== draws[128]);
});

Deno.test("drawExponential() has the mean and the spread of its law", () => {
  const random = seededRandom(1);
  const draws = Array.from(
    { length: 50_000 },
    () => drawExponential(random, 20),
  );
  const mean = draws.reduce((a, b) => a + b) / draws.length;
  const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) /
    draws.length;
  assert(Math.abs(mean - 20) < 0.5, `${mean}`);
  assert(Math.abs(Math.sqrt(variance) - 20) < 0.7, `${variance}`);
});

Deno.test("drawExponentialUpTo() draws again instead of cutting, so that nothing lies at the limit", () => {
  const random = seededRandom(2);
  const draws = Array.from(
    { length: 20_000 },
    () => drawExponentialUpTo(random, 10, 10),
  );
  assert(Math.max(...draws) <= 10);
  assertEquals(draws.filter((draw) => draw > 9.999).length < 20, true);
});

Deno.test("shuffle() gives each of the orders of three as often", () => {
  const random = seededRandom(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const order = shuffle(random, ["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const [order, count] of counts) {
    assert(Math.abs(count - 1_000) < 120, `${order}: ${count}`);
  }
});
