import { assertEquals } from "@std/assert";
import { REPLAY_WINDOW, ReplayWindow } from "../../src/htx/replay_window.ts";

Deno.test("a ReplayWindow takes each number once, and none that is 1,024 behind", () => {
  const window = new ReplayWindow();
  for (const number of [0, 5, 1_024, 31, 32, 33]) {
    assertEquals(window.check(number), "new", `${number}`);
    window.take(number);
    assertEquals(window.check(number), "seen", `${number}`);
  }
  assertEquals(window.highest, 1_024);
  assertEquals(window.check(0), "old");
  assertEquals(window.check(1), "new");
  assertEquals(window.check(5), "seen");
  assertEquals(window.check(1_025), "new");
});

Deno.test("a ReplayWindow agrees with a set of all numbers that came, over jumps of every size", () => {
  const window = new ReplayWindow();
  const taken = new Set<number>();
  let highest = -1;
  let state = 1;
  const random = (below: number) => {
    state = state * 48_271 % 0x7fffffff;
    return state % below;
  };
  for (let i = 0; i < 20_000; i++) {
    const jump = [3, 40, 1_100, 5_000][random(4)]!;
    const number = Math.max(0, highest + random(2 * jump) - jump);
    const expected = number > highest
      ? "new"
      : highest - number >= REPLAY_WINDOW
      ? "old"
      : taken.has(number)
      ? "seen"
      : "new";
    assertEquals(window.check(number), expected, `${number} after ${highest}`);
    if (expected !== "new") continue;
    window.take(number);
    taken.add(number);
    highest = Math.max(highest, number);
  }
});
