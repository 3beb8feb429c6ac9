interface Turn {
  readonly size: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What the other end takes at a time: messages and their bytes. Who finds no room waits for it, first come, first served. */
export class SendWindow {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #turns = new Set<Turn>();
  #messages = 0;
  #bytes = 0;

  /** Starts with nothing under way. */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** How many wait for room. */
  get waiting(): number {
    return this.#turns.size;
  }

  /** Takes room without waiting, if there is some and nobody waits. */
  tryEnter(size: number): boolean {
    if (this.#turns.size > 0 || !this.#hasRoom(size)) return false;
    this.#take(size);
    return true;
  }

  /**
   * Takes room, once there is some; a message that is longer than the window goes alone.
   *
   * @throws The reason of the signal.
   */
  enter(size: number, signal?: AbortSignal): Promise<void> {
    if (this.tryEnter(size)) return Promise.resolve();
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const turn = { size, resolve, reject };
    this.#turns.add(turn);
    const onAbort = () => {
      if (this.#turns.delete(turn)) reject(signal!.reason);
      this.#admit();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  /** Gives room back. */
  leave(size: number): void {
    this.#messages--;
    this.#bytes -= size;
    this.#admit();
  }

  /** Nobody gets room any more. */
  close(reason: unknown): void {
    for (const { reject } of this.#turns) reject(reason);
    this.#turns.clear();
  }

  #admit(): void {
    for (const turn of this.#turns) {
      if (!this.#hasRoom(turn.size)) return;
      this.#turns.delete(turn);
      this.#take(turn.size);
      turn.resolve();
    }
  }

  #hasRoom(size: number): boolean {
    return this.#messages === 0 ||
      this.#messages < this.#maxMessages &&
        this.#bytes + size <= this.#maxBytes;
  }

  #take(size: number): void {
    this.#messages++;
    this.#bytes += size;
  }
}
