import type { Bytes } from "../../core/bytes/mod.ts";
import {
  type SetOptions,
  StorageError,
  type Store,
  type StoreEntry,
  type StoreUsage,
} from "../../core/storage/mod.ts";

/**
 * A store whose deletions do not fail: what cannot be deleted now is deleted by {@link retry}. So a disk that fails for a while loses no
 * event of what was to be forgotten.
 */
export class DeferredDeletes implements Store {
  readonly #store: Store;
  readonly #pending = new Map<string, Bytes>();

  /** Passes everything else on to `store`. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** See {@link Store.get}. */
  get(key: Uint8Array): Bytes | undefined {
    return this.#store.get(key);
  }

  /** See {@link Store.set}. */
  set(key: Uint8Array, value: Uint8Array, options?: SetOptions): void {
    this.#store.set(key, value, options);
    this.#pending.delete(key.toHex());
  }

  /** See {@link Store.delete}; `false` if it is to be tried again. */
  delete(key: Uint8Array): boolean {
    try {
      return this.#store.delete(key);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#pending.set(key.toHex(), new Uint8Array(key));
      return false;
    }
  }

  /**
   * Deletes what could not be deleted before.
   *
   * @throws {StorageError} If the store still fails.
   */
  retry(): void {
    for (const [hex, key] of this.#pending) {
      this.#store.delete(key);
      this.#pending.delete(hex);
    }
  }

  /** See {@link Store.entries}. */
  entries(prefix?: Uint8Array): IterableIterator<StoreEntry> {
    return this.#store.entries(prefix);
  }

  /** See {@link Store.transaction}. */
  transaction<T>(fn: () => T): T {
    return this.#store.transaction(fn);
  }

  /** See {@link Store.sweep}. */
  sweep(now: number): number {
    return this.#store.sweep(now);
  }

  /** See {@link Store.usage}. */
  usage(): StoreUsage {
    return this.#store.usage();
  }

  /** Leaves the store open. */
  [Symbol.dispose](): void {}
}
