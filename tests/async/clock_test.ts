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
