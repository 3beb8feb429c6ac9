import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/core/async/mod.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;

Deno.test("systemClock chains timers for times that the runtime has no timer for", () => {
  using timers = new RecordedTimers();
  let calls = 0;
  systemClock.setTimeout(() => calls++, 2 * MAX_TIMER_MS + 5);
  for (const ms of [MAX_TIMER_MS, MAX_TIMER_MS, 5]) {
    assertEquals(calls, 0);
    assertEquals(timers.fire(), ms);
  }
  assertEquals([calls, timers.size], [1, 0]);
});

Deno.test("systemClock cancels a chain at any of its timers", () => {
  using timers = new RecordedTimers();
  for (let fired = 0; fired < 3; fired++) {
    const cancel = systemClock.setTimeout(() => {}, Infinity);
    for (let i = 0; i < fired; i++) timers.fire();
    assertEquals(timers.size, 1);
    cancel();
    assertEquals(timers.size, 0);
  }
});

Deno.test("systemClock calls without a timer what is due at once, unless it is cancelled", async () => {
  using timers = new RecordedTimers();
  const calls: number[] = [];
  systemClock.setTimeout(() => calls.push(1), 0);
  systemClock.setTimeout(() => calls.push(2), 0)();
  systemClock.setTimeout(() => calls.push(3), -1);
  assertEquals([calls, timers.size], [[], 0]);
  await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 0));
  assertEquals(calls, [1, 3]);
});

/** Takes the place of the runtime's timers, and calls them when told to. */
class RecordedTimers implements Disposable {
  readonly #real = { setTimeout, clearTimeout };
  readonly #timers = new Map<number, { fn: () => void; ms: number }>();

  constructor() {
    let id = 0;
    Object.assign(globalThis, {
      setTimeout: (fn: () => void, ms: number) => {
        this.#timers.set(++id, { fn, ms });
        return id;
      },
      clearTimeout: (id: number) => this.#timers.delete(id),
    });
  }

  get size(): number {
    return this.#timers.size;
  }

  /** Calls the oldest timer and gives the time it was set for. */
  fire(): number {
    const [[id, { fn, ms }]] = [...this.#timers] as [
      [number, { fn: () => void; ms: number }],
    ];
    this.#timers.delete(id);
    fn();
    return ms;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
  }
}
