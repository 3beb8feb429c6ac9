import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  Backoff,
  Deadline,
  delay,
  VirtualClock,
} from "../../src/core/async/mod.ts";

Deno.test("delay() resolves after its time", async () => {
  const clock = new VirtualClock();
  let done = false;
  const waiting = delay(clock, 100).then(() => done = true);
  await clock.run(99);
  assertEquals(done, false);
  await clock.run(1);
  await waiting;
});

Deno.test("delay() rejects with the reason of its signal and leaves no timer", async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = delay(clock, 100, { signal });
  controller.abort(new Error("Enough"));
  await assertRejects(() => waiting, Error, "Enough");
  await assertRejects(() => delay(clock, 1, { signal }), Error, "Enough");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("Deadline aborts after its time, or with the given signal, or never once disposed", () => {
  const clock = new VirtualClock();
  using timed = new Deadline(clock, 100);
  const controller = new AbortController();
  using given = new Deadline(clock, 100, controller);
  {
    using disposed = new Deadline(clock, 50, controller);
    assertEquals(disposed.signal.aborted, false);
  }
  controller.abort("enough");
  assertEquals(given.signal.reason, "enough");
  assertEquals(timed.signal.aborted, false);
  clock.advance(100);
  assertEquals(timed.signal.reason.name, "TimeoutError");
  using late = new Deadline(clock, 100, controller);
  assertEquals(late.signal.reason, "enough");
});

Deno.test("Backoff draws below a bound that doubles up to the maximum", () => {
  const clock = new VirtualClock();
  const options = { minMs: 100, maxMs: 1000, clock };
  const longest = new Backoff({ ...options, random: () => 1 });
  const bounds = Array.from({ length: 6 }, () => longest.nextMs());
  assertEquals(bounds, [100, 200, 400, 800, 1000, 1000]);
  longest.reset();
  assertEquals([longest.nextMs(), longest.attempts], [100, 1]);
  const shortest = new Backoff({ ...options, random: () => 0 });
  assertEquals(shortest.nextMs(), 0);
  const fair = new Backoff({ ...options, random: Math.random });
  const drawn = Array.from({ length: 2000 }, () => fair.nextMs());
  const mean = drawn.reduce((sum, ms) => sum + ms) / drawn.length;
  assert(mean > 450, `mean ${mean}`);
  assertLess(mean, 550);
});

Deno.test("Backoff waits on its clock and stops with a signal", async () => {
  const clock = new VirtualClock();
  const backoff = new Backoff({
    minMs: 100,
    maxMs: 100,
    clock,
    random: () => 0.5,
  });
  let done = false;
  const waiting = backoff.wait().then(() => done = true);
  await clock.run(49);
  assertEquals(done, false);
  await clock.run(1);
  await waiting;
  const signal = AbortSignal.abort(new Error("Enough"));
  await assertRejects(() => backoff.wait({ signal }), Error, "Enough");
});

Deno.test("Backoff refuses bounds that make no sense", () => {
  const options = { clock: new VirtualClock(), random: Math.random };
  for (const [minMs, maxMs] of [[0, 1], [2, 1], [NaN, 1]] as const) {
    assertThrows(() => new Backoff({ ...options, minMs, maxMs }), RangeError);
  }
});
