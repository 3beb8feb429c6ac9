import type { Clock } from "../core/async/mod.ts";

/**
 * A share of each turn of the event loop: whoever does something again and again, each time as soon as promises allow, leaves timers,
 * sockets and everybody else their turns.
 */
export class TurnShare implements Disposable {
  readonly #clock: Clock;
  readonly #shareMs: number;
  readonly #waiting: (() => void)[] = [];
  /** When the share of this turn is used up; `undefined` if nothing was done in it. */
  #endsMs: number | undefined;
  #cancel: () => void = () => {};

  /** @param shareMs - Of each turn, in milliseconds from the first {@link enter} on. */
  constructor(clock: Clock, shareMs: number) {
    this.#clock = clock;
    this.#shareMs = shareMs;
  }

  /** Resolves at once, or in the next turn if the share of this one is used up; all that wait go on then, in their order. */
  enter(): Promise<void> {
    const nowMs = this.#clock.now();
    if (this.#endsMs === undefined) {
      this.#endsMs = nowMs + this.#shareMs;
      this.#cancel = this.#clock.setTimeout(() => this.#next(), 0);
    }
    if (nowMs < this.#endsMs) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets those go on that wait. */
  [Symbol.dispose](): void {
    this.#cancel();
    this.#next();
  }

  #next(): void {
    this.#endsMs = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
