/** Bytes that all contacts of a layer may hold together of what their peers sent. */
export class ByteBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  /** Starts with all of `maxBytes` free. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes taken. */
  get taken(): number {
    return this.#bytes;
  }

  /** Takes `bytes` if they are free, and says whether they were. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives `bytes` back that were taken. */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
