/** Largest flow-control window (RFC 9113 §6.9.1). */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/** What the peer may still send, on one stream or on all. */
export class ReceiveWindow {
  #size: number;
  #left: number;
  #consumed = 0;

  /** The peer may send `size` bytes before we grant more. */
  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** Changes the size by `delta`, as SETTINGS_INITIAL_WINDOW_SIZE does. */
  resize(delta: number): void {
    this.#size += delta;
    this.#left += delta;
  }

  /** Makes the size at least `size`, and returns the increment to grant: 0 if it was. */
  widen(size: number): number {
    const increment = Math.max(0, size - this.#size);
    this.resize(increment);
    return increment;
  }

  /** Counts `length` bytes that arrived; `false` if they were not allowed. */
  take(length: number): boolean {
    this.#left -= length;
    return this.#left >= 0;
  }

  /** Counts `length` bytes that nobody holds any more, and returns the increment to grant: 0 until half the window is used. */
  consume(length: number): number {
    this.#consumed += length;
    if (this.#consumed === 0 || 2 * this.#consumed < this.#size) return 0;
    const increment = this.#consumed;
    this.#left += increment;
    this.#consumed = 0;
    return increment;
  }
}
