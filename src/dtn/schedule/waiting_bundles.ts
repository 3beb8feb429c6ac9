import { BinaryHeap } from "./binary_heap.ts";
import type { ScheduledBundle } from "./scheduler.ts";

interface Waiting {
  readonly bundle: ScheduledBundle;
  /** In the order of addition. */
  readonly number: number;
}

/** How many removed bundles the heap may hold beside as many as wait. */
const MAX_REMOVED = 64;

/** Which of two bundles goes first, as numbers compare; by the order of addition if they are equal. */
export type BundleOrder = (a: ScheduledBundle, b: ScheduledBundle) => number;

/** Bundles in an order, of which any can be taken out. */
export class WaitingBundles {
  readonly #heap: BinaryHeap<Waiting>;
  /** Numbers of those that wait, by id; what else the heap holds has been removed. */
  readonly #numbers = new Map<string, number>();
  #added = 0;

  /** Starts empty. */
  constructor(order: BundleOrder) {
    this.#heap = new BinaryHeap((a, b) => {
      const by = order(a.bundle, b.bundle);
      // No number: both never expire.
      return by < 0 || !(by > 0) && a.number < b.number;
    });
  }

  /** How many wait. */
  get size(): number {
    return this.#numbers.size;
  }

  /** Whether a bundle waits. */
  has(id: string): boolean {
    return this.#numbers.has(id);
  }

  /** Adds a bundle that does not wait yet. */
  add(bundle: ScheduledBundle): void {
    const number = this.#added++;
    this.#numbers.set(bundle.id, number);
    this.#heap.push({ bundle, number });
  }

  /** The bundle that goes first. */
  get first(): ScheduledBundle | undefined {
    for (;;) {
      const first = this.#heap.first;
      if (!first || this.#waits(first)) return first?.bundle;
      this.#heap.pop();
    }
  }

  /** Takes a bundle out; says whether it waited. */
  remove(id: string): boolean {
    if (!this.#numbers.delete(id)) return false;
    if (this.#heap.size > MAX_REMOVED + 2 * this.size) {
      this.#heap.retain((waiting) => this.#waits(waiting));
    }
    return true;
  }

  #waits({ bundle, number }: Waiting): boolean {
    return this.#numbers.get(bundle.id) === number;
  }
}
