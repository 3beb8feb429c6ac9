import { STATIC_TABLE } from "./hpack_static_table.ts";

/** A name and a value, one character from U+0000 to U+00FF for each byte; the name in lower case. */
export type HeaderField = readonly [name: string, value: string];

const EVICTED: HeaderField = ["", ""];

/** What a field counts in tables and limits (RFC 7541 §4.1). */
export function fieldSize([name, value]: HeaderField): number {
  return name.length + value.length + 32;
}

/** HPACK's index space: the static table, and behind it the dynamic one, newest first (RFC 7541 §2.3). */
export class HpackTable {
  /** Oldest first, behind {@link #evicted} that no longer count. */
  #entries: HeaderField[] = [];
  #evicted = 0;
  #size = 0;
  #maxSize: number;

  /** Starts with an empty dynamic table of at most `maxSize` bytes. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Size of the dynamic table in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Largest size of the dynamic table in bytes; lowering it evicts. */
  get maxSize(): number {
    return this.#maxSize;
  }
  set maxSize(maxSize: number) {
    this.#maxSize = maxSize;
    this.#evict(0);
  }

  /** The field at `index`, from 1; `undefined` outside the tables. */
  at(index: number): HeaderField | undefined {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1];
    const at = this.#entries.length - (index - STATIC_TABLE.length);
    return at >= this.#evicted ? this.#entries[at] : undefined;
  }

  /** The index of `field`, or 0. */
  find([name, value]: HeaderField): number {
    return this.#find((field) => field[0] === name && field[1] === value);
  }

  /** The first index of a field called `name`, or 0. */
  findName(name: string): number {
    return this.#find((field) => field[0] === name);
  }

  /** Inserts `field`, evicting the oldest; one larger than the table empties it. */
  add(field: HeaderField): void {
    const size = fieldSize(field);
    this.#evict(size);
    if (size > this.#maxSize) return;
    this.#entries.push(field);
    this.#size += size;
  }

  #find(matches: (field: HeaderField) => boolean): number {
    const index = STATIC_TABLE.findIndex(matches);
    if (index >= 0) return index + 1;
    const at = this.#entries.findLastIndex(matches);
    return at < this.#evicted
      ? 0
      : STATIC_TABLE.length + this.#entries.length - at;
  }

  /** Moves the rest only when as many have gone, so that it takes constant time per field. */
  #evict(coming: number): void {
    const { length } = this.#entries;
    while (this.#evicted < length && this.#size + coming > this.#maxSize) {
      this.#size -= fieldSize(this.#entries[this.#evicted]!);
      this.#entries[this.#evicted++] = EVICTED;
    }
    if (2 * this.#evicted < length) return;
    this.#entries = this.#entries.slice(this.#evicted);
    this.#evicted = 0;
  }
}
