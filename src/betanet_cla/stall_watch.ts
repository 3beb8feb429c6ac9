import type { Clock } from "../core/async/mod.ts";

/** Options of {@link StallWatch}. */
export interface StallWatchOptions {
  readonly clock: Clock;
  /** How long nothing may move while something should, in milliseconds; noticed within twice that. */
  readonly timeoutMs: number;
  /** A number that changes when something moves. */
  readonly progress: () => number;
  /** Told once that nothing did. */
  readonly onStall: () => void;
}

/** Notices that a peer neither reads nor writes while bundles are on their way. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #underWay = 0;
  #progress = 0;
  #cancel: (() => void) | undefined;

  /** Starts with nothing on its way, and no timer. */
  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** Watches until `work` is done, and gives what it gives. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    if (!this.#cancel) this.#arm();
    try {
      return await work;
    } finally {
      this.#underWay--;
    }
  }

  /** Watches no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = () => {};
  }

  #arm(): void {
    const { clock, timeoutMs, progress } = this.#options;
    this.#progress = progress();
    this.#cancel = clock.setTimeout(() => this.#check(), timeoutMs);
  }

  #check(): void {
    this.#cancel = undefined;
    if (this.#underWay === 0) return;
    if (this.#options.progress() === this.#progress) this.#options.onStall();
    else this.#arm();
  }
}
