import { encodeHex } from "../../core/bytes/mod.ts";
import type { RouteHop } from "../sphinx/header.ts";

/** How many distinct sets of hops come before one may come again (BN11-7.2-5). */
const DISTINCT_HOP_SETS = 8;

const MAX_PAIRS = 1_024;

/**
 * The sets of hops used lately between two peers in one epoch, so that none is used again before
 * eight others were.
 *
 * It keeps 1,024 pairs and forgets the one that was used longest ago first.
 */
export class HopSetMemory {
  readonly #recent = new Map<string, string[]>();

  /** Whether `hops` may be used between the peers of `pair` now. */
  allows(pair: string, hops: readonly RouteHop[]): boolean {
    return !this.#recent.get(pair)?.includes(keyOf(hops));
  }

  /** Remembers that `hops` were used. */
  add(pair: string, hops: readonly RouteHop[]): void {
    const sets = this.#recent.get(pair) ?? [];
    const key = keyOf(hops);
    const recent = [...sets.filter((each) => each !== key), key];
    this.#recent.delete(pair);
    this.#recent.set(pair, recent.slice(-DISTINCT_HOP_SETS));
    if (this.#recent.size <= MAX_PAIRS) return;
    const [oldest] = this.#recent.keys();
    this.#recent.delete(oldest!);
  }
}

function keyOf(hops: readonly RouteHop[]): string {
  return hops.map(({ address }) => encodeHex(address)).sort().join();
}
