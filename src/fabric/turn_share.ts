import type { Clock } from "../core/async/mod.ts";

/** How long a {@link TurnShare} lasts in a turn, in milliseconds. */
export interface TurnShareLimits {
  /** At the least. */
  readonly minMs: number;
  /** At the most, if everything else took as long in the turn before. */
  readonly maxMs: number;
}

/**
 * A share of each turn of the event loop: whoever does something again and again, each time as soon as promises allow, leaves timers,
 * sockets and everybody else their turns, and has as much time as they together.
 */
export class TurnShare implements Disposable {
  readonly #clock: Clock;
  readonly #limits: TurnShareLimits;
  #shareMs: number;
  readonly #waiting: (() => void)[] = [];
  /** When the share of this turn is used up; `undefined` if nothing was done in it. */
  #endsMs: number | undefined;
  #cancel: () => void = () => {};

  /** The share begins with the first {@link enter} of a turn. */
  constructor(clock: Clock, limits: TurnShareLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#shareMs = limits.minMs;
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
    const { minMs, maxMs } = this.#limits;
    const othersMs = this.#waiting.length > 0
      ? this.#clock.now() - this.#endsMs!
      : 0;
    this.#shareMs = Math.min(maxMs, Math.max(minMs, othersMs));
    this.#endsMs = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
