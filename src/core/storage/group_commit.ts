import type { Store } from "./store.ts";

interface Change {
  readonly make: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Most changes of one transaction. */
const MAX_CHANGES = 4_096;

/**
 * Makes the changes of many callers in one transaction: those that are asked for before the pending promises have run are committed
 * together, so that each pays a share of the commit alone.
 */
export class GroupCommit {
  readonly #store: Store;
  #changes: Change[] = [];

  /** Writes to `store`. */
  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Calls `make`, which changes the store, in the next transaction; resolves once that is committed.
   *
   * @throws What `make` throws, or the store: then nothing of it is changed, and others' changes are not touched by it.
   */
  run(make: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#changes.push({ make, resolve, reject });
    if (this.#changes.length === 1) queueMicrotask(() => this.flush());
    if (this.#changes.length >= MAX_CHANGES) this.flush();
    return promise;
  }

  /** Commits what waits, now. */
  flush(): void {
    const changes = this.#changes;
    if (changes.length === 0) return;
    this.#changes = [];
    try {
      this.#store.transaction(() => {
        for (const { make } of changes) make();
      });
    } catch (error) {
      if (changes.length === 1) return changes[0]!.reject(error);
      for (const change of changes) this.#alone(change);
      return;
    }
    for (const { resolve } of changes) resolve();
  }

  #alone({ make, resolve, reject }: Change): void {
    try {
      this.#store.transaction(make);
      resolve();
    } catch (error) {
      reject(error);
    }
  }
}
