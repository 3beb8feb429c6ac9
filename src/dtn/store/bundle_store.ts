/**
 * Bundles in a `Store` of their own; `store_keys.ts` has its layout. Nothing is read at the start but the totals.
 *
 * @module
 */
import { type Clock, systemClock } from "../../core/async/mod.ts";
import { type Bytes, concat, Reader, Writer } from "../../core/bytes/mod.ts";
import type { CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import {
  type BundleEntry,
  decodeEntry,
  encodeEntry,
  type Priority,
  type StoredEntry,
} from "./bundle_entry.ts";
import { plainValues, sealedValues, type ValueForm } from "./sealed_values.ts";
import {
  bundleKey,
  entryKey,
  expiryKey,
  GONE,
  idValue,
  KEY,
  type Place,
  placeBytes,
  placeIn,
  priorityOf,
  rankOf,
  u48,
} from "./store_keys.ts";
import {
  BUNDLE_STORE_LIMITS,
  type BundleStoreLimits,
  refusalOf,
  type StoreRefusal,
} from "./store_limits.ts";

/** Options of {@link BundleStore}. */
export interface BundleStoreOptions {
  /** Keeps everything; for these bundles alone, with limits above ours. */
  readonly store: Store;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Encrypts what is stored, 32 bytes; in clear by default. */
  readonly secret?: Secret;
  /** Bounds; {@link BUNDLE_STORE_LIMITS} by default. */
  readonly limits?: Partial<BundleStoreLimits>;
  /** Whether the oldest bundles of the lowest class give way to those of higher classes; they are refused by default. */
  readonly evicts?: boolean;
  /** Hears of bundles that gave way. */
  readonly onEvicted?: (entry: BundleEntry) => void;
  /** Time. */
  readonly clock?: Clock;
}

/** What became of a bundle that was to be stored. */
export type PutOutcome = "stored" | "known" | StoreRefusal;

interface Waiting extends PromiseWithResolvers<PutOutcome> {
  readonly entry: BundleEntry;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const INLINE_BYTES = 4_096;
const TAG_LENGTH = 16;
const DESTINATION_TAG_LENGTH = 8;
/** What is committed together at most. */
const GROUP = { bundles: 256, bytes: 4 * 1024 * 1024 } as const;
const SWEEP_AT_ONCE = 1_024;
const FORGET_EVERY_MS = 60_000;

/**
 * Keeps bundles until they are deleted or expire, and knows those that are gone, so that none is taken twice.
 *
 * What {@link put} said `stored` to is as lasting as the store is: with SQLite it outlives the death of the process. Bundles that are
 * put in one turn of the event loop are committed together.
 */
export class BundleStore implements Disposable {
  readonly #store: Store;
  readonly #values: ValueForm;
  readonly #limits: BundleStoreLimits;
  readonly #options: BundleStoreOptions;
  readonly #clock: Clock;
  readonly #bundles: [number, number, number] = [0, 0, 0];
  readonly #bytes: [number, number, number] = [0, 0, 0];
  #known = 0;
  #forgotten = 0;
  #nextSequence = 1;
  #sweptMs = -Infinity;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Bundles that the next commit removes; they count as gone. */
  #deleting = new Map<string, PromiseWithResolvers<void>>();
  #cancelCommit: (() => void) | undefined;
  #isClosed = false;

  /**
   * Takes up what `store` holds.
   *
   * @throws {DecodeError} If it holds something else.
   */
  constructor(options: BundleStoreOptions) {
    const { store, crypto, secret, limits, clock = systemClock } = options;
    this.#options = options;
    this.#store = store;
    this.#clock = clock;
    this.#limits = { ...BUNDLE_STORE_LIMITS, ...limits };
    this.#values = secret ? sealedValues(crypto, secret) : plainValues(crypto);
    this.#readTotals();
  }

  /** Bundles held and their bytes, ids of those gone that are known, and how many of these were forgotten for want of room. */
  get usage(): {
    readonly bundles: number;
    readonly bytes: number;
    readonly known: number;
    readonly forgotten: number;
  } {
    const total = (counts: readonly number[]) =>
      counts.reduce((sum, count) => sum + count, 0);
    return {
      bundles: total(this.#bundles),
      bytes: total(this.#bytes),
      known: this.#known,
      forgotten: this.#forgotten,
    };
  }

  /**
   * Stores a bundle; resolves once it is stored, or with the reason why it is not.
   *
   * @throws {StorageError} If the disk fails.
   */
  put(entry: BundleEntry, bytes: Uint8Array): Promise<PutOutcome> {
    const waiting: Waiting = {
      ...Promise.withResolvers<PutOutcome>(),
      entry,
      bytes,
    };
    this.#waiting.push(waiting);
    this.#waitingBytes += bytes.length;
    const isMuch = this.#waiting.length >= GROUP.bundles ||
      this.#waitingBytes >= GROUP.bytes;
    this.#commitSoon(isMuch);
    return waiting.promise;
  }

  /** Commits what was put and is to be deleted, at once. */
  commit(): void {
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
    this.#commitDeletes();
    const group = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (group.length === 0) return;
    try {
      const outcomes = this.#change(() => group.map((each) => this.#put(each)));
      group.forEach(({ resolve }, i) => resolve(outcomes[i]!));
    } catch (error) {
      if (group.length > 1) {
        // One that does not fit must not take the others with it.
        for (const each of group) {
          this.#waiting = [each];
          this.commit();
        }
        return;
      }
      if (error instanceof StorageError && error.code === "full") {
        group[0]!.resolve("full");
      } else group[0]!.reject(error);
    }
  }

  /** Whether the bundle is here, or was and has not expired. */
  knows(id: string): boolean {
    return this.#store.get(this.#idKey(id)) !== undefined;
  }

  /** What is known of a bundle that is here. */
  entry(id: string): BundleEntry | undefined {
    const place = this.#placeHere(id);
    return place && this.#read(place)?.entry;
  }

  /** The bundle, if it is here. */
  bytes(id: string): Bytes | undefined {
    const place = this.#placeHere(id);
    const stored = place && this.#read(place);
    if (!stored) return undefined;
    if (stored.inline) return new Uint8Array(stored.inline);
    const key = bundleKey(place);
    const value = this.#store.get(key);
    return value && this.#values.open(key, value);
  }

  /** Removes a bundle; it stays known until it expires. Says whether it was here. */
  delete(id: string): boolean {
    const place = this.#placeHere(id);
    if (!place) return false;
    return this.#change(() => this.#remove(place, true)) !== undefined;
  }

  /**
   * Removes a bundle at once, as {@link delete} does, but commits it with others; resolves once it would not be back after the death of
   * the process.
   *
   * @throws {StorageError} If the disk fails: the bundle is here again.
   */
  deleteSoon(id: string): Promise<void> {
    const known = this.#deleting.get(id);
    if (known || !this.#placeOf(id)) return known?.promise ?? Promise.resolve();
    const deleting = Promise.withResolvers<void>();
    this.#deleting.set(id, deleting);
    this.#commitSoon(this.#deleting.size >= GROUP.bundles);
    return deleting.promise;
  }

  /** Entries by class, expedited first, then in the order in which they came; of one destination, or all. */
  *entries(destination?: string): IterableIterator<BundleEntry> {
    const prefix = destination === undefined
      ? KEY.entry
      : concat(KEY.to, this.#values.tag(destination, DESTINATION_TAG_LENGTH));
    for (const { key, value } of this.#store.entries(prefix)) {
      const place = placeIn(key.subarray(prefix.length));
      const found = destination === undefined
        ? this.#decode(key, value, place)
        : this.#read(place);
      // Two destinations may have one tag.
      if (
        !found ||
        found.entry.destination !== (destination ?? found.entry.destination) ||
        this.#deleting.has(found.entry.id)
      ) {
        continue;
      }
      yield found.entry;
    }
  }

  /**
   * Removes bundles that have expired by `nowMs`, and gives them: 1,024 at most, so that a caller asks again. Ids of bundles that are
   * gone are forgotten with them, and once a minute.
   */
  sweep(nowMs: number): readonly BundleEntry[] {
    this.#commitDeletes();
    const due: Place[] = [];
    for (const { key } of this.#store.entries(KEY.by)) {
      const reader = new Reader(key.subarray(KEY.by.length), "expiry key");
      if (u48(reader) > nowMs || due.length >= SWEEP_AT_ONCE) break;
      due.push(placeIn(reader.rest()));
    }
    const isRecent = Math.abs(nowMs - this.#sweptMs) < FORGET_EVERY_MS;
    if (due.length === 0 && isRecent) return [];
    this.#sweptMs = nowMs;
    return this.#change(() => {
      this.#known -= this.#store.sweep(nowMs);
      return due.flatMap((place) => this.#remove(place, false) ?? []);
    });
  }

  /** Commits what was put and deleted; the store stays open. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.commit();
    this.#values[Symbol.dispose]();
  }

  #commitSoon(isMuch: boolean): void {
    if (isMuch) this.commit();
    else this.#cancelCommit ??= this.#clock.setTimeout(() => this.commit(), 0);
  }

  #commitDeletes(): void {
    const group = [...this.#deleting];
    this.#deleting.clear();
    if (group.length === 0) return;
    const remove = (some: typeof group) => {
      this.#change(() => {
        for (const [id] of some) {
          const place = this.#placeOf(id);
          if (place) this.#remove(place, true);
        }
      });
      for (const [, { resolve }] of some) resolve();
    };
    try {
      remove(group);
    } catch {
      for (const each of group) {
        try {
          remove([each]);
        } catch (error) {
          each[1].reject(error);
        }
      }
    }
  }

  #put({ entry, bytes }: Waiting): PutOutcome {
    const { size, priority, id, expiresMs } = entry;
    const idKey = this.#idKey(id);
    if (this.#store.get(idKey)) return "known";
    if (expiresMs <= this.#clock.wallTime()) return "expired";
    if (size > this.#limits.maxBundleBytes) return "too_large";
    const refusal = this.#makeRoom(size, priority);
    if (refusal) return refusal;
    const place = { rank: rankOf(priority), sequence: this.#nextSequence++ };
    const isInline = bytes.length <= INLINE_BYTES;
    this.#write(
      entryKey(place),
      encodeEntry(entry, isInline ? bytes : undefined),
    );
    if (!isInline) {
      this.#write(bundleKey(place), bytes);
    }
    this.#store.set(idKey, idValue(expiresMs, place));
    this.#store.set(this.#destinationKey(entry.destination, place), NOTHING);
    this.#store.set(expiryKey(expiresMs, place), NOTHING);
    this.#bundles[priority]++;
    this.#bytes[priority] += size;
    return "stored";
  }

  #makeRoom(size: number, priority: Priority): StoreRefusal | undefined {
    for (;;) {
      const totals = { bundles: this.#bundles, bytes: this.#bytes };
      const refusal = refusalOf(totals, { size, priority }, this.#limits);
      if (!refusal || !this.#options.evicts || refusal !== "full") {
        return refusal;
      }
      const place = this.#lowestBelow(priority);
      const evicted = place && this.#remove(place, true);
      if (!evicted) return refusal;
      this.#options.onEvicted?.(evicted);
    }
  }

  /** The oldest bundle of the lowest class below `priority`. */
  #lowestBelow(priority: Priority): Place | undefined {
    for (let lower = 0; lower < priority; lower++) {
      const prefix = Uint8Array.of(...KEY.entry, rankOf(lower as Priority));
      for (const { key } of this.#store.entries(prefix)) {
        return placeIn(key.subarray(KEY.entry.length));
      }
    }
  }

  #remove(place: Place, isKnown: boolean): BundleEntry | undefined {
    const stored = this.#read(place);
    if (!stored) return undefined;
    const { entry, inline } = stored;
    const { id, destination, expiresMs, priority, size } = entry;
    this.#store.delete(entryKey(place));
    if (!inline) {
      this.#store.delete(bundleKey(place));
    }
    this.#store.delete(this.#destinationKey(destination, place));
    this.#store.delete(expiryKey(expiresMs, place));
    this.#bundles[priority]--;
    this.#bytes[priority] -= size;
    const idKey = this.#idKey(id);
    if (isKnown && this.#known < this.#limits.maxKnown) {
      const gone = idValue(expiresMs, { rank: GONE, sequence: 0 });
      this.#store.set(idKey, gone, { expiresAt: expiresMs });
      this.#known++;
    } else {
      this.#store.delete(idKey);
      if (isKnown) this.#forgotten++;
    }
    return entry;
  }

  #read(place: Place): StoredEntry | undefined {
    const key = entryKey(place);
    const value = this.#store.get(key);
    return value && this.#decode(key, value, place);
  }

  #decode(key: Uint8Array, value: Bytes, { rank }: Place): StoredEntry {
    return decodeEntry(this.#values.open(key, value), priorityOf(rank));
  }

  #write(key: Bytes, value: Uint8Array): void {
    this.#store.set(key, this.#values.seal(key, value));
  }

  /** Where a bundle is that is not about to be deleted. */
  #placeHere(id: string): Place | undefined {
    return this.#deleting.has(id) ? undefined : this.#placeOf(id);
  }

  #placeOf(id: string): Place | undefined {
    const value = this.#store.get(this.#idKey(id));
    if (!value) return undefined;
    const reader = new Reader(value, "bundle id");
    u48(reader);
    const place = placeIn(reader.rest());
    return place.rank === GONE ? undefined : place;
  }

  #idKey(id: string): Bytes {
    return concat(KEY.id, this.#values.tag(id, TAG_LENGTH));
  }

  #destinationKey(destination: string, place: Place): Bytes {
    const tag = this.#values.tag(destination, DESTINATION_TAG_LENGTH);
    return concat(KEY.to, tag, placeBytes(place));
  }

  /** Runs `change` and writes the totals that it leaves, or undoes all of it. */
  #change<T>(change: () => T): T {
    try {
      return this.#store.transaction(() => {
        const result = change();
        this.#store.set(KEY.totals, this.#totals());
        return result;
      });
    } catch (error) {
      this.#readTotals();
      throw error;
    }
  }

  #totals(): Bytes {
    const writer = new Writer().varint(this.#nextSequence).varint(this.#known);
    for (const n of [...this.#bundles, ...this.#bytes]) writer.varint(n);
    return writer.finish();
  }

  #readTotals(): void {
    const value = this.#store.get(KEY.totals);
    const reader = value && new Reader(value, "bundle store");
    this.#nextSequence = reader?.varint() ?? 1;
    this.#known = reader?.varint() ?? 0;
    for (const counts of [this.#bundles, this.#bytes]) {
      for (let i = 0; i < 3; i++) counts[i] = reader?.varint() ?? 0;
    }
  }
}
