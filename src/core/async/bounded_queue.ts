import type { WaitOptions } from "./delay.ts";

/** Options of {@link BoundedQueue}. */
export interface BoundedQueueOptions<T> {
  /** Greatest total weight held, in the unit of {@link weigh}. */
  readonly capacity: number;
  /** Weight of an item, at least 0; 1 if not given, so that the capacity counts items. */
  readonly weigh?: (item: T) => number;
}

interface Waiter<V> {
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A first-in, first-out queue of bounded weight between producers and consumers.
 *
 * When it is full, {@link push} waits and {@link offer} drops and counts.
 * An item heavier than the capacity enters an empty queue only.
 * Iterating takes items until the queue is closed and empty, and throws the error it was closed with.
 */
export class BoundedQueue<T extends NonNullable<unknown>>
  implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #weigh: (item: T) => number;
  #items: (T | undefined)[] = [];
  #head = 0;
  #weight = 0;
  #dropped = 0;
  #closed = false;
  #error: unknown;
  readonly #takers = new Set<Waiter<T | undefined>>();
  readonly #pushers = new Set<Waiter<void> & { readonly item: T }>();

  /**
   * Starts empty and open.
   *
   * @throws {RangeError} If the capacity is not above 0.
   */
  constructor({ capacity, weigh = () => 1 }: BoundedQueueOptions<T>) {
    if (!(capacity > 0)) {
      throw new RangeError(`A capacity must be above 0: got ${capacity}`);
    }
    this.#capacity = capacity;
    this.#weigh = weigh;
  }

  /** Number of items held. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Total weight held. */
  get weight(): number {
    return this.#weight;
  }

  /** Number of items that {@link offer} dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Appends `item` if there is room; otherwise, or after {@link close}, drops and counts it and returns `false`. */
  offer(item: T): boolean {
    if (this.#closed || this.#pushers.size > 0 || !this.#fits(item)) {
      this.#dropped++;
      return false;
    }
    this.#append(item);
    return true;
  }

  /**
   * Appends `item` once there is room; those that wait enter in order.
   *
   * @throws {TypeError} If the queue is closed, before or during the wait.
   * @throws The reason of `signal`.
   */
  async push(item: T, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    if (this.#pushers.size === 0 && this.#fits(item)) return this.#append(item);
    return await waitIn(this.#pushers, signal, (waiter) => ({
      ...waiter,
      item,
    }));
  }

  /**
   * Takes the oldest item once there is one, or gives `undefined` once the queue is closed and empty.
   *
   * @throws The error given to {@link close}, or the reason of `signal`.
   */
  async shift({ signal }: WaitOptions = {}): Promise<T | undefined> {
    signal?.throwIfAborted();
    if (this.size > 0) return this.#take();
    if (this.#closed) return this.#atEnd();
    return await waitIn(this.#takers, signal, (waiter) => waiter);
  }

  /** Ends the queue: what it holds can still be taken, then consumers see the end, or `error` if one is given. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    for (const taker of this.#takers) {
      if (error === undefined) taker.resolve(undefined);
      else taker.reject(error);
    }
    for (const pusher of this.#pushers) pusher.reject(closedError());
    this.#takers.clear();
    this.#pushers.clear();
  }

  /** Takes every item held, without waiting. */
  drain(): T[] {
    const items = [];
    while (this.size > 0) items.push(this.#take());
    return items;
  }

  /** Takes items until the end. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let item;
    while ((item = await this.shift()) !== undefined) yield item;
  }

  #fits(item: T): boolean {
    return this.size === 0 ||
      this.#weight + this.#weigh(item) <= this.#capacity;
  }

  #append(item: T): void {
    const [taker] = this.#takers;
    if (taker) {
      this.#takers.delete(taker);
      return taker.resolve(item);
    }
    this.#items.push(item);
    this.#weight += this.#weigh(item);
  }

  #take(): T {
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#weight -= this.#weigh(item);
    for (const pusher of this.#pushers) {
      if (!this.#fits(pusher.item)) break;
      this.#pushers.delete(pusher);
      this.#append(pusher.item);
      pusher.resolve();
    }
    return item;
  }

  #atEnd(): undefined {
    if (this.#error !== undefined) throw this.#error;
  }
}

function waitIn<V, W extends Waiter<V>>(
  waiters: Set<W>,
  signal: AbortSignal | undefined,
  make: (waiter: Waiter<V>) => W,
): Promise<V> {
  return new Promise((resolve, reject) => {
    const release = () => signal?.removeEventListener("abort", onAbort);
    const waiter = make({
      resolve: (value) => (release(), resolve(value)),
      reject: (error) => (release(), reject(error)),
    });
    const onAbort = () => {
      waiters.delete(waiter);
      waiter.reject(signal!.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    waiters.add(waiter);
  });
}

function closedError(): TypeError {
  return new TypeError("Cannot push: the queue is closed");
}
