/** Most flows that are followed at a time. */
export const MAX_FLOWS = 4_096;

/** What is known of each flow; the one unused for longest gives way when there are more than {@link MAX_FLOWS}. */
export class FlowTable<T> {
  readonly #flows = new Map<string, T>();
  readonly #onEvict: (flow: T) => void;

  /** Starts empty; `onEvict` is told of each flow that gives way or is replaced. */
  constructor(onEvict: (flow: T) => void) {
    this.#onEvict = onEvict;
  }

  /** The flow of `key`, which now counts as used. */
  get(key: string): T | undefined {
    const flow = this.#flows.get(key);
    if (flow === undefined) return undefined;
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    return flow;
  }

  /** Keeps `flow` under `key` in place of what was there; nothing is lost with that if it is `moved`. */
  set(key: string, flow: T, moved?: T): void {
    const replaced = this.#flows.get(key);
    if (replaced !== undefined && replaced !== moved) this.#onEvict(replaced);
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    if (this.#flows.size <= MAX_FLOWS) return;
    const [oldest, evicted] = this.#flows.entries().next().value!;
    this.#flows.delete(oldest);
    this.#onEvict(evicted);
  }

  /** Every flow. */
  values(): Iterable<T> {
    return this.#flows.values();
  }
}
