import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Clock, VirtualClock } from "../../../src/core/async/mod.ts";
import type { LinkFrame } from "../../../src/mixnet/link/link_frame.ts";
import { PacedSender } from "../../../src/mixnet/link/paced_sender.ts";
import { PoissonTicks } from "../../../src/mixnet/link/poisson_ticks.ts";

/** Uniform in [0, 1), the same sequence for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When a sender at 100 frames a second sends in 60 s, and what; `load` frames are offered each second. */
async function trace(
  load: number,
): Promise<{ times: number[]; frames: LinkFrame[]; sender: PacedSender }> {
  const clock = new VirtualClock();
  const times: number[] = [];
  const frames: LinkFrame[] = [];
  const sender = new PacedSender({
    ratePerSecond: 100,
    random: seeded(7),
    clock,
    send: (batch) => {
      times.push(clock.now());
      frames.push(...batch);
      return Promise.resolve();
    },
  });
  const controller = new AbortController();
  const running = sender.run({ signal: controller.signal });
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < load; i++) {
      sender.offer({ type: "collected", sequence: second * load + i });
    }
    await clock.run(1_000);
  }
  controller.abort(new Error("enough"));
  await assertRejects(() => running, Error, "enough");
  assertEquals(clock.pendingTimers, 0);
  return { times, frames, sender };
}

Deno.test("PacedSender sends one frame at the same times, whatever waits", async () => {
  const [quiet, busy, flooded] = await Promise.all([0, 20, 500].map(trace));
  assertEquals(busy!.times, quiet!.times);
  assertEquals(flooded!.times, quiet!.times);
  const { length } = quiet!.times;
  assertEquals(quiet!.frames, new Array(length).fill({ type: "padding" }));
  const real = busy!.frames.filter(({ type }) => type === "collected");
  assertEquals(
    real,
    Array.from({ length: 1_200 }, (_, sequence) => ({
      type: "collected",
      sequence,
    })),
  );
  assertEquals(busy!.sender.stats, {
    sent: 1_200,
    padding: length - 1_200,
    full: 0,
    queued: 0,
  });
  const { sent, full, queued } = flooded!.sender.stats;
  assertEquals(sent + full + queued, 60 * 500);
  assert(queued <= 64);
});

Deno.test("PoissonTicks come at exponential times of the rate", async () => {
  const { times } = await trace(0);
  const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  const square = gaps.reduce((a, b) => a + (b - mean) ** 2, 0) / gaps.length;
  assert(Math.abs(mean - 10) < 0.4, `mean ${mean} ms`);
  const dispersion = Math.sqrt(square) / mean;
  assert(Math.abs(dispersion - 1) < 0.06, `deviation over mean ${dispersion}`);
});

Deno.test("PacedSender ends with the error of a failed send", async () => {
  const clock = new VirtualClock();
  const sender = new PacedSender({
    ratePerSecond: 1_000,
    random: () => 0.5,
    clock,
    send: () => Promise.reject(new Error("broken")),
  });
  const failed = assertRejects(() => sender.run(), Error, "broken");
  await clock.run(10);
  await failed;
});

/** Ticks in one second at 100/s where every timer is `lateMs` late. */
async function lateTicks(lateMs: number): Promise<[number, number]> {
  const inner = new VirtualClock();
  const clock: Clock = {
    now: () => inner.now(),
    wallTime: () => inner.wallTime(),
    setTimeout: (fn, ms) => inner.setTimeout(fn, ms + lateMs),
  };
  const ticks = new PoissonTicks({
    ratePerSecond: 100,
    random: () => 1 - Math.exp(-1),
    clock,
  });
  let count = 0;
  void (async () => {
    while (true) {
      await ticks.next();
      count++;
    }
  })();
  await inner.run(1_000);
  return [count, ticks.skips];
}

Deno.test("PoissonTicks keep the rate when timers are somewhat late, and make up for no pause", async () => {
  const [count, skips] = await lateTicks(4);
  assertEquals([count, skips], [99, 0]);
  const [few, many] = await lateTicks(200);
  assert(few < 10 && many > 0, `${few} ticks, ${many} skips`);
});

Deno.test("PoissonTicks and PacedSender want a rate and room", () => {
  for (const ratePerSecond of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => new PoissonTicks({ ratePerSecond, random: () => 0 }),
      RangeError,
    );
  }
  assertThrows(
    () =>
      new PacedSender({
        ratePerSecond: 1,
        random: () => 0,
        send: () => Promise.resolve(),
        maxQueuedFrames: 0,
      }),
    RangeError,
  );
});
