/**
 * Memory of the packets that a node has unwrapped, so that none goes through twice.
 *
 * What is remembered is the replay tag, which comes from the shared secret as the packet's keys do: no other packet with the same
 * keys has another tag, whatever form its group element is written in.
 *
 * ```text
 * store keys   u32 epoch ‖ u32 row → up to 48 tags of 16 B, in the order in which they came
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { TAG_LENGTH, TagTable } from "./tag_table.ts";

/** Options of {@link ReplayFilter}. */
export interface ReplayFilterOptions {
  /** Keeps the tags across restarts; a namespace of its own. */
  readonly store: Pick<Store, "set" | "delete" | "entries" | "transaction">;
  /** Draws the key of the tables. */
  readonly crypto: Pick<CryptoProvider, "random">;
  /**
   * Most tags of one epoch; 4,194,304 by default: 1,165 packets a second for an hour, in at most 256 MiB of memory. Three epochs can be
   * open at once.
   */
  readonly capacity?: number;
}

/** What the filter says of a packet: `full` if its epoch has no room, so that it can not be told from a replay. */
export type ReplayVerdict = "new" | "replayed" | "full";

/** One packet, as {@link ReplayFilter.remember} takes it. */
export interface TaggedPacket {
  /** The epoch of the key that unwrapped it. */
  readonly epoch: number;
  /** Its replay tag, at least 16 bytes. */
  readonly tag: Uint8Array;
}

/** So many that a row fits in a page of SQLite's tree with others: longer ones spill into pages of their own, which each write renews. */
const ROW_TAGS = 48;
const DELETED_ROWS = 64;

interface EpochTags {
  readonly table: TagTable;
  /** The tags of the last row. */
  readonly row: Bytes;
  rows: number;
  rowTags: number;
}

/**
 * Tells first packets from replayed ones, by key epoch.
 *
 * A full epoch still refuses what it has seen and takes nothing new: forgetting would let replays through, and going on without
 * memory would let everything through. It takes new packets again with the next epoch's key.
 */
export class ReplayFilter {
  readonly #options: Required<ReplayFilterOptions>;
  readonly #epochs = new Map<number, EpochTags>();
  /** Keys of rows of erased epochs that are still in the store. */
  #erased: Iterator<Bytes>[] = [];

  /**
   * Loads what the store remembers.
   *
   * @throws {DecodeError} If the store holds anything else.
   */
  constructor(options: ReplayFilterOptions) {
    this.#options = { capacity: 4_194_304, ...options };
    for (const { key, value } of this.#options.store.entries()) {
      this.#restore(key, value);
    }
  }

  /** Most tags of one epoch. */
  get capacity(): number {
    return this.#options.capacity;
  }

  /** The epochs of which there are tags. */
  get epochs(): readonly number[] {
    return [...this.#epochs.keys()];
  }

  /** Number of tags remembered of the fullest epoch. */
  get fill(): number {
    let fill = 0;
    for (const { table } of this.#epochs.values()) {
      fill = Math.max(fill, table.size);
    }
    return fill;
  }

  /**
   * Remembers packets; when it returns, the store has those that are `new`.
   *
   * @returns One verdict for each packet.
   * @throws {StorageError} If the store fails. None of the packets may go on then: those that would have been new count as seen.
   */
  remember(packets: readonly TaggedPacket[]): ReplayVerdict[] {
    const changed = new Set<number>();
    const added: TaggedPacket[] = [];
    const verdicts = packets.map((packet): ReplayVerdict => {
      const { table } = this.#epoch(packet.epoch);
      if (!table.lacks(packet.tag)) return "replayed";
      if (table.size >= this.capacity) return "full";
      table.add(packet.tag);
      added.push(packet);
      changed.add(packet.epoch);
      return "new";
    });
    if (added.length > 0 || this.#erased.length > 0) {
      this.#persist(added, [...changed]);
    }
    return verdicts;
  }

  /**
   * Erases the tags of epochs whose key is gone, from memory now and from the store little by little with later packets.
   *
   * @throws {StorageError} If the store fails; the rest is erased by a later call.
   */
  retain(isOpen: (epoch: number) => boolean): void {
    for (const [epoch, { rows, rowTags }] of this.#epochs) {
      if (isOpen(epoch)) continue;
      this.#epochs.delete(epoch);
      this.#erased.push(rowKeys(epoch, rowTags > 0 ? rows + 1 : rows));
    }
    this.#options.store.transaction(() => this.#deleteErased(DELETED_ROWS));
  }

  #restore(key: Bytes, value: Bytes) {
    const r = new Reader(key, "key of a replay row");
    const [epoch, row] = [r.u32(), r.u32()];
    r.end();
    const entry = this.#epoch(epoch);
    const tags = new Reader(value, "replay row");
    entry.rows = row;
    entry.rowTags = 0;
    while (tags.remaining > 0) {
      const tag = tags.take(TAG_LENGTH);
      entry.table.add(tag);
      if (entry.rowTags === ROW_TAGS) tags.end();
      entry.row.set(tag, entry.rowTags++ * TAG_LENGTH);
    }
    if (entry.rowTags === ROW_TAGS) this.#nextRow(entry);
  }

  #epoch(epoch: number): EpochTags {
    let entry = this.#epochs.get(epoch);
    if (!entry) {
      entry = {
        table: new TagTable(this.#options.crypto.random(8)),
        row: new Uint8Array(ROW_TAGS * TAG_LENGTH),
        rows: 0,
        rowTags: 0,
      };
      this.#epochs.set(epoch, entry);
    }
    return entry;
  }

  #persist(added: readonly TaggedPacket[], epochs: readonly number[]) {
    const before = epochs.map((epoch) => {
      const entry = this.#epoch(epoch);
      const { row, rows, rowTags } = entry;
      return { entry, row: row.slice(), rows, rowTags };
    });
    try {
      this.#options.store.transaction(() => {
        for (const packet of added) this.#append(packet);
        for (const epoch of epochs) this.#writeRow(epoch);
        this.#deleteErased(DELETED_ROWS);
      });
    } catch (error) {
      for (const { entry, row, rows, rowTags } of before) {
        entry.row.set(row);
        entry.rows = rows;
        entry.rowTags = rowTags;
      }
      throw error;
    }
  }

  #append({ epoch, tag }: TaggedPacket) {
    const entry = this.#epoch(epoch);
    entry.row.set(
      tag.subarray(0, TAG_LENGTH),
      entry.rowTags++ * TAG_LENGTH,
    );
    if (entry.rowTags < ROW_TAGS) return;
    this.#writeRow(epoch);
    this.#nextRow(entry);
  }

  #nextRow(entry: EpochTags) {
    entry.rows++;
    entry.rowTags = 0;
  }

  #writeRow(epoch: number) {
    const { row, rows, rowTags } = this.#epoch(epoch);
    if (rowTags === 0) return;
    const value = row.subarray(0, rowTags * TAG_LENGTH);
    this.#options.store.set(rowKey(epoch, rows), value);
  }

  #deleteErased(count: number) {
    for (let i = 0; i < count && this.#erased.length > 0; i++) {
      const next = this.#erased[0]!.next();
      if (next.done) this.#erased.shift();
      else this.#options.store.delete(next.value);
    }
  }
}

function* rowKeys(epoch: number, count: number): Generator<Bytes, undefined> {
  for (let row = 0; row < count; row++) yield rowKey(epoch, row);
}

function rowKey(epoch: number, row: number): Bytes {
  return new Writer(8).u32(epoch).u32(row).finish();
}
