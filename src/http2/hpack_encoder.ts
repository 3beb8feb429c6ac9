import { type Bytes, Writer } from "../core/bytes/mod.ts";
import { writeHpackInteger } from "./hpack_integer.ts";
import { type HeaderField, HpackTable } from "./hpack_table.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";

/** How a field that is in no table is written. */
export type Indexing =
  | "incremental" // and added to the dynamic table
  | "none" // as it is
  | "never"; // and no intermediary may index it either: for secrets

/** Options of {@link HpackEncoder}. */
export interface HpackEncoderOptions {
  /** Chooses for each field; {@link chromeIndexing} by default. */
  readonly indexing?: (field: HeaderField) => Indexing;
  /** Largest dynamic table to use, whatever the peer allows. Default 65,536, as Chrome. */
  readonly maxTableBytes?: number;
}

/** What Chrome does: every field joins the dynamic table, of the pseudo-fields only `:authority`. */
export function chromeIndexing([name]: HeaderField): Indexing {
  return name.startsWith(":") && name !== ":authority" ? "none" : "incremental";
}

const PATTERN = { incremental: 0x40, none: 0x00, never: 0x10 } as const;

/**
 * Encodes the header blocks of one direction, in their order.
 *
 * A field found in a table is an index; strings are Huffman coded where that is shorter. Fields are not split or sorted.
 */
export class HpackEncoder {
  readonly #indexing: (field: HeaderField) => Indexing;
  readonly #maxTableBytes: number;
  readonly #table: HpackTable;
  /** Smallest size since the last block, which is told before the final one (RFC 7541 §4.2). */
  #smallest: number | undefined;

  /** Starts with an empty table of at most 4,096 bytes, which is what a peer allows before it says else. */
  constructor(options: HpackEncoderOptions = {}) {
    this.#indexing = options.indexing ?? chromeIndexing;
    this.#maxTableBytes = options.maxTableBytes ?? 65_536;
    this.#table = new HpackTable(4_096);
    if (this.#maxTableBytes < 4_096) this.setPeerTableBytes(4_096);
  }

  /** Takes the peer's SETTINGS_HEADER_TABLE_SIZE; the next block tells it what we use. */
  setPeerTableBytes(tableBytes: number): void {
    const size = Math.min(tableBytes, this.#maxTableBytes);
    if (size === this.#table.maxSize) return;
    this.#table.maxSize = size;
    this.#smallest = Math.min(size, this.#smallest ?? size);
  }

  /** Encodes one whole block. */
  encode(fields: Iterable<HeaderField>): Bytes {
    const w = new Writer(512);
    this.#sizeUpdates(w);
    for (const field of fields) this.#field(w, field);
    return w.finish();
  }

  #sizeUpdates(w: Writer): void {
    if (this.#smallest === undefined) return;
    const { maxSize } = this.#table;
    if (this.#smallest < maxSize) writeHpackInteger(w, this.#smallest, 5, 0x20);
    writeHpackInteger(w, maxSize, 5, 0x20);
    this.#smallest = undefined;
  }

  #field(w: Writer, field: HeaderField): void {
    const [name, value] = field;
    const indexing = this.#indexing(field);
    const index = indexing === "never" ? 0 : this.#table.find(field);
    if (index > 0) return writeHpackInteger(w, index, 7, 0x80);
    const prefixBits = indexing === "incremental" ? 6 : 4;
    const nameIndex = this.#table.findName(name);
    writeHpackInteger(w, nameIndex, prefixBits, PATTERN[indexing]);
    if (nameIndex === 0) writeString(w, name);
    writeString(w, value);
    if (indexing === "incremental") this.#table.add(field);
  }
}

function writeString(w: Writer, text: string): void {
  const length = huffmanLength(text);
  if (length < text.length) {
    writeHpackInteger(w, length, 7, 0x80);
    w.put(encodeHuffman(text));
    return;
  }
  writeHpackInteger(w, text.length, 7, 0x00);
  for (let i = 0; i < text.length; i++) w.u8(text.charCodeAt(i));
}
