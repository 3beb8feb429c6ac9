import type { Bytes } from "../../core/bytes/mod.ts";
import type { BundleEntry, Place } from "./bundle_entry.ts";

/** A bundle that is stored, and what is known of where. */
export interface StoredBundle {
  /** What is known of it. */
  readonly entry: BundleEntry;
  /** Where it is. */
  readonly place: Place;
  /** The key of its id. */
  readonly idKey: Bytes;
  /** Its bytes; absent where they are in a value of their own that was not read. */
  readonly bytes?: Uint8Array;
}

const MAX_BUNDLES = 8_192;
const MAX_BYTES = 32 * 1024 * 1024;

/** The bundles that were stored last, beside the disk, since most are sent on before they grow old. The oldest give way. */
export class RecentBundles {
  /** By id, the oldest first. */
  readonly #bundles = new Map<string, StoredBundle>();
  #bytes = 0;

  /** The bundle of that id, if it is recent. */
  get(id: string): StoredBundle | undefined {
    return this.#bundles.get(id);
  }

  /** Adds a bundle that is not here. */
  add(stored: StoredBundle): void {
    this.#bundles.set(stored.entry.id, stored);
    this.#bytes += stored.bytes?.length ?? 0;
    while (this.#bundles.size > MAX_BUNDLES || this.#bytes > MAX_BYTES) {
      const [oldest] = this.#bundles.keys();
      this.delete(oldest!);
    }
  }

  /** Forgets a bundle, if it is here. */
  delete(id: string): void {
    const stored = this.#bundles.get(id);
    if (!stored) return;
    this.#bundles.delete(id);
    this.#bytes -= stored.bytes?.length ?? 0;
  }

  /** Forgets all. */
  clear(): void {
    this.#bundles.clear();
    this.#bytes = 0;
  }
}
