import type { WaitOptions } from "../../core/async/mod.ts";

/** Options of {@link Window}. */
export interface WindowOptions {
  /** Most things inside at once. */
  readonly maxCount: number;
  /** Most bytes of them together; one that is larger enters alone. */
  readonly maxBytes: number;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Room for things under way, by number and bytes; who finds none may wait, in order. */
export class Window {
  readonly #options: WindowOptions;
  readonly #waiters = new Set<Waiter>();
  #count = 0;
  #bytes = 0;
  #error: unknown;

  /** Starts empty. */
  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Enters with `bytes` if there is room, and says whether there was. */
  tryEnter(bytes: number): boolean {
    if (this.#waiters.size > 0 || !this.#fits(bytes)) return false;
    this.#enter(bytes);
    return true;
  }

  /**
   * Enters with `bytes` once there is room.
   *
   * @throws The error given to {@link close}, or the reason of `signal`.
   */
  async enter(bytes: number, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#error !== undefined) throw this.#error;
    if (this.tryEnter(bytes)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { bytes, resolve, reject };
    const onAbort = () => {
      this.#waiters.delete(waiter);
      reject(signal!.reason);
      this.#admit();
    };
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Leaves with the `bytes` it entered with. */
  leave(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
    this.#admit();
  }

  /** Fails those that wait, and will wait, with `error`. */
  close(error: unknown): void {
    this.#error ??= error;
    for (const waiter of this.#waiters) waiter.reject(this.#error);
    this.#waiters.clear();
  }

  #fits(bytes: number): boolean {
    const { maxCount, maxBytes } = this.#options;
    return this.#count === 0 ||
      this.#count < maxCount && this.#bytes + bytes <= maxBytes;
  }

  #enter(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.bytes)) return;
      this.#waiters.delete(waiter);
      this.#enter(waiter.bytes);
      waiter.resolve();
    }
  }
}
