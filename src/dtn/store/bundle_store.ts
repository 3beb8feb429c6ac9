/**
 * Bundles in a `Store` of their own. Nothing is read at the start but the totals.
 *
 * @module
 */
import { type Clock, systemClock } from "../../core/async/mod.ts";
import type { CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import type { BundleEntry, Place, Priority } from "./bundle_entry.ts";
import { BundleRows } from "./bundle_rows.ts";
import { RecentBundles, type StoredBundle } from "./recent_bundles.ts";
import { priorityOf, rankOf } from "./store_keys.ts";
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

/** What is committed together at most. */
const GROUP = { bundles: 256, bytes: 4 * 1024 * 1024 } as const;
const SWEEP_AT_ONCE = 1_024;
const FORGET_EVERY_MS = 60_000;
/** How long a bundle that is to be deleted waits for others at most. */
const DELETE_SOON_MS = 10;

/**
 * Keeps bundles until they are deleted or expire, and knows those that are gone, so that none is taken twice.
 *
 * What {@link put} said `stored` to is as lasting as the store is: with SQLite it outlives the death of the process. Bundles that are
 * put in one turn of the event loop are committed together. The latest are in memory besides.
 */
export class BundleStore implements Disposable {
  readonly #rows: BundleRows;
  readonly #limits: BundleStoreLimits;
  readonly #options: BundleStoreOptions;
  readonly #clock: Clock;
  #bundles: [number, number, number] = [0, 0, 0];
  #bytes: [number, number, number] = [0, 0, 0];
  #known = 0;
  #forgotten = 0;
  #nextSequence = 1;
  #sweptMs = -Infinity;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Bundles that the next commit removes; they count as gone. */
  #deleting = new Map<string, PromiseWithResolvers<void>>();
  readonly #recent = new RecentBundles();
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
    this.#rows = new BundleRows(store, crypto, secret);
    this.#clock = clock;
    this.#limits = { ...BUNDLE_STORE_LIMITS, ...limits };
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
      damaged: this.#rows.damaged,
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
      this.#rows.knows(this.#rows.idKey(id));
  }

  /** What is known of a bundle that is here. */
  entry(id: string): BundleEntry | undefined {
    return this.#here(id)?.entry;
  }

  /** The bundle, if it is here: nobody may change its bytes. */
  bytes(id: string): Uint8Array | undefined {
    const stored = this.#here(id);
    return stored && (stored.bytes ?? this.#rows.bytes(stored.place));
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
    for (const { entry } of this.#rows.of(destination)) {
      if (!this.#deleting.has(entry.id)) yield entry;
    }
  }

  /** All entries as {@link entries} gives them, with where each is; from a place on, whether a bundle is still there or not. */
  *placed(
    from?: Place,
  ): IterableIterator<{ readonly entry: BundleEntry; readonly place: Place }> {
    for (const { entry, place } of this.#rows.all(from)) {
      if (!this.#deleting.has(entry.id)) yield { entry, place };
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
    const due = this.#rows.due(nowMs, SWEEP_AT_ONCE);
    const isRecent = Math.abs(nowMs - this.#sweptMs) < FORGET_EVERY_MS;
    if (due.length === 0 && isRecent) return [];
    this.#sweptMs = nowMs;
    return this.#change(() => {
      this.#known -= this.#rows.forget(nowMs);
      return due.flatMap((each) => {
        const stored = this.#rows.at(each.place);
        if (!stored) {
          this.#rows.removeDamaged(each); // its size is lost, and stays counted
          this.#bundles[priorityOf(each.place.rank)]--;
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
    this.#rows[Symbol.dispose]();
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
    const idKey = this.#rows.idKey(id);
    if (this.#rows.knows(idKey)) return "known";
    if (expiresMs <= this.#clock.wallTime()) return "expired";
    if (size > this.#limits.maxBundleBytes) return "too_large";
    const refusal = this.#makeRoom(size, priority);
    if (refusal) return refusal;
    const place = { rank: rankOf(priority), sequence: this.#nextSequence++ };
    const stored = { entry, place, idKey, bytes };
    this.#rows.add(stored);
    this.#bundles[priority]++;
    this.#bytes[priority] += size;
    this.#recent.add(stored);
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
      const evicted = place && this.#rows.at(place);
      if (!evicted) return refusal;
      this.#options.onEvicted?.(evicted.entry);
      this.#remove(evicted, true);
    }
  }

  /** The oldest bundle of the lowest class below `priority`. */
  #lowestBelow(priority: Priority): Place | undefined {
    for (let lower = 0; lower < priority; lower++) {
      const place = this.#rows.oldest(lower as Priority);
      if (place) return place;
    }
  }

  #removeKnown(id: string): void {
    const stored = this.#find(id);
    if (stored) this.#remove(stored, true);
  }

  #remove(stored: StoredBundle, isKnown: boolean): void {
    const { id, priority, size } = stored.entry;
    const staysKnown = isKnown && this.#known < this.#limits.maxKnown;
    this.#recent.delete(id);
    this.#rows.remove(stored, staysKnown);
    this.#bundles[priority]--;
    this.#bytes[priority] -= size;
    if (staysKnown) this.#known++;
    else if (isKnown) this.#forgotten++;
  }

  /** A bundle that is not about to be deleted. */
  #here(id: string): StoredBundle | undefined {
    return this.#deleting.has(id) ? undefined : this.#find(id);
  }

  #find(id: string): StoredBundle | undefined {
    return this.#recent.get(id) ?? this.#rows.find(this.#rows.idKey(id));
  }

  /** Runs `change` and writes the totals that it leaves, or undoes all of it. */
  #change<T>(change: () => T): T {
    try {
      return this.#rows.change(change, () => ({
        ...{ nextSequence: this.#nextSequence, known: this.#known },
        ...{ bundles: this.#bundles, bytes: this.#bytes },
      }));
    } catch (error) {
      this.#recent.clear();
      this.#readTotals();
      throw error;
    }
  }

  #readTotals(): void {
    const { nextSequence, known, bundles, bytes } = this.#rows.totals();
    this.#nextSequence = nextSequence;
    this.#known = known;
    this.#bundles = [...bundles];
    this.#bytes = [...bytes];
  }
}
