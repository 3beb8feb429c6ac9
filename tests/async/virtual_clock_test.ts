import { assertEquals, assertThrows } from "@std/assert";
import { delay, VirtualClock } from "../../src/core/async/mod.ts";

Deno.test("advance() calls due timers in order of time, then of setting", () => {
  const clock = new VirtualClock();
  const calls: [string, number][] = [];
  const note = (name: string) => () => calls.push([name, clock.now()]);
  clock.setTimeout(note("late"), 30);
  clock.setTimeout(note("first"), 10);
  clock.setTimeout(note("second"), 10);
  clock.setTimeout(note("never"), 31);
  clock.advance(30);
  assertEquals(calls, [["first", 10], ["second", 10], ["late", 30]]);
  assertEquals(clock.now(), 30);
  assertEquals(clock.pendingTimers, 1);
});

Deno.test("advance() calls timers that timers set", () => {
  const clock = new VirtualClock();
  let ticks = 0;
  const tick = () => {
    ticks++;
    clock.setTimeout(tick, 10);
  };
  clock.setTimeout(tick, 10);
  clock.advance(1000);
  assertEquals(ticks, 100);
});

Deno.test("setTimeout() gives a function that cancels", () => {
  const clock = new VirtualClock();
  let called = false;
  const cancel = clock.setTimeout(() => called = true, 10);
  cancel();
  cancel();
  clock.advance(10);
  assertEquals([called, clock.pendingTimers], [false, 0]);
});

Deno.test("run() lets promises settle between timers", async () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 5; i++) {
      await delay(clock, 100);
      times.push(clock.now());
    }
  })();
  await clock.run(500);
  await loop;
  assertEquals(times, [100, 200, 300, 400, 500]);
});

Deno.test("setWallTime() moves the wall clock only", () => {
  const clock = new VirtualClock(1000);
  clock.advance(5);
  assertEquals(clock.wallTime(), 1005);
  clock.setWallTime(50);
  clock.advance(5);
  assertEquals([clock.wallTime(), clock.now()], [55, 10]);
});

Deno.test("wallTime() is whole, as that of a machine, however small the steps", () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    clock.advance(0.3);
    times.push(clock.wallTime() - 1_800_000_000_000);
  }
  assertEquals(times, [0, 0, 0, 1, 1]);
  clock.setWallTime(1_900_000_000_000);
  assertEquals(clock.wallTime(), 1_900_000_000_000);
});

Deno.test("advance() refuses to go back", () => {
  assertThrows(() => new VirtualClock().advance(-1), RangeError);
  assertThrows(() => new VirtualClock().advance(NaN), RangeError);
});
