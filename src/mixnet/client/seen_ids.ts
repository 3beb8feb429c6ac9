import { type Bytes, concat, Reader, Writer } from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";

const KEY = Uint8Array.of("s".charCodeAt(0));

/** Ids of messages that were given to the application, so that a copy is not given again; kept in a {@link Store}. */
export class SeenIds {
  readonly #store: Store;
  readonly #capacity: number;
  readonly #keepMs: number;
  /** When each may be forgotten, in milliseconds since 1970; the oldest first. */
  readonly #expiries = new Map<string, number>();
  #evicted = 0;

  /** Takes what the store holds; keeps an id for `keepMs`, and at most `capacity` of them, the newest. */
  constructor(store: Store, capacity: number, keepMs: number) {
    this.#store = store;
    this.#capacity = capacity;
    this.#keepMs = keepMs;
    const entries = [...store.entries(KEY)].map(({ key, value }) => ({
      hex: key.subarray(KEY.length).toHex(),
      expiresMs: Number(new Reader(value, "seen id").u64()),
    }));
    entries.sort((a, b) => a.expiresMs - b.expiresMs);
    for (const { hex, expiresMs } of entries) {
      this.#expiries.set(hex, expiresMs);
    }
  }

  /** How many were forgotten before their time because there were too many. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Whether `id` was added and is kept yet. */
  has(id: Bytes): boolean {
    return this.#expiries.has(id.toHex());
  }

  /** Adds `id`, within a transaction of the store if the caller began one. */
  add(id: Bytes, wallMs: number): void {
    const expiresMs = Math.ceil(wallMs + this.#keepMs);
    this.#expiries.set(id.toHex(), expiresMs);
    if (this.#expiries.size > this.#capacity) {
      const [oldest] = this.#expiries.keys();
      this.#forget(oldest!);
      this.#evicted++;
    }
    try {
      this.#store.set(
        concat(KEY, id),
        new Writer(8).u64(BigInt(expiresMs)).finish(),
      );
    } catch (error) {
      if (!(error instanceof StorageError && error.code === "full")) {
        throw error;
      }
    }
  }

  /** Forgets those whose time is over. */
  tick(wallMs: number): void {
    for (const [hex, expiresMs] of this.#expiries) {
      if (expiresMs > wallMs) return;
      this.#forget(hex);
    }
  }

  #forget(hex: string): void {
    this.#expiries.delete(hex);
    this.#store.delete(concat(KEY, Uint8Array.fromHex(hex)));
  }
}
