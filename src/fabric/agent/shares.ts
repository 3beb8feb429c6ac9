/** The part of the room that anybody may have as long as it is free. */
const COMMON = 3 / 4;
/** The part that each may have in any case, as long as there is room at all. */
const OWN = 1 / 16;

/** Room that many use: one that has much of it leaves the last quarter to those that have little. */
export class Shares {
  readonly #max: number;
  readonly #of = new Map<string, number>();
  #total = 0;

  /** Starts with nothing taken of `max`. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether there is room for `amount` at all. */
  hasRoom(amount: number): boolean {
    return this.#total + amount <= this.#max;
  }

  /** Whether there is room for `amount` of one. */
  mayTake(who: string, amount: number): boolean {
    if (!this.hasRoom(amount)) return false;
    const own = this.#of.get(who) ?? 0;
    return own === 0 || own + amount <= OWN * this.#max ||
      this.#total + amount <= COMMON * this.#max;
  }

  /** Takes `amount` for one; a negative one gives it back. */
  take(who: string, amount: number): void {
    this.#total += amount;
    const own = (this.#of.get(who) ?? 0) + amount;
    if (own === 0) this.#of.delete(who);
    else this.#of.set(who, own);
  }
}
