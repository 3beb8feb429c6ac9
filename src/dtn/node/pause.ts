import type { Clock } from "../../core/async/mod.ts";

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/** A time in which something is sent nothing: twice as long each time, up to half a minute, until it has taken something. */
export class Pause {
  readonly #clock: Clock;
  #nextMs = MIN_PAUSE_MS;
  #cancel: (() => void) | undefined;

  /** Is not on. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it is on. */
  get isOn(): boolean {
    return this.#cancel !== undefined;
  }

  /** Begins, if it is not on, and calls `resume` when it is over. */
  begin(resume: () => void): void {
    if (this.#cancel) return;
    this.#cancel = this.#clock.setTimeout(() => {
      this.#cancel = undefined;
      resume();
    }, this.#nextMs);
    this.#nextMs = Math.min(2 * this.#nextMs, MAX_PAUSE_MS);
  }

  /** Ends, if it is on. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Something was taken: the next one is short. */
  shorten(): void {
    this.#nextMs = MIN_PAUSE_MS;
  }
}
