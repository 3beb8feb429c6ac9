/** A map that forgets what was set longest ago, once it holds `maxSize`. */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #maxSize: number;

  /** Starts empty. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** What was set for a key. */
  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets a value, the newest. */
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxSize) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }

  /** Forgets a key. */
  delete(key: string): void {
    this.#entries.delete(key);
  }
}
