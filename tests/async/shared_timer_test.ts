import { assertEquals, assertThrows } from "@std/assert";
import { SharedTimer, VirtualClock } from "../../src/core/async/mod.ts";

Deno.test("SharedTimer calls each at its time, the first first, with one timer of the clock", () => {
  const clock = new VirtualClock();
  const timer = new SharedTimer(clock);
  const rung: string[] = [];
  const ring = (name: string, ms: number) =>
    timer.setTimeout(() => rung.push(`${name} at ${clock.now()}`), ms);
  ring("c", 30);
  ring("a", 10);
  ring("b", 20);
  const cancel = ring("never", 15);
  ring("a too", 10);
  ring("forever", Infinity);
  assertEquals(clock.pendingTimers, 1);
  cancel();
  clock.advance(9.5);
  assertEquals(rung, []);
  clock.advance(20.5);
  assertEquals(rung, ["a at 10", "a too at 10", "b at 20", "c at 30"]);
  assertEquals([timer.now(), timer.wallTime()], [30, clock.wallTime()]);
});

Deno.test("SharedTimer leaves no timer once all have rung or were cancelled", () => {
  const clock = new VirtualClock();
  const timer = new SharedTimer(clock);
  const cancels = [5, 50].map((ms) => timer.setTimeout(() => {}, ms));
  cancels[0]!();
  assertEquals(clock.pendingTimers, 1);
  cancels[1]!();
  cancels[1]!();
  assertEquals(clock.pendingTimers, 0);
  timer.setTimeout(() => {}, 5);
  clock.advance(5);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a timer of SharedTimer may set, cancel and throw", () => {
  const clock = new VirtualClock();
  const timer = new SharedTimer(clock);
  const rung: string[] = [];
  timer.setTimeout(() => {
    rung.push("first");
    cancel();
    timer.setTimeout(() => rung.push("again"), 5);
    timer.setTimeout(() => rung.push("at once"), 0);
  }, 5);
  const cancel = timer.setTimeout(() => rung.push("never"), 5);
  timer.setTimeout(() => rung.push("third"), 5);
  clock.advance(5);
  assertEquals(rung, ["first", "third", "at once"]);
  clock.advance(5);
  assertEquals(rung.slice(3), ["again"]);
  timer.setTimeout(() => {
    throw new RangeError("of the first");
  }, 5);
  timer.setTimeout(() => rung.push("of the second"), 5);
  timer.setTimeout(() => rung.push("of the third"), 7);
  assertThrows(() => clock.advance(5), RangeError, "of the first");
  clock.advance(2);
  assertEquals(rung.slice(4), ["of the second", "of the third"]);
});
