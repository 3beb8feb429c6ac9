import { type Bytes, concat, utf8 } from "../bytes/mod.ts";

/** Longest key of a {@link Store} in bytes, its namespaces included. */
export const MAX_KEY_BYTES = 1024;

/** One entry as {@link Store.entries} gives it. */
export interface StoreEntry {
  /** The key. */
  readonly key: Bytes;
  /** The value. */
  readonly value: Bytes;
  /** When {@link Store.sweep} may remove it, in the caller's milliseconds; absent for never. */
  readonly expiresAt?: number;
}

/** Options of {@link Store.set}. */
export interface SetOptions {
  /** An integer on the scale that is later passed to {@link Store.sweep}, usually milliseconds since 1970; never by default. */
  readonly expiresAt?: number;
}

/** What a store holds. */
export interface StoreUsage {
  /** Number of entries. */
  readonly entries: number;
  /** Sum of the lengths of their keys and values in bytes. */
  readonly bytes: number;
}

/** Limits of a store; at a limit {@link Store.set} throws `full` and nothing is evicted. */
export interface StoreLimits {
  /** Most entries; 1,000,000 by default. */
  readonly maxEntries?: number;
  /** Most bytes of keys and values together; 256 MiB by default. */
  readonly maxBytes?: number;
}

/** {@link StoreLimits} that apply when none are given. */
export const STORE_LIMITS: Required<StoreLimits> = {
  maxEntries: 1_000_000,
  maxBytes: 256 * 1024 * 1024,
};

/**
 * An ordered map from bytes to bytes that may outlive the process.
 *
 * Every call is synchronous: when it returns, the change is made as lastingly as the store promises.
 * Bytes are copied in and out. Keys have 1 to {@link MAX_KEY_BYTES} bytes.
 * Every method throws {@link StorageError}: `closed` after disposal, `corrupt` or `io` if the disk fails.
 */
export interface Store extends Disposable {
  /** The value of `key`, expired or not. */
  get(key: Uint8Array): Bytes | undefined;

  /**
   * Gives `key` a value and an expiry in place of what it had.
   *
   * @throws {StorageError} `full` at a limit of the store or the disk; what was stored stays.
   * @throws {RangeError} If the key's length or `expiresAt` is out of range.
   */
  set(key: Uint8Array, value: Uint8Array, options?: SetOptions): void;

  /** Removes `key`; says whether it was there. */
  delete(key: Uint8Array): boolean;

  /**
   * The entries whose key starts with `prefix`, all by default, in the order of their bytes; with `rest` from the key on that
   * is `prefix` and `rest` behind it.
   *
   * The store may be changed meanwhile: entries that this store deletes before they are reached are left out, entries added may be.
   */
  entries(
    prefix?: Uint8Array,
    rest?: Uint8Array,
  ): IterableIterator<StoreEntry>;

  /**
   * Runs `fn` so that either all its changes are made or, if it throws, none; gives what `fn` returns.
   *
   * @throws {TypeError} Inside another transaction, or if `fn` returns a promise.
   */
  transaction<T>(fn: () => T): T;

  /**
   * Removes the entries with `expiresAt <= now` and gives their number.
   *
   * Nothing else removes them: the store has no clock.
   */
  sweep(now: number): number;

  /** What is stored now, against the limits. */
  usage(): StoreUsage;

  /** Closes the store; may be called again. */
  [Symbol.dispose](): void;
}

/**
 * A view of `store` whose keys live apart from those of other namespaces.
 *
 * Transactions, limits, {@link Store.usage} and {@link Store.sweep} are those of the whole store, and disposing of the view leaves it open.
 *
 * @param name 1 to 64 of `a-z 0-9 . _ -`, such as `htx.replay`.
 * @throws {TypeError} If `name` is not of that form.
 */
export function namespace(store: Store, name: string): Store {
  if (!/^[a-z0-9._-]{1,64}$/.test(name)) {
    throw new TypeError(`Invalid namespace "${name}"`);
  }
  const prefix = utf8(`${name}\0`);
  const inside = (key: Uint8Array) => concat(prefix, checkKey(key));
  return {
    get: (key) => store.get(inside(key)),
    set: (key, value, options) => store.set(inside(key), value, options),
    delete: (key) => store.delete(inside(key)),
    *entries(wanted = new Uint8Array(), rest) {
      for (const entry of store.entries(concat(prefix, wanted), rest)) {
        yield { ...entry, key: entry.key.slice(prefix.length) };
      }
    },
    transaction: (fn) => store.transaction(fn),
    sweep: (now) => store.sweep(now),
    usage: () => store.usage(),
    [Symbol.dispose]() {},
  };
}

/** Gives `key` back if it is one. */
export function checkKey(key: Uint8Array): Uint8Array {
  if (key.length < 1 || key.length > MAX_KEY_BYTES) {
    throw new RangeError(
      `Key must have 1 to ${MAX_KEY_BYTES} bytes, got ${key.length}`,
    );
  }
  return key;
}

/** Gives the expiry of {@link SetOptions} back if it is one. */
export function checkExpiry(expiresAt: number | undefined): number | undefined {
  if (expiresAt === undefined || Number.isSafeInteger(expiresAt)) {
    return expiresAt;
  }
  throw new RangeError(`expiresAt must be an integer, got ${expiresAt}`);
}

/** Fills `limits` up with {@link STORE_LIMITS}. */
export function checkLimits(limits: StoreLimits): Required<StoreLimits> {
  const { maxEntries, maxBytes } = { ...STORE_LIMITS, ...limits };
  for (const [name, limit] of Object.entries({ maxEntries, maxBytes })) {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new RangeError(`${name} must be a whole number, got ${limit}`);
    }
  }
  return { maxEntries, maxBytes };
}

/** Throws unless `result`, what a transaction's function returned, is a plain value. */
export function checkResult(result: unknown): void {
  if (result instanceof Promise) {
    throw new TypeError("Transaction function must not return a promise");
  }
}
