import type { Bytes } from "../bytes/mod.ts";
import { StorageError } from "./error.ts";
import {
  checkExpiry,
  checkKey,
  checkLimits,
  checkResult,
  type SetOptions,
  type Store,
  type StoreEntry,
  type StoreLimits,
  type StoreUsage,
} from "./store.ts";

/**
 * A store that forgets when it is disposed of.
 *
 * The first {@link Store.entries} after a change of the keys sorts them all.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryStore } from "./mod.ts";
 *
 * using store = memoryStore({ maxEntries: 10 });
 * store.set(new Uint8Array([1]), new Uint8Array([42]), { expiresAt: 5_000 });
 * assertEquals(store.get(new Uint8Array([1])), new Uint8Array([42]));
 * assertEquals(store.sweep(5_000), 1);
 * ```
 *
 * @throws {RangeError} If a limit is not a whole number.
 */
export function memoryStore(limits: StoreLimits = {}): Store {
  return new MemoryStore(checkLimits(limits));
}

class MemoryStore implements Store {
  readonly #limits: Required<StoreLimits>;
  /** By the key's bytes as characters, whose order is that of the bytes. */
  readonly #entries = new Map<string, StoreEntry>();
  #bytes = 0;
  #closed = false;
  /** The keys in order, until one is added or removed. */
  #sorted: string[] | undefined;
  /** What the running transaction has overwritten. */
  #undo: Map<string, StoreEntry | undefined> | undefined;

  constructor(limits: Required<StoreLimits>) {
    this.#limits = limits;
  }

  get(key: Uint8Array): Bytes | undefined {
    this.#checkOpen();
    return this.#entries.get(nameOf(checkKey(key)))?.value.slice();
  }

  set(key: Uint8Array, value: Uint8Array, { expiresAt }: SetOptions = {}) {
    this.#checkOpen();
    const name = nameOf(checkKey(key));
    const expiry = checkExpiry(expiresAt);
    const entry: StoreEntry = {
      key: new Uint8Array(key),
      value: new Uint8Array(value),
      ...(expiry === undefined ? {} : { expiresAt: expiry }),
    };
    const old = this.#entries.get(name);
    const added = sizeOf(entry) - (old ? sizeOf(old) : 0);
    const { maxEntries, maxBytes } = this.#limits;
    if (
      !old && this.#entries.size >= maxEntries ||
      added > 0 && this.#bytes + added > maxBytes
    ) {
      throw new StorageError("full", "Store is at its limit");
    }
    this.#put(name, entry);
  }

  delete(key: Uint8Array): boolean {
    this.#checkOpen();
    const name = nameOf(checkKey(key));
    if (!this.#entries.has(name)) return false;
    this.#put(name, undefined);
    return true;
  }

  *entries(prefix: Uint8Array = new Uint8Array(), rest?: Uint8Array) {
    this.#checkOpen();
    const wanted = nameOf(prefix);
    const names = this.#sorted ??= [...this.#entries.keys()].sort();
    const first = rest ? wanted + nameOf(rest) : wanted;
    for (let i = firstAtLeast(names, first); i < names.length; i++) {
      this.#checkOpen();
      if (!names[i]!.startsWith(wanted)) return;
      const entry = this.#entries.get(names[i]!);
      if (!entry) continue;
      yield { ...entry, key: entry.key.slice(), value: entry.value.slice() };
    }
  }

  transaction<T>(fn: () => T): T {
    this.#checkOpen();
    if (this.#undo) throw new TypeError("Transactions cannot be nested");
    const undo = this.#undo = new Map<string, StoreEntry | undefined>();
    try {
      const result = fn();
      checkResult(result);
      return result;
    } catch (error) {
      for (const [name, entry] of undo) this.#put(name, entry);
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  sweep(now: number): number {
    this.#checkOpen();
    let swept = 0;
    for (const [name, { expiresAt = Infinity }] of this.#entries) {
      if (expiresAt > now) continue;
      this.#put(name, undefined);
      swept++;
    }
    return swept;
  }

  usage(): StoreUsage {
    this.#checkOpen();
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  [Symbol.dispose]() {
    this.#closed = true;
    this.#entries.clear();
    this.#sorted = undefined;
  }

  #put(name: string, entry: StoreEntry | undefined) {
    const old = this.#entries.get(name);
    if (this.#undo && !this.#undo.has(name)) this.#undo.set(name, old);
    if (!old !== !entry) this.#sorted = undefined;
    this.#bytes += (entry ? sizeOf(entry) : 0) - (old ? sizeOf(old) : 0);
    if (entry) this.#entries.set(name, entry);
    else this.#entries.delete(name);
  }

  #checkOpen() {
    if (this.#closed) throw new StorageError("closed", "Store is closed");
  }
}

function nameOf(key: Uint8Array): string {
  let name = "";
  for (const byte of key) name += String.fromCharCode(byte);
  return name;
}

function sizeOf({ key, value }: StoreEntry): number {
  return key.length + value.length;
}

/** Index of the first of the sorted `names` that is not before `wanted`. */
function firstAtLeast(names: readonly string[], wanted: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
