import { type Random, shuffle } from "./draw.ts";
import type {
  MixRefusal,
  MixStrategy,
  MixStrategyName,
} from "./mix_strategy.ts";

/** Options of every pool mix. */
export interface PoolMixOptions {
  /** Most packets held. */
  readonly capacity: number;
  /** Packets that stay when it fires, chosen at random; 0 by default: a plain threshold or timed mix. */
  readonly keep?: number;
  /** Longest delay that a sender may ask for, in milliseconds; the delay itself is not used. */
  readonly maxDelayMs: number;
  /** Chooses who stays and the order of the others. */
  readonly random: Random;
}

/**
 * A threshold pool mix: once it holds `threshold` packets, all but `keep` leave in random order.
 *
 * A network without cover traffic may leave its last packets waiting for long: the loops of the nodes are what moves them.
 *
 * @throws {RangeError} Unless 0 ≤ `keep` < `threshold` ≤ `capacity`, all whole.
 */
export function thresholdMix<T>(
  options: PoolMixOptions & { readonly threshold: number },
): MixStrategy<T> {
  const { threshold, capacity, keep = 0 } = options;
  if (
    ![threshold, capacity, keep].every(Number.isSafeInteger) || keep < 0 ||
    keep >= threshold || threshold > capacity
  ) {
    throw new RangeError(
      `Want 0 <= keep < threshold <= capacity: got ${keep}, ${threshold} and ${capacity}`,
    );
  }
  return new PoolMix("threshold", options, {
    nextMs: (size) => size >= threshold ? -Infinity : Infinity,
    fired() {},
  });
}

/**
 * A timed pool mix: every `intervalMs`, all but `keep` leave in random order.
 *
 * The intervals count from time 0 of the caller, so they do not depend on when packets come.
 *
 * @throws {RangeError} Unless `intervalMs` > 0 and 0 ≤ `keep` < `capacity`, both whole.
 */
export function timedMix<T>(
  options: PoolMixOptions & { readonly intervalMs: number },
): MixStrategy<T> {
  const { intervalMs, capacity, keep = 0 } = options;
  if (
    !(intervalMs > 0) || ![capacity, keep].every(Number.isSafeInteger) ||
    keep < 0 || keep >= capacity
  ) {
    throw new RangeError(
      `Want intervalMs > 0 and 0 <= keep < capacity: got ${intervalMs}, ${keep} and ${capacity}`,
    );
  }
  let firesAtMs: number | undefined;
  const after = (ms: number) => (Math.floor(ms / intervalMs) + 1) * intervalMs;
  return new PoolMix("timed", options, {
    nextMs(size, firstMs) {
      if (size <= keep) return Infinity;
      return firesAtMs ??= after(firstMs);
    },
    fired() {
      firesAtMs = undefined;
    },
  });
}

interface Trigger {
  /** When a pool of this size, whose latest packet came at `lastMs`, fires. */
  nextMs(size: number, lastMs: number): number;
  fired(): void;
}

class PoolMix<T> implements MixStrategy<T> {
  readonly name: MixStrategyName;
  readonly #options: PoolMixOptions;
  readonly #trigger: Trigger;
  #pool: T[] = [];
  #lastMs = 0;

  constructor(
    name: MixStrategyName,
    options: PoolMixOptions,
    trigger: Trigger,
  ) {
    this.name = name;
    this.#options = options;
    this.#trigger = trigger;
  }

  get size(): number {
    return this.#pool.length;
  }

  get nextMs(): number {
    return this.#trigger.nextMs(this.size, this.#lastMs);
  }

  offer(item: T, delayMs: number, arrivedMs: number): MixRefusal | undefined {
    if (delayMs > this.#options.maxDelayMs) return "delay_cap";
    if (this.size >= this.#options.capacity) return "pool_full";
    this.#pool.push(item);
    this.#lastMs = arrivedMs;
    return undefined;
  }

  take(nowMs: number): T[] {
    if (this.nextMs > nowMs) return [];
    this.#trigger.fired();
    const keep = Math.min(this.#options.keep ?? 0, this.size);
    const leaving = shuffle(this.#options.random, this.#pool);
    this.#pool = leaving.splice(0, keep);
    this.#lastMs = nowMs;
    return leaving;
  }

  flush(): T[] {
    const leaving = shuffle(this.#options.random, this.#pool);
    this.#pool = [];
    return leaving;
  }
}
