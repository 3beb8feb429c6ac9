import {
  type Bytes,
  concat,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";

/** Bounds of {@link SeenIds}. */
export interface SeenIdsOptions {
  /** Keeps them. */
  readonly store: Store;
  /** One character, with which their keys in the store begin. */
  readonly prefix: string;
  /** Most ids kept; beyond, the oldest is forgotten and counted. */
  readonly capacity: number;
  /** How long each is kept, in milliseconds. */
  readonly keepMs: number;
}

/** Ids of 16 bytes that were used up: of messages that the application has, so that a copy is not given again, and of SURBs. */
export class SeenIds {
  readonly #options: SeenIdsOptions;
  readonly #prefix: Bytes;
  /** When each may be forgotten, in milliseconds since 1970; the oldest first. */
  readonly #expiries = new Map<string, number>();
  #evicted = 0;

  /** Takes what the store holds. */
  constructor(options: SeenIdsOptions) {
    this.#options = options;
    this.#prefix = utf8(options.prefix);
    const entries = [...options.store.entries(this.#prefix)]
      .map(({ key, value }) => ({
        hex: key.subarray(this.#prefix.length).toHex(),
        expiresMs: Number(new Reader(value, "seen id").u64()),
      }));
    entries.sort((a, b) => a.expiresMs - b.expiresMs);
    for (const { hex, expiresMs } of entries) {
      this.#expiries.set(hex, expiresMs);
    }
    this.#trim();
  }

  /** How many were forgotten before their time because there were too many. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Whether `id` was added and is kept yet. */
  has(id: Uint8Array): boolean {
    return this.#expiries.has(id.toHex());
  }

  /** Adds `id`, within a transaction of the store if the caller began one; in memory only while the store is full. */
  add(id: Uint8Array, wallMs: number): void {
    const { store, keepMs } = this.#options;
    const expiresMs = Math.ceil(wallMs + keepMs);
    const hex = id.toHex();
    this.#expiries.delete(hex);
    this.#expiries.set(hex, expiresMs);
    this.#trim();
    try {
      store.set(
        concat(this.#prefix, id),
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

  #trim(): void {
    for (const hex of this.#expiries.keys()) {
      if (this.#expiries.size <= this.#options.capacity) return;
      this.#forget(hex);
      this.#evicted++;
    }
  }

  #forget(hex: string): void {
    this.#expiries.delete(hex);
    this.#options.store.delete(concat(this.#prefix, Uint8Array.fromHex(hex)));
  }
}
