/**
 * HPACK header block (RFC 7541 §6): any number of
 *
 * ```text
 * 1xxxxxxx  index                                  a field of the tables
 * 01xxxxxx  index of the name or 0; [name]; value  a field, which joins the dynamic table
 * 001xxxxx  size                                   new size of the dynamic table, at the start of a block only
 * 0001xxxx  index of the name or 0; [name]; value  a field that nobody may index
 * 0000xxxx  index of the name or 0; [name]; value  a field
 * ```
 *
 * A string is an integer of 7 bits behind its Huffman bit, and so many bytes.
 *
 * @module
 */
import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { readHpackInteger } from "./hpack_integer.ts";
import { fieldSize, type HeaderField, HpackTable } from "./hpack_table.ts";
import { decodeHuffman, latin1 } from "./huffman.ts";

/** Default of {@link HpackDecoderOptions.maxHeaderListBytes}. */
export const DEFAULT_MAX_HEADER_LIST_BYTES = 65_536;

/** Options of {@link HpackDecoder}. */
export interface HpackDecoderOptions {
  /** Largest dynamic table that the peer may use: SETTINGS_HEADER_TABLE_SIZE. Default 4,096. */
  readonly maxTableBytes?: number;
  /** Longest header list, names, values and 32 for each field. Default 65,536. */
  readonly maxHeaderListBytes?: number;
}

/** Decodes the header blocks of one direction, in their order. */
export class HpackDecoder {
  readonly #table: HpackTable;
  readonly #maxHeaderListBytes: number;
  #maxTableBytes: number;
  /** The peer has to shrink its table first (RFC 7541 §4.2). */
  #sizeUpdateDue = false;

  /** Starts with an empty table. */
  constructor(options: HpackDecoderOptions = {}) {
    const { maxHeaderListBytes = DEFAULT_MAX_HEADER_LIST_BYTES } = options;
    this.#maxTableBytes = options.maxTableBytes ?? 4_096;
    this.#maxHeaderListBytes = maxHeaderListBytes;
    this.#table = new HpackTable(Math.min(this.#maxTableBytes, 4_096));
  }

  /** Bytes in the dynamic table, at most `maxTableBytes`. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** Changes how large the peer's table may be, once it has acknowledged so. */
  setMaxTableBytes(maxTableBytes: number): void {
    this.#maxTableBytes = maxTableBytes;
    this.#sizeUpdateDue = this.#table.maxSize > maxTableBytes;
  }

  /**
   * Decodes one whole block; after an error the decoder is of no more use.
   *
   * @throws {DecodeError} If it is malformed.
   * @throws {RangeError} If the list is longer than `maxHeaderListBytes`.
   */
  decode(block: Uint8Array): HeaderField[] {
    const r = new Reader(block, "HPACK header block");
    this.#sizeUpdates(r);
    const fields: HeaderField[] = [];
    let size = 0;
    while (r.remaining > 0) {
      const field = this.#field(r);
      size += fieldSize(field);
      if (size > this.#maxHeaderListBytes) {
        throw new RangeError(
          `Header list beyond ${this.#maxHeaderListBytes} bytes`,
        );
      }
      fields.push(field);
    }
    return fields;
  }

  #sizeUpdates(r: Reader): void {
    while (r.remaining > 0 && r.peek() >> 5 === 1) {
      const size = readHpackInteger(r, 5);
      if (size > this.#maxTableBytes) {
        throw new DecodeError(r.what, "dynamic table beyond its limit");
      }
      this.#table.maxSize = size;
      this.#sizeUpdateDue = false;
    }
    if (this.#sizeUpdateDue) {
      throw new DecodeError(r.what, "dynamic table was not made smaller");
    }
  }

  #field(r: Reader): HeaderField {
    const first = r.peek();
    if (first >= 0x80) return this.#indexed(r, 7);
    if (first >> 5 === 1) {
      throw new DecodeError(r.what, "table size update behind a field");
    }
    const incremental = first >= 0x40;
    const index = readHpackInteger(r, incremental ? 6 : 4);
    const name = index > 0 ? this.#entry(r, index)[0] : readString(r);
    const field: HeaderField = [name, readString(r)];
    if (incremental) this.#table.add(field);
    return field;
  }

  #indexed(r: Reader, prefixBits: number): HeaderField {
    return this.#entry(r, readHpackInteger(r, prefixBits));
  }

  #entry(r: Reader, index: number): HeaderField {
    const field = this.#table.at(index);
    if (!field) throw new DecodeError(r.what, "index outside the tables");
    return field;
  }
}

function readString(r: Reader): string {
  const huffman = r.peek() >= 0x80;
  const bytes = r.take(readHpackInteger(r, 7));
  return huffman ? decodeHuffman(bytes) : latin1(bytes);
}
