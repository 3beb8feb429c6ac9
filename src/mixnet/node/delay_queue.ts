/**
 * Items that wait for a time: a binary heap in typed arrays, of bounded size.
 *
 * Items of the same time come in the order in which they were added.
 */
export class DelayQueue<T> {
  readonly #capacity: number;
  /** Of each place of the heap: when its item is due, the number of its addition, and where in `#items` it lies. */
  readonly #due: Float64Array;
  readonly #order: Float64Array;
  readonly #slot: Uint32Array;
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];
  #size = 0;
  #added = 0;

  /**
   * Starts empty.
   *
   * @param capacity Most items held.
   * @throws {RangeError} If it is not a whole number above 0.
   */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`Want a capacity of 1 or more: got ${capacity}`);
    }
    this.#capacity = capacity;
    this.#due = new Float64Array(capacity);
    this.#order = new Float64Array(capacity);
    this.#slot = new Uint32Array(capacity);
  }

  /** Number of items held. */
  get size(): number {
    return this.#size;
  }

  /** When the next item is due, in the caller's milliseconds; infinite if there is none. */
  get nextMs(): number {
    return this.#size > 0 ? this.#due[0]! : Infinity;
  }

  /** Adds `item`, due at `dueMs`; `false`, and nothing else, if it is full. */
  push(item: T, dueMs: number): boolean {
    if (this.#size === this.#capacity) return false;
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    this.#rise(this.#size++, dueMs, this.#added++, slot);
    return true;
  }

  /** Takes the item that is due first, if it is due at `nowMs`. */
  pop(nowMs: number): T | undefined {
    if (this.#size === 0 || this.#due[0]! > nowMs) return undefined;
    const slot = this.#slot[0]!;
    const item = this.#items[slot];
    this.#items[slot] = undefined;
    this.#free.push(slot);
    const last = --this.#size;
    if (last > 0) {
      this.#sink(this.#due[last]!, this.#order[last]!, this.#slot[last]!);
    }
    return item;
  }

  #rise(place: number, due: number, order: number, slot: number) {
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#isLater(parent, due, order)) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(place, due, order, slot);
  }

  #sink(due: number, order: number, slot: number) {
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (
        child + 1 < this.#size &&
        this.#isLater(child, this.#due[child + 1]!, this.#order[child + 1]!)
      ) child++;
      if (this.#isLater(child, due, order)) break;
      this.#move(child, place);
      place = child;
    }
    this.#put(place, due, order, slot);
  }

  #isLater(place: number, due: number, order: number): boolean {
    const own = this.#due[place]!;
    return own > due || own === due && this.#order[place]! > order;
  }

  #move(from: number, to: number) {
    this.#put(to, this.#due[from]!, this.#order[from]!, this.#slot[from]!);
  }

  #put(place: number, due: number, order: number, slot: number) {
    this.#due[place] = due;
    this.#order[place] = order;
    this.#slot[place] = slot;
  }
}
