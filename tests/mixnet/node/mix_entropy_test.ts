import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import { MixEntropy } from "../../../src/mixnet/node/mix_entropy.ts";
import { seededRandom } from "./_draws.ts";

/** "i" for a packet that comes, "o" for one that goes. */
type Trace = string;

/** Entropy of who leaves last, by going through all the ways in which packets can leave, each choice from the pool as likely. */
function enumerated(trace: Trace): number {
  const chances = new Map<number, number>();
  const last = trace.lastIndexOf("o");
  const walk = (at: number, pool: number[], chance: number) => {
    if (trace[at] === "i") return walk(at + 1, [...pool, at], chance);
    for (const packet of pool) {
      const rest = pool.filter((each) => each !== packet);
      const share = chance / pool.length;
      if (at < last) walk(at + 1, rest, share);
      else chances.set(packet, (chances.get(packet) ?? 0) + share);
    }
  };
  walk(0, [], 1);
  return [...chances.values()].reduce((sum, p) => sum - p * Math.log2(p), 0);
}

function metered(trace: Trace): number {
  const meter = new MixEntropy(0, { minBits: 0 });
  [...trace].forEach((event, at) =>
    event === "i" ? meter.arrive(at) : meter.depart(at, 1)
  );
  return meter.bits;
}

Deno.test("MixEntropy agrees with enumeration on every possible trace of 9 events", () => {
  let traces = 0;
  for (let bits = 0; bits < 2 ** 9; bits++) {
    const trace = bits.toString(2).padStart(9, "0")
      .replaceAll("0", "i").replaceAll("1", "o");
    let size = 0;
    const isPossible = [...trace].every((e) =>
      (size += e === "i" ? 1 : -1) >= 0
    );
    if (!isPossible || !trace.endsWith("o")) continue;
    traces++;
    assertAlmostEquals(metered(trace), enumerated(trace), 1e-12, trace);
  }
  assertEquals(traces, 56);
});

Deno.test("MixEntropy of packets that come and go one by one is 0, of 16 that wait together 4", () => {
  assertEquals(metered("ioioio"), 0);
  assertAlmostEquals(metered(`${"i".repeat(16)}o`), 4, 1e-12);
  const meter = new MixEntropy(0, { minBits: 0 });
  for (let i = 0; i < 16; i++) meter.arrive(0);
  meter.depart(1, 1);
  assertAlmostEquals(meter.effectiveSetSize, 16, 1e-9);
  meter.depart(2, 2);
  assertAlmostEquals(meter.bits, 4, 1e-12);
});

Deno.test("MixEntropy cannot go on with an empty pool", () => {
  const meter = new MixEntropy(0, { minBits: 0 });
  meter.arrive(0);
  meter.depart(1, 1);
  assertThrows(() => meter.depart(2, 1), RangeError);
});

Deno.test("MixEntropy measures λ, 1/μ and their product as the pool of an M/M/∞ queue", () => {
  const random = seededRandom(10);
  const meter = new MixEntropy(0, { minBits: 0, windowMs: 20_000 });
  const leaving: { at: number; stay: number }[] = [];
  let pooled = 0;
  let samples = 0;
  for (let now = 0; now < 100_000; now += -20 * Math.log(1 - random())) {
    leaving.sort((a, b) => a.at - b.at);
    while (leaving[0] && leaving[0].at <= now) {
      const { at, stay } = leaving.shift()!;
      meter.depart(at, stay);
    }
    pooled += leaving.length;
    samples++;
    meter.arrive(now);
    const stay = -200 * Math.log(1 - random());
    leaving.push({ at: now + stay, stay });
  }
  assertAlmostEquals(meter.arrivalsPerSecond(100_000), 50, 5);
  assertAlmostEquals(meter.meanStayMs, 200, 20);
  assertAlmostEquals(meter.poolLoad(100_000), 10, 1.5);
  assertAlmostEquals(pooled / samples, 10, 1);
});

Deno.test("MixEntropy knows the rate soon after its start, and forgets it when nothing comes", () => {
  const meter = new MixEntropy(1_000, { minBits: 0, windowMs: 60_000 });
  assertEquals(meter.arrivalsPerSecond(1_000), 0);
  for (let i = 1; i <= 100; i++) meter.arrive(1_000 + i * 10);
  assertAlmostEquals(meter.arrivalsPerSecond(2_000), 100, 1);
  assert(meter.arrivalsPerSecond(602_000) < 0.1);
});

Deno.test("MixEntropy warns after a while below policy, once, and takes it back with a margin", () => {
  const changes: [boolean, number][] = [];
  const meter = new MixEntropy(0, {
    minBits: 2,
    marginBits: 1,
    holdMs: 100,
    onChange: (isLow, bits) => changes.push([isLow, bits]),
  });
  const alone = (at: number) => {
    meter.arrive(at);
    meter.depart(at, 1);
  };
  const together = (count: number, at: number) => {
    for (let i = 0; i < count; i++) meter.arrive(at);
    for (let i = 0; i < count; i++) meter.depart(at, 1);
  };
  alone(0);
  alone(99);
  assertEquals(changes, []);
  together(4, 99.5); // 2 bits: not below
  alone(150);
  alone(249);
  assertEquals(changes, []);
  alone(250);
  alone(260);
  assertEquals(changes, [[true, 0]]);
  together(4, 300); // 2 bits: enough, but without the margin
  assertEquals(meter.isLow, true);
  together(8, 310);
  assertEquals([meter.isLow, changes.length, changes[1]![0]], [
    false,
    2,
    false,
  ]);
});
