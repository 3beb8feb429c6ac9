interface Aged<T> {
  readonly item: T;
  readonly atMs: number;
}

/** A first-in, first-out queue of bounded length whose items grow old. */
export class AgedQueue<T> {
  readonly #capacity: number;
  readonly #maxAgeMs: number;
  #items: (Aged<T> | undefined)[] = [];
  #head = 0;

  /**
   * Starts empty.
   *
   * @throws {RangeError} If a limit is not above 0.
   */
  constructor(capacity: number, maxAgeMs: number) {
    if (!(capacity > 0 && maxAgeMs > 0)) {
      throw new RangeError(
        `Want limits above 0: got ${capacity} and ${maxAgeMs}`,
      );
    }
    this.#capacity = capacity;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Number of items held. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Appends `item`; `false` if there is no room. */
  offer(item: T, nowMs: number): boolean {
    if (this.size >= this.#capacity) return false;
    this.#items.push({ item, atMs: nowMs });
    return true;
  }

  /** Takes up to `count` of the oldest items. */
  take(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.size > 0) {
      taken.push(this.#items[this.#head]!.item);
      this.#items[this.#head++] = undefined;
    }
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Drops the items that are too old, and says how many there were. */
  expire(nowMs: number): number {
    let count = 0;
    for (let i = this.#head; i < this.#items.length; i++, count++) {
      if (nowMs - this.#items[i]!.atMs < this.#maxAgeMs) break;
    }
    this.take(count);
    return count;
  }
}
