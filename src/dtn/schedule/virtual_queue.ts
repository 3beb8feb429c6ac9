/**
 * What has been spent beyond a budget, as a queue (Neely 2010, §4.4): spending joins it, and the budget serves it. What is spent in the
 * mean is at most the budget if the queue's length grows slower than time.
 */
export class VirtualQueue {
  readonly #budgetPerS: number;
  #aheadS = 0;
  #atMs: number | undefined;

  /** Starts empty. The budget is above 0; with `Infinity` the queue stays empty. */
  constructor(budgetPerS: number) {
    if (!(budgetPerS > 0)) {
      throw new RangeError(`Want a budget above 0 a second: got ${budgetPerS}`);
    }
    this.#budgetPerS = budgetPerS;
  }

  /** Its length at `nowMs`: for how many seconds the budget is spent ahead. */
  aheadS(nowMs: number): number {
    const passedMs = nowMs - (this.#atMs ?? nowMs);
    return Math.max(this.#aheadS - Math.max(passedMs, 0) / 1_000, 0);
  }

  /** For how many seconds `amount` uses the budget up. */
  secondsOf(amount: number): number {
    return amount / this.#budgetPerS;
  }

  /** Counts what is spent at `nowMs`. */
  spend(amount: number, nowMs: number): void {
    this.#aheadS = this.aheadS(nowMs) + this.secondsOf(amount);
    this.#atMs = Math.max(nowMs, this.#atMs ?? nowMs);
  }
}
