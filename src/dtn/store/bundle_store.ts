/**
 * Bundles in a `Store` of their own; `store_keys.ts` has its layout. Nothing is read at the start but the totals.
 *
 * @module
 */
import { type Clock, systemClock } from "../../core/async/mod.ts";
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
import { StorageError, type Store } from "../../core/storage/mod.ts";
import {
  type BundleEntry,
  decodeEntry,
  encodeEntry,
  type Place,
  type Priority,
} from "./bundle_entry.ts";
import { RecentBundles, type StoredBundle } from "./recent_bundles.ts";
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
  /** Hears of bundles that give way, while they are here. */
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
/** How long a bundle that is to be deleted waits for others at most. */
const DELETE_SOON_MS = 10;
const MAX_TAGS = 1_024;

/**
 * Keeps bundles until they are deleted or expire, and knows those that are gone, so that none is taken twice.
 *
 * What {@link put} said `stored` to is as lasting as the store is: with SQLite it outlives the death of the process. Bundles that are
 * put in one turn of the event loop are committed together. The latest are in memory besides.
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
  #damaged = 0;
  /** Whether the store says that it is sealed, or in clear. */
  #isMarked: boolean;
  #nextSequence = 1;
  #sweptMs = -Infinity;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Bundles that the next commit removes; they count as gone. */
  #deleting = new Map<string, PromiseWithResolvers<void>>();
  readonly #recent = new RecentBundles();
  /** Of destinations. */
  readonly #tags = new Map<string, Bytes>();
  #cancelCommit: (() => void) | undefined;
  #cancelDeletes: (() => void) | undefined;
  #isClosed = false;

  /**
   * Takes up what `store` holds.
   *
   * @throws {DecodeError} If it holds something else, or is sealed and there is no secret, or there is one and it is not.
   * @throws {CryptoError} If it is sealed with another secret.
   */
  constructor(options: BundleStoreOptions) {
    const { store, crypto, secret, limits, clock = systemClock } = options;
    this.#options = options;
    this.#store = store;
    this.#clock = clock;
    this.#limits = { ...BUNDLE_STORE_LIMITS, ...limits };
    this.#values = secret ? sealedValues(crypto, secret) : plainValues(crypto);
    this.#isMarked = this.#checkForm();
    this.#readTotals();
  }

  /**
   * Bundles held and their bytes, ids of those gone that are known, how many of these were forgotten for want of room, and how often what
   * the disk has damaged was passed over.
   */
  get usage(): {
    readonly bundles: number;
    readonly bytes: number;
    readonly known: number;
    readonly forgotten: number;
    readonly damaged: number;
  } {
    const total = (counts: readonly number[]) =>
      counts.reduce((sum, count) => sum + count, 0);
    return {
      bundles: total(this.#bundles),
      bytes: total(this.#bytes),
      known: this.#known,
      forgotten: this.#forgotten,
      damaged: this.#damaged,
    };
  }

  /**
   * Stores a bundle, whose bytes must stay as they are; resolves once it is stored, or with the reason why it is not.
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
    this.#cancelDeletes?.();
    this.#cancelCommit = this.#cancelDeletes = undefined;
    const [deleting, waiting] = [this.#deleting, this.#waiting];
    if (deleting.size + waiting.length === 0) return;
    this.#deleting = new Map();
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      const outcomes = this.#change(() => {
        for (const id of deleting.keys()) this.#removeKnown(id);
        return waiting.map((each) => this.#put(each));
      });
      for (const { resolve } of deleting.values()) resolve();
      waiting.forEach(({ resolve }, i) => resolve(outcomes[i]!));
    } catch {
      this.#commitOneByOne(deleting, waiting);
    }
  }

  /** Whether the bundle is here, or was and has not expired. */
  knows(id: string): boolean {
    return this.#recent.get(id) !== undefined ||
      this.#store.get(this.#idKey(id)) !== undefined;
  }

  /** What is known of a bundle that is here. */
  entry(id: string): BundleEntry | undefined {
    return this.#here(id)?.entry;
  }

  /** The bundle, if it is here: nobody may change its bytes. */
  bytes(id: string): Uint8Array | undefined {
    const stored = this.#here(id);
    if (!stored || stored.bytes) return stored?.bytes;
    const key = bundleKey(stored.place);
    const value = this.#store.get(key);
    return value && this.#unlessDamaged(() => this.#values.open(key, value));
  }

  /** Removes a bundle; it stays known until it expires. Says whether it was here. */
  delete(id: string): boolean {
    if (!this.#here(id)) return false;
    this.#change(() => this.#removeKnown(id));
    return true;
  }

  /**
   * Removes a bundle at once, as {@link delete} does, but commits it with others; resolves once it would not be back after the death of
   * the process.
   *
   * @throws {StorageError} If the disk fails: the bundle is here again.
   */
  deleteSoon(id: string): Promise<void> {
    const known = this.#deleting.get(id);
    if (known || !this.#here(id)) return known?.promise ?? Promise.resolve();
    const deleting = Promise.withResolvers<void>();
    this.#deleting.set(id, deleting);
    if (this.#deleting.size >= GROUP.bundles) this.commit();
    else {
      this.#cancelDeletes ??= this.#clock.setTimeout(
        () => this.commit(),
        DELETE_SOON_MS,
      );
    }
    return deleting.promise;
  }

  /**
   * Puts a bundle in the place of others at once: after the death of the process it is here or they are. If it is not stored, they stay.
   *
   * @throws {StorageError} If the disk fails: they stay.
   */
  replace(
    ids: readonly string[],
    entry: BundleEntry,
    bytes: Uint8Array,
  ): PutOutcome {
    this.commit();
    const refused = new Error("Refused");
    let outcome: PutOutcome | undefined;
    try {
      this.#change(() => {
        for (const id of ids) this.#removeKnown(id);
        outcome = this.#put({ entry, bytes });
        if (outcome !== "stored") throw refused; // undoes the removal
      });
    } catch (error) {
      if (error !== refused) throw error;
    }
    return outcome!;
  }

  /** Entries by class, expedited first, then in the order in which they came; of one destination, or all. */
  *entries(destination?: string): IterableIterator<BundleEntry> {
    if (destination === undefined) {
      for (const { entry } of this.placed()) yield entry;
      return;
    }
    const prefix = concat(KEY.to, this.#tagOf(destination));
    for (const { key } of this.#store.entries(prefix)) {
      const entry = this.#read(placeIn(key.subarray(prefix.length)))?.entry;
      // Two destinations may have one tag.
      if (entry?.destination === destination && !this.#deleting.has(entry.id)) {
        yield entry;
      }
    }
  }

  /** All entries as {@link entries} gives them, with where each is; from a place on, whether a bundle is still there or not. */
  *placed(
    from?: Place,
  ): IterableIterator<{ readonly entry: BundleEntry; readonly place: Place }> {
    const rest = from && entryKey(from).subarray(KEY.entry.length);
    for (const { key, value } of this.#store.entries(KEY.entry, rest)) {
      const place = placeIn(key.subarray(KEY.entry.length));
      const entry = this.#decode(key, value, place)?.entry;
      if (entry && !this.#deleting.has(entry.id)) yield { entry, place };
    }
  }

  /** Where a bundle is in the order of {@link placed}, if it is here. */
  place(id: string): Place | undefined {
    return this.#here(id)?.place;
  }

  /**
   * Removes bundles that have expired by `nowMs`, and gives them: 1,024 at most, so that a caller asks again. Ids of bundles that are
   * gone are forgotten with them, and once a minute.
   *
   * @param onExpired Hears of each while it is still here.
   */
  sweep(
    nowMs: number,
    onExpired?: (entry: BundleEntry) => void,
  ): readonly BundleEntry[] {
    this.commit();
    const due: { place: Place; key: Bytes }[] = [];
    for (const { key } of this.#store.entries(KEY.by)) {
      const reader = new Reader(key.subarray(KEY.by.length), "expiry key");
      if (u48(reader) > nowMs || due.length >= SWEEP_AT_ONCE) break;
      due.push({ place: placeIn(reader.rest()), key });
    }
    const isRecent = Math.abs(nowMs - this.#sweptMs) < FORGET_EVERY_MS;
    if (due.length === 0 && isRecent) return [];
    this.#sweptMs = nowMs;
    return this.#change(() => {
      this.#known -= this.#store.sweep(nowMs);
      return due.flatMap(({ place, key }) => {
        const stored = this.#read(place);
        if (!stored) {
          this.#removeDamaged(place, key);
          return [];
        }
        onExpired?.(stored.entry);
        this.#remove(stored, false);
        return [stored.entry];
      });
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

  /** One that does not fit must not take the others with it. */
  #commitOneByOne(
    deleting: ReadonlyMap<string, PromiseWithResolvers<void>>,
    waiting: readonly Waiting[],
  ): void {
    for (const [id, { resolve, reject }] of deleting) {
      try {
        this.#change(() => this.#removeKnown(id));
        resolve();
      } catch (error) {
        reject(error);
      }
    }
    for (const each of waiting) {
      try {
        each.resolve(this.#change(() => this.#put(each)));
      } catch (error) {
        if (error instanceof StorageError && error.code === "full") {
          each.resolve("full");
        } else each.reject(error);
      }
    }
  }

  #put({ entry, bytes }: Pick<Waiting, "entry" | "bytes">): PutOutcome {
    const { size, priority, id, expiresMs } = entry;
    if (this.#recent.get(id)) return "known";
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
    if (!isInline) this.#write(bundleKey(place), bytes);
    this.#store.set(idKey, idValue(expiresMs, place));
    this.#store.set(this.#toKey(entry, place), NOTHING);
    this.#store.set(expiryKey(expiresMs, place), NOTHING);
    this.#bundles[priority]++;
    this.#bytes[priority] += size;
    this.#recent.add({ entry, place, idKey, bytes });
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
      const evicted = place && this.#read(place);
      if (!evicted) return refusal;
      this.#options.onEvicted?.(evicted.entry);
      this.#remove(evicted, true);
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

  #removeKnown(id: string): void {
    const stored = this.#find(id);
    if (stored) this.#remove(stored, true);
  }

  #remove({ entry, place, idKey, bytes }: StoredBundle, isKnown: boolean) {
    const { id, expiresMs, priority, size } = entry;
    this.#recent.delete(id);
    this.#store.delete(entryKey(place));
    if (!bytes || bytes.length > INLINE_BYTES) {
      this.#store.delete(bundleKey(place));
    }
    this.#store.delete(this.#toKey(entry, place));
    this.#store.delete(expiryKey(expiresMs, place));
    this.#bundles[priority]--;
    this.#bytes[priority] -= size;
    if (isKnown && this.#known < this.#limits.maxKnown) {
      const gone = idValue(expiresMs, { rank: GONE, sequence: 0 });
      this.#store.set(idKey, gone, { expiresAt: expiresMs });
      this.#known++;
    } else {
      this.#store.delete(idKey);
      if (isKnown) this.#forgotten++;
    }
  }

  /** Its id, destination and size are lost: they stay known, and counted. */
  #removeDamaged(place: Place, expiry: Uint8Array): void {
    for (const key of [entryKey(place), bundleKey(place), expiry]) {
      this.#store.delete(key);
    }
    this.#bundles[priorityOf(place.rank)]--;
  }

  /** A bundle that is not about to be deleted. */
  #here(id: string): StoredBundle | undefined {
    return this.#deleting.has(id) ? undefined : this.#find(id);
  }

  #find(id: string): StoredBundle | undefined {
    const recent = this.#recent.get(id);
    if (recent) return recent;
    const value = this.#store.get(this.#idKey(id));
    if (!value) return undefined;
    const reader = new Reader(value, "bundle id");
    u48(reader);
    const place = placeIn(reader.rest());
    return place.rank === GONE ? undefined : this.#read(place);
  }

  #read(place: Place): StoredBundle | undefined {
    const key = entryKey(place);
    const value = this.#store.get(key);
    return value && this.#decode(key, value, place);
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
    const idKey = this.#idKey(entry.id);
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

  #idKey(id: string): Bytes {
    return concat(KEY.id, this.#values.tag(id, TAG_LENGTH));
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

  /** Runs `change` and writes the totals that it leaves, or undoes all of it. */
  #change<T>(change: () => T): T {
    try {
      const changed = this.#store.transaction(() => {
        const result = change();
        if (!this.#isMarked) this.#write(KEY.mark, NOTHING);
        this.#store.set(KEY.totals, this.#totals());
        return result;
      });
      this.#isMarked = true;
      return changed;
    } catch (error) {
      this.#recent.clear();
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
