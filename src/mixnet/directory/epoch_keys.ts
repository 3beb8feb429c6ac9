import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import { type CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";

/** Options of {@link EpochKeys}. */
export interface EpochKeysOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Keeps the keys over restarts. */
  readonly store: Store;
  /** How many epochs ahead keys are made and published; 2 by default. */
  readonly ahead?: number;
}

const NAMESPACE = "mixnet.epoch_keys";
const KEY_LENGTH = 32;

/**
 * A node's Sphinx keys: one an epoch, made ahead so that it can be published before it is used, and erased when the epoch
 * after its own is over, after which no packet of it can be opened any more.
 *
 * Erasing deletes the store's entry and wipes our copy; what the disk keeps of deleted entries is the disk's.
 */
export class EpochKeys implements Disposable {
  readonly #crypto: CryptoProvider;
  readonly #store: Store;
  readonly #ahead: number;
  readonly #keys = new Map<number, { secret: Secret; publicKey: Bytes }>();
  #epoch = 0;

  /**
   * Reads the keys in the store.
   *
   * @throws {RangeError} If an entry is no key.
   */
  constructor({ crypto, store, ahead = 2 }: EpochKeysOptions) {
    this.#crypto = crypto;
    this.#store = namespace(store, NAMESPACE);
    this.#ahead = ahead;
    for (const { key, value } of this.#store.entries()) {
      if (value.length !== KEY_LENGTH) throw new RangeError("Not an epoch key");
      this.#keep(Number(new TextDecoder().decode(key)), value);
    }
  }

  /** Makes the keys from the epoch before `epoch` to those ahead of it, as far as they are missing, and erases older ones. */
  advance(epoch: number): void {
    this.#epoch = epoch;
    this.#store.transaction(() => {
      for (const old of [...this.#keys.keys()]) {
        if (old < epoch - 1) this.#erase(old);
      }
      for (let next = epoch; next <= epoch + this.#ahead; next++) {
        if (this.#keys.has(next)) continue;
        const key = this.#crypto.random(KEY_LENGTH);
        this.#store.set(nameOf(next), key);
        this.#keep(next, key);
      }
    });
  }

  /** The private key of `epoch` if packets of it are taken now: of the epoch before, this one and the next. */
  keyFor(epoch: number): Secret | undefined {
    return Math.abs(epoch - this.#epoch) <= 1
      ? this.#keys.get(epoch)?.secret
      : undefined;
  }

  /** What to publish: the public keys of this epoch and those ahead. */
  get publicKeys(): ReadonlyMap<number, Bytes> {
    return new Map(
      [...this.#keys].filter(([epoch]) => epoch >= this.#epoch)
        .sort(([a], [b]) => a - b)
        .map(([epoch, { publicKey }]) => [epoch, publicKey]),
    );
  }

  /** Wipes our copies; the store keeps its own. */
  [Symbol.dispose](): void {
    for (const { secret } of this.#keys.values()) secret[Symbol.dispose]();
    this.#keys.clear();
  }

  #keep(epoch: number, key: Bytes): void {
    const publicKey = this.#crypto.x25519.publicKey(key);
    this.#keys.set(epoch, { secret: new Secret(key), publicKey });
  }

  #erase(epoch: number): void {
    this.#store.delete(nameOf(epoch));
    this.#keys.get(epoch)?.secret[Symbol.dispose]();
    this.#keys.delete(epoch);
  }
}

function nameOf(epoch: number): Bytes {
  return utf8(String(epoch));
}
