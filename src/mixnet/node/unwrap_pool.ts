import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { EpochKeyTable } from "./epoch_key_table.ts";
import type { UnwrapBatch } from "./unwrap_batch.ts";

/** Where packets are unwrapped. */
export interface UnwrapPool extends Disposable {
  /** Most batches in hand at once; a caller that has given so many waits for one. */
  readonly capacity: number;
  /** Name of the cryptographic provider in use. */
  readonly provider: string;
  /**
   * Gives the private keys, 32 bytes each, by epoch, in place of those before, which are erased. Batches given before are unwrapped
   * with the keys before.
   */
  setKeys(keys: ReadonlyMap<number, Uint8Array>): void;
  /**
   * Unwraps a batch, which is the pool's until then.
   *
   * @returns The same packets, in this batch or another over the same buffer.
   * @throws {Error} If the worker that had the batch failed; its packets are lost.
   */
  unwrap(batch: UnwrapBatch): Promise<UnwrapBatch>;
}

/** Unwraps where it is called, one batch at a time. */
export class LocalUnwrapPool implements UnwrapPool {
  /** 1. */
  readonly capacity = 1;
  readonly #crypto: CryptoProvider;
  readonly #keys = new EpochKeyTable();

  /** Starts without keys. */
  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  /** Name of the provider. */
  get provider(): string {
    return this.#crypto.name;
  }

  /** Replaces the keys. */
  setKeys(keys: ReadonlyMap<number, Uint8Array>): void {
    this.#keys.replace(keys);
  }

  /** Unwraps a batch before it returns. */
  unwrap(batch: UnwrapBatch): Promise<UnwrapBatch> {
    batch.unwrap(this.#crypto, (epoch) => this.#keys.get(epoch));
    return Promise.resolve(batch);
  }

  /** Erases the keys. */
  [Symbol.dispose](): void {
    this.#keys.replace(new Map());
  }
}
