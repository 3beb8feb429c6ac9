import {
  type Bytes,
  concat,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  type Secret,
} from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import {
  type BundleEntry,
  decodeEntry,
  encodeEntry,
  type Place,
  type Priority,
} from "./bundle_entry.ts";
import type { StoredBundle } from "./recent_bundles.ts";
import { plainValues, sealedValues, type ValueForm } from "./sealed_values.ts";
import {
  bundleKey,
  destinationKey,
  entryKey,
  expiryKey,
  GONE,
  idValue,
  KEY,
  placeIn,
  priorityOf,
  rankOf,
  u48,
} from "./store_keys.ts";

/** What a bundle store counts, by class where there are three. */
export interface RowTotals {
  /** The next bundle's. */
  readonly nextSequence: number;
  /** Ids of bundles that are gone. */
  readonly known: number;
  /** Bulk, normal, expedited. */
  readonly bundles: readonly [number, number, number];
  /** Bulk, normal, expedited. */
  readonly bytes: readonly [number, number, number];
}

/** Where a bundle is that is to go, and the key that says when. */
export interface DueRow {
  readonly place: Place;
  readonly key: Bytes;
}

const NOTHING = new Uint8Array(0);
const INLINE_BYTES = 4_096;
const TAG_LENGTH = 16;
const DESTINATION_TAG_LENGTH = 8;
const MAX_TAGS = 1_024;

/** Bundles as rows of a `Store`, laid out as `store_keys.ts` says, in clear or sealed. It decides nothing. */
export class BundleRows implements Disposable {
  readonly #store: Store;
  readonly #values: ValueForm;
  /** Of destinations. */
  readonly #tags = new Map<string, Bytes>();
  /** Whether the store says that it is sealed, or in clear. */
  #isMarked: boolean;
  #damaged = 0;

  /**
   * Takes up what `store` holds.
   *
   * @throws {DecodeError} If it holds something else, or is sealed and there is no secret, or there is one and it is not.
   * @throws {CryptoError} If it is sealed with another secret.
   */
  constructor(store: Store, crypto: CryptoProvider, secret?: Secret) {
    this.#store = store;
    this.#values = secret ? sealedValues(crypto, secret) : plainValues(crypto);
    this.#isMarked = this.#checkForm();
  }

  /** How often what the disk has damaged was passed over. */
  get damaged(): number {
    return this.#damaged;
  }

  /** The key of a bundle's id. */
  idKey(id: string): Bytes {
    return concat(KEY.id, this.#values.tag(id, TAG_LENGTH));
  }

  /** Whether the bundle with that key is here, or gone and known. */
  knows(idKey: Bytes): boolean {
    return this.#store.get(idKey) !== undefined;
  }

  /** The bundle with that key, if it is here. */
  find(idKey: Bytes): StoredBundle | undefined {
    const value = this.#store.get(idKey);
    if (!value) return undefined;
    const reader = new Reader(value, "bundle id");
    u48(reader);
    const place = placeIn(reader.rest());
    return place.rank === GONE ? undefined : this.at(place);
  }

  /** The bundle at a place; its bytes are absent if they are long. */
  at(place: Place): StoredBundle | undefined {
    const key = entryKey(place);
    const value = this.#store.get(key);
    return value && this.#decode(key, value, place);
  }

  /** The bytes at a place, where they are long. */
  bytes(place: Place): Bytes | undefined {
    const key = bundleKey(place);
    const value = this.#store.get(key);
    return value && this.#unlessDamaged(() => this.#values.open(key, value));
  }

  /** Bundles by class, expedited first, then in the order in which they came; from a place on. */
  *all(from?: Place): IterableIterator<StoredBundle> {
    const rest = from && entryKey(from).subarray(KEY.entry.length);
    for (const { key, value } of this.#store.entries(KEY.entry, rest)) {
      const place = placeIn(key.subarray(KEY.entry.length));
      const stored = this.#decode(key, value, place);
      if (stored) yield stored;
    }
  }

  /** As {@link all}, of one destination. */
  *of(destination: string): IterableIterator<StoredBundle> {
    const prefix = concat(KEY.to, this.#tagOf(destination));
    for (const { key } of this.#store.entries(prefix)) {
      const stored = this.at(placeIn(key.subarray(prefix.length)));
      // Two destinations may have one tag.
      if (stored?.entry.destination === destination) yield stored;
    }
  }

  /** Where the oldest bundle of a class is. */
  oldest(priority: Priority): Place | undefined {
    const prefix = Uint8Array.of(...KEY.entry, rankOf(priority));
    for (const { key } of this.#store.entries(prefix)) {
      return placeIn(key.subarray(KEY.entry.length));
    }
  }

  /** The first bundles to expire, if that is by `nowMs`; `maxCount` at most. */
  due(nowMs: number, maxCount: number): readonly DueRow[] {
    const due: DueRow[] = [];
    for (const { key } of this.#store.entries(KEY.by)) {
      const reader = new Reader(key.subarray(KEY.by.length), "expiry key");
      if (u48(reader) > nowMs || due.length >= maxCount) break;
      due.push({ place: placeIn(reader.rest()), key });
    }
    return due;
  }

  /** Writes a bundle that is not known. */
  add({ entry, place, idKey, bytes }: Required<StoredBundle>): void {
    const isInline = bytes.length <= INLINE_BYTES;
    this.#write(
      entryKey(place),
      encodeEntry(entry, isInline ? bytes : undefined),
    );
    if (!isInline) this.#write(bundleKey(place), bytes);
    this.#store.set(idKey, idValue(entry.expiresMs, place));
    this.#store.set(this.#toKey(entry, place), NOTHING);
    this.#store.set(expiryKey(entry.expiresMs, place), NOTHING);
  }

  /** Removes a bundle, which stays known until it expires if `isKnown`. */
  remove(
    { entry, place, idKey, bytes }: StoredBundle,
    isKnown: boolean,
  ): void {
    const { expiresMs } = entry;
    this.#store.delete(entryKey(place));
    if (!bytes || bytes.length > INLINE_BYTES) {
      this.#store.delete(bundleKey(place));
    }
    this.#store.delete(this.#toKey(entry, place));
    this.#store.delete(expiryKey(expiresMs, place));
    if (isKnown) {
      const gone = idValue(expiresMs, { rank: GONE, sequence: 0 });
      this.#store.set(idKey, gone, { expiresAt: expiresMs });
    } else this.#store.delete(idKey);
  }

  /** Removes what the disk has damaged: its id and destination are lost, and stay. */
  removeDamaged({ place, key }: DueRow): void {
    for (const each of [entryKey(place), bundleKey(place), key]) {
      this.#store.delete(each);
    }
  }

  /** Forgets ids of bundles that are gone and have expired, and says how many. */
  forget(nowMs: number): number {
    return this.#store.sweep(nowMs);
  }

  /** What was counted at the last change; nothing if there was none. */
  totals(): RowTotals {
    const value = this.#store.get(KEY.totals);
    const reader = value && new Reader(value, "bundle store");
    const next = () => reader?.varint() ?? 0;
    return {
      nextSequence: reader?.varint() ?? 1,
      known: next(),
      bundles: [next(), next(), next()],
      bytes: [next(), next(), next()],
    };
  }

  /** Makes all of `change` and writes the totals after it, or none of it. */
  change<T>(change: () => T, totals: () => RowTotals): T {
    const changed = this.#store.transaction(() => {
      const result = change();
      if (!this.#isMarked) this.#write(KEY.mark, NOTHING);
      this.#store.set(KEY.totals, encodeTotals(totals()));
      return result;
    });
    this.#isMarked = true;
    return changed;
  }

  /** Lets go of its keys; the store stays open. */
  [Symbol.dispose](): void {
    this.#values[Symbol.dispose]();
  }

  #decode(
    key: Uint8Array,
    value: Bytes,
    place: Place,
  ): StoredBundle | undefined {
    const decoded = this.#unlessDamaged(() =>
      decodeEntry(this.#values.open(key, value), priorityOf(place.rank))
    );
    if (!decoded) return undefined;
    const { entry, inline } = decoded;
    const idKey = this.idKey(entry.id);
    return { entry, place, idKey, ...inline && { bytes: inline } };
  }

  /** What the disk has damaged must not stand in the way of what it has not. */
  #unlessDamaged<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof CryptoError)) {
        throw error;
      }
      this.#damaged++;
      return undefined;
    }
  }

  /** Says whether the store has a mark, which only what sealed it opens. */
  #checkForm(): boolean {
    const mark = this.#store.get(KEY.mark);
    if (!mark) return this.#store.get(KEY.totals) !== undefined;
    if (this.#values.open(KEY.mark, mark).length === 0) return true;
    throw new DecodeError("bundle store", "it is sealed");
  }

  #write(key: Bytes, value: Uint8Array): void {
    this.#store.set(key, this.#values.seal(key, value));
  }

  #toKey({ destination }: BundleEntry, place: Place): Bytes {
    return destinationKey(this.#tagOf(destination), place);
  }

  #tagOf(destination: string): Bytes {
    const known = this.#tags.get(destination);
    if (known) return known;
    const tag = this.#values.tag(destination, DESTINATION_TAG_LENGTH);
    if (this.#tags.size >= MAX_TAGS) this.#tags.clear();
    this.#tags.set(destination, tag);
    return tag;
  }
}

function encodeTotals(totals: RowTotals): Bytes {
  const { nextSequence, known, bundles, bytes } = totals;
  const writer = new Writer().varint(nextSequence).varint(known);
  for (const n of [...bundles, ...bytes]) writer.varint(n);
  return writer.finish();
}
