import type { ScheduledBundle } from "./scheduler.ts";
import { WaitingBundles } from "./waiting_bundles.ts";

/** Bundles of one class of service that wait for the same neighbour, for the same destination. */
export interface Flow {
  /** Those that wait: what expires first is first. */
  readonly bundles: WaitingBundles;
  /** Length of all of them. */
  bytes: number;
  /** When the last one left, or else when the first one came. */
  servedMs: number;
}

interface Place {
  readonly key: string;
  readonly flow: Flow;
  readonly size: number;
}

/** What waits for one neighbour, in flows. */
export class Backlog {
  readonly #flows = new Map<string, Flow>();
  readonly #places = new Map<string, Place>();

  /** How many bundles wait. */
  get size(): number {
    return this.#places.size;
  }

  /** The flows in which bundles wait. */
  flows(): IterableIterator<Flow> {
    return this.#flows.values();
  }

  /** Whether a bundle waits. */
  has(id: string): boolean {
    return this.#places.has(id);
  }

  /** Adds a bundle that does not wait yet. */
  add(bundle: ScheduledBundle): void {
    const { id, destination, priority, size, receivedMs } = bundle;
    const key = `${priority} ${destination}`;
    const flow = this.#flows.get(key) ?? {
      bundles: new WaitingBundles((a, b) => a.expiresMs - b.expiresMs),
      bytes: 0,
      servedMs: receivedMs,
    };
    this.#flows.set(key, flow);
    this.#places.set(id, { key, flow, size });
    flow.bundles.add(bundle);
    flow.bytes += size;
  }

  /** Takes a bundle out; says whether it waited. */
  remove(id: string): boolean {
    const place = this.#places.get(id);
    if (!place) return false;
    const { key, flow, size } = place;
    this.#places.delete(id);
    flow.bundles.remove(id);
    flow.bytes -= size;
    if (flow.bundles.size === 0) this.#flows.delete(key);
    return true;
  }
}
