import { Secret } from "../../core/crypto/mod.ts";
import { shortEpoch } from "./unwrap_batch.ts";

/** Own copies of the Sphinx keys of a few epochs, erased when they are replaced. */
export class EpochKeyTable {
  #keys = new Map<number, Secret>();

  /** Copies `keys`, and erases those before. */
  replace(keys: ReadonlyMap<number, Uint8Array>): void {
    for (const key of this.#keys.values()) key[Symbol.dispose]();
    this.#keys = new Map();
    for (const [epoch, key] of keys) {
      this.#keys.set(shortEpoch(epoch), new Secret(new Uint8Array(key)));
    }
  }

  /** The key of the epoch with these low 32 bits. */
  get(epoch: number): Uint8Array | undefined {
    return this.#keys.get(epoch)?.expose();
  }
}
