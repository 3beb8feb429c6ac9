/**
 * A map by text for what comes and goes all the time, in the order in which it came.
 *
 * What was in a `Map` may stay until a full collection, as `Bag` of core/async says. Here tables hold keys and numbers, and values lie in
 * slots that are used again.
 */
export class SlotMap<V> {
  readonly #slots = new Map<string, number>();
  readonly #values: (V | undefined)[] = [];
  readonly #free: number[] = [];

  /** How many are in it. */
  get size(): number {
    return this.#slots.size;
  }

  /** Whether there is a value for a key. */
  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** The value of a key. */
  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#values[slot];
  }

  /** Gives a key a value; one that it has keeps its place. */
  set(key: string, value: V): void {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#values.length;
      this.#slots.set(key, slot);
    }
    this.#values[slot] = value;
  }

  /** Takes a key out; says whether it was there. */
  delete(key: string): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    this.#values[slot] = undefined;
    this.#free.push(slot);
    if (this.#slots.size === 0) this.#shrink();
    return true;
  }

  /** Takes all out. */
  clear(): void {
    this.#slots.clear();
    this.#shrink();
  }

  /** The key that came first. */
  firstKey(): string | undefined {
    for (const key of this.#slots.keys()) return key;
  }

  /** Values in the order in which their keys came. */
  *values(): IterableIterator<V> {
    for (const slot of this.#slots.values()) yield this.#values[slot]!;
  }

  /** Keys and values in the order in which they came. */
  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const [key, slot] of this.#slots) yield [key, this.#values[slot]!];
  }

  #shrink(): void {
    this.#values.length = this.#free.length = 0;
  }
}
