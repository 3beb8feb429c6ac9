import type { Clock } from "./clock.ts";
import type { WaitOptions } from "./delay.ts";

/**
 * A signal that aborts after `ms` milliseconds of `clock`, or when a given signal does.
 *
 * Hold it with `using`: disposing stops the timer and lets go of the given signal.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Deadline } from "./deadline.ts";
 * import { VirtualClock } from "./virtual_clock.ts";
 *
 * const clock = new VirtualClock();
 * using deadline = new Deadline(clock, 100);
 * clock.advance(100);
 * assertEquals(deadline.signal.reason.name, "TimeoutError");
 * ```
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #release: () => void;

  /** Starts the time; at its end the reason is a `TimeoutError`, as of `AbortSignal.timeout`. */
  constructor(clock: Clock, ms: number, { signal }: WaitOptions = {}) {
    const controller = this.#controller;
    const onAbort = () => controller.abort(signal!.reason);
    const cancel = clock.setTimeout(() => {
      controller.abort(
        new DOMException(`No answer within ${ms} ms`, "TimeoutError"),
      );
    }, ms);
    this.#release = () => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  }

  /** Aborts at the deadline. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the deadline without aborting. */
  [Symbol.dispose](): void {
    this.#release();
  }
}
