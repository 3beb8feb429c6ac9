import { DelayQueue } from "./delay_queue.ts";
import { drawExponentialUpTo, type Random, shuffle } from "./draw.ts";
import type { MixRefusal, MixStrategy } from "./mix_strategy.ts";

/** Options of {@link PoissonMix}. */
export interface PoissonMixOptions {
  /** Most packets held. */
  readonly capacity: number;
  /** Mean of the delays, in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay that a sender may ask for, in milliseconds. */
  readonly maxDelayMs: number;
  /** Draws delays where the sender asks for none. */
  readonly random: Random;
  /** Gets how much later than its sender asked for each packet left, in milliseconds. */
  readonly onLateness?: (latenessMs: number) => void;
}

interface Waiting<T> {
  readonly item: T;
  readonly dueMs: number;
}

/**
 * The continuous-time mix of Loopix: each packet waits as long as its sender asks, independently of the others.
 *
 * A delay above the cap is refused, never cut: cutting would let many packets leave exactly at the cap. A delay of zero is replaced
 * by one drawn here. Without that, a sender who never delays would be sorted out by whoever watches the node, as his packets alone
 * leave at once, and would thin out the pool that hides the others; the sender does not lose what he asked for by mistake, and a
 * client whose clock resolution rounds small delays to zero behaves as it should.
 */
export class PoissonMix<T> implements MixStrategy<T> {
  readonly name = "poisson";
  readonly #options: PoissonMixOptions;
  readonly #queue: DelayQueue<Waiting<T>>;

  /**
   * Starts empty.
   *
   * @throws {RangeError} Unless 0 < `meanDelayMs` ≤ `maxDelayMs`, or if the capacity is out of range.
   */
  constructor(options: PoissonMixOptions) {
    const { capacity, meanDelayMs, maxDelayMs } = options;
    if (!(meanDelayMs > 0 && meanDelayMs <= maxDelayMs)) {
      throw new RangeError(
        `Want 0 < meanDelayMs <= maxDelayMs: got ${meanDelayMs} and ${maxDelayMs}`,
      );
    }
    this.#options = options;
    this.#queue = new DelayQueue(capacity);
  }

  /** Number of packets held. */
  get size(): number {
    return this.#queue.size;
  }

  /** When the next packet is due. */
  get nextMs(): number {
    return this.#queue.nextMs;
  }

  /** Holds a packet until its delay is over. */
  offer(item: T, delayMs: number, arrivedMs: number): MixRefusal | undefined {
    const { meanDelayMs, maxDelayMs, random } = this.#options;
    if (delayMs > maxDelayMs) return "delay_cap";
    const dueMs = arrivedMs +
      (delayMs > 0
        ? delayMs
        : drawExponentialUpTo(random, meanDelayMs, maxDelayMs));
    return this.#queue.push({ item, dueMs }, dueMs) ? undefined : "pool_full";
  }

  /** Takes what is due, earliest first. */
  take(nowMs: number): T[] {
    const taken: T[] = [];
    for (let next; (next = this.#queue.pop(nowMs)) !== undefined;) {
      this.#options.onLateness?.(nowMs - next.dueMs);
      taken.push(next.item);
    }
    return taken;
  }

  /** Takes everything, due or not. */
  flush(): T[] {
    const taken: T[] = [];
    for (let next; (next = this.#queue.pop(Infinity)) !== undefined;) {
      taken.push(next.item);
    }
    return shuffle(this.#options.random, taken);
  }
}
