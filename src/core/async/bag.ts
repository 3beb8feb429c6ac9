/** What lies in a {@link Bag}. */
export interface InBag {
  /** Its place there; -1 outside. The bag sets it. */
  place: number;
}

/**
 * Things in no order that come and go all the time.
 *
 * V8 lets the table that a `Set` or `Map` has outgrown point to the next one, so that once one of them is old all later ones, and whatever
 * was in them, stay until a full collection. An array keeps nothing.
 */
export class Bag<T extends InBag> {
  readonly #items: T[] = [];

  /** How many lie in it. */
  get size(): number {
    return this.#items.length;
  }

  /** Puts `item` in, which lies in no bag. */
  add(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Takes `item` out; says whether it was in. */
  delete(item: T): boolean {
    const { place } = item;
    if (place < 0) return false;
    item.place = -1;
    const last = this.#items.pop()!;
    if (last !== item) {
      this.#items[place] = last;
      last.place = place;
    }
    return true;
  }

  /** What lies in it; it must stay the same meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }
}
