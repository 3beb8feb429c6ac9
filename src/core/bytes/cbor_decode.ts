/**
 * Strict CBOR (RFC 8949): what deterministic encoding (§4.2.1) would not have written is refused unless allowed.
 *
 * @module
 */
import { encodeCbor } from "./cbor_encode.ts";
import { readCborFloat } from "./cbor_float.ts";
import {
  CBOR_BREAK,
  CBOR_INDEFINITE,
  CBOR_MAJOR,
  type CborMajor,
  readCborArgument,
} from "./cbor_head.ts";
import { type CborDecoded, CborSimple, CborTag } from "./cbor_value.ts";
import { compareBytes } from "./compare.ts";
import { DecodeError } from "./error.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** Bounds and allowances of one decoding. */
export interface CborOptions {
  /**
   * Whether arrays, maps and strings may have an indefinite length (RFC 8949 §3.2).
   *
   * @default {false}
   */
  readonly indefinite?: boolean;
  /**
   * Whether heads and floats must be the shortest, map keys in order and NaN `f97e00` (RFC 8949 §4.2.1).
   * With `false` any valid item of definite length is accepted, if its map keys nest at most 64 deep.
   *
   * @default {true}
   */
  readonly deterministic?: boolean;
  /**
   * How deep arrays, maps and tags may nest; a flat array is 1 deep.
   *
   * @default {32}
   */
  readonly maxDepth?: number;
  /**
   * How many items, keys, tags and chunks one value may hold in all: an item of one byte costs up to about 200 in memory.
   *
   * @default {65536}
   */
  readonly maxItems?: number;
}

const MAX_BIGNUM_BYTES = 1024;
/** What `encodeCbor` writes, which tells keys apart that may have several forms. */
const MAX_KEY_DEPTH = 64;
const MAX_SHORT_TEXT_BYTES = 32;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes the one item that `bytes` hold; byte strings in it borrow from `bytes`.
 *
 * A map with the keys 0 and -0.0 is refused as having one twice: CBOR tells them apart, a `Map` does not.
 *
 * ```ts
 * import { decodeCbor, decodeHex } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeCbor(decodeHex("a2616101616202")), new Map([["a", 1], ["b", 2]]));
 * ```
 *
 * @param what The value being decoded, for error messages.
 * @throws {DecodeError} If the bytes are cut short, malformed, invalid, not as `options` demand, or go on after the item.
 */
export function decodeCbor(
  bytes: Uint8Array,
  options: CborOptions = {},
  what = "cbor",
): CborDecoded {
  const reader = new Reader(bytes, what);
  const value = readCbor(reader, options);
  reader.end();
  return value;
}

/**
 * Reads the next item and leaves the reader after it; `reader.since(start)` gives the item's own bytes.
 *
 * @throws {DecodeError} If the item is cut short, malformed, invalid or not as `options` demand.
 */
export function readCbor(
  reader: Reader,
  options: CborOptions = {},
): CborDecoded {
  return new ItemReader(reader, options).read(options.maxDepth ?? 32);
}

/**
 * Reads the head of an array and returns its number of items, `undefined` if {@link readCborBreak} ends it.
 *
 * Both forms are accepted whatever the options: a caller that needs one of them compares the result.
 *
 * @throws {DecodeError} If the next item is no array, its head is not the shortest, or more items are announced than bytes left.
 */
export function readCborArray(reader: Reader): number | undefined {
  const first = reader.u8();
  if (first >> 5 !== CBOR_MAJOR.array) {
    throw new DecodeError(reader.what, "want an array");
  }
  if ((first & 31) === CBOR_INDEFINITE) return undefined;
  return length(reader, readCborArgument(reader, first, true));
}

/**
 * Reads a break if it is what comes next, and says whether it was.
 *
 * @throws {DecodeError} If nothing is left.
 */
export function readCborBreak(reader: Reader): boolean {
  if (reader.peek() !== CBOR_BREAK) return false;
  reader.u8();
  return true;
}

class ItemReader {
  readonly #reader: Reader;
  readonly #indefinite: boolean;
  readonly #deterministic: boolean;
  readonly #maxItems: number;
  #items = 0;

  constructor(reader: Reader, options: CborOptions) {
    this.#reader = reader;
    this.#indefinite = options.indefinite ?? false;
    this.#deterministic = options.deterministic ?? true;
    this.#maxItems = options.maxItems ?? 65536;
  }

  read(depth: number): CborDecoded {
    if (++this.#items > this.#maxItems) {
      throw this.#error(`more than ${this.#maxItems} items`);
    }
    const first = this.#reader.u8();
    const major = first >> 5 as CborMajor;
    if (major === CBOR_MAJOR.simple) return this.#simple(first & 31);
    if ((first & 31) === CBOR_INDEFINITE) {
      return this.#indefiniteItem(major, depth);
    }
    const argument = readCborArgument(this.#reader, first, this.#deterministic);
    switch (major) {
      case CBOR_MAJOR.unsigned:
        return argument;
      case CBOR_MAJOR.negative:
        return negative(argument);
      case CBOR_MAJOR.bytes:
        return this.#reader.take(length(this.#reader, argument));
      case CBOR_MAJOR.text:
        return this.#text(this.#reader.take(length(this.#reader, argument)));
      case CBOR_MAJOR.array:
        return this.#array(length(this.#reader, argument), this.#inside(depth));
      case CBOR_MAJOR.map:
        return this.#map(
          length(this.#reader, argument, 2),
          this.#inside(depth),
        );
      case CBOR_MAJOR.tag:
        return this.#tag(argument, this.#inside(depth));
    }
  }

  #indefiniteItem(major: CborMajor, depth: number): CborDecoded {
    if (!this.#indefinite) throw this.#error("indefinite length");
    switch (major) {
      case CBOR_MAJOR.bytes:
        return this.#chunks(major);
      case CBOR_MAJOR.text: // each chunk is valid on its own (RFC 8949 §3.2.3), hence the sum
        return this.#text(this.#chunks(major));
      case CBOR_MAJOR.array:
        return this.#array(undefined, this.#inside(depth));
      case CBOR_MAJOR.map:
        return this.#map(undefined, this.#inside(depth));
      default:
        throw this.#error("indefinite length of an integer or tag");
    }
  }

  #array(length: number | undefined, depth: number): CborDecoded[] {
    const items: CborDecoded[] = [];
    while (this.#more(length, items.length)) items.push(this.read(depth));
    return items;
  }

  #map(length: number | undefined, depth: number): CborDecoded {
    const map = new Map<CborDecoded, CborDecoded>();
    const seen = this.#deterministic ? undefined : new Set<string>();
    let last: Uint8Array | undefined;
    for (let i = 0; this.#more(length, i); i++) {
      const start = this.#reader.offset;
      const key = this.read(seen ? Math.min(depth, MAX_KEY_DEPTH) : depth);
      const bytes = this.#reader.since(start);
      if (seen) this.#checkNew(key, seen);
      else if (last) this.#checkOrder(last, bytes);
      last = bytes;
      map.set(key, this.read(depth));
      // 0 and -0.0 are two keys in CBOR and one in a Map
      if (map.size !== i + 1) throw this.#error("duplicate map key");
    }
    return map;
  }

  #more(length: number | undefined, done: number): boolean {
    return length === undefined ? !readCborBreak(this.#reader) : done < length;
  }

  #checkOrder(last: Uint8Array, key: Uint8Array): void {
    const order = compareBytes(last, key);
    if (order === 0) throw this.#error("duplicate map key");
    if (order > 0) throw this.#error("map keys are out of order");
  }

  #checkNew(key: CborDecoded, seen: Set<string>): void {
    const size = seen.size;
    if (seen.add(encodeCbor(key).toHex()).size === size) {
      throw this.#error("duplicate map key");
    }
  }

  #chunks(major: CborMajor): Uint8Array {
    const joined = new Writer();
    while (!readCborBreak(this.#reader)) {
      if (++this.#items > this.#maxItems) {
        throw this.#error(`more than ${this.#maxItems} items`);
      }
      const first = this.#reader.u8();
      if (first >> 5 !== major || (first & 31) === CBOR_INDEFINITE) {
        throw this.#error("chunk is no string of definite length");
      }
      const size = readCborArgument(this.#reader, first, this.#deterministic);
      const chunk = this.#reader.take(length(this.#reader, size));
      if (major === CBOR_MAJOR.text) this.#text(chunk);
      joined.put(chunk);
    }
    return joined.finish();
  }

  #text(bytes: Uint8Array): string {
    const ascii = shortAscii(bytes);
    if (ascii !== undefined) return ascii;
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.#error("text is not UTF-8");
    }
  }

  #tag(tag: number | bigint, depth: number): CborDecoded {
    const value = this.read(depth);
    if (tag !== 2 && tag !== 3) return new CborTag(tag, value);
    if (!(value instanceof Uint8Array) || value.length > MAX_BIGNUM_BYTES) {
      throw this.#error(`want a bignum of at most ${MAX_BIGNUM_BYTES} bytes`);
    }
    // RFC 8949 §3.4.3: no leading zeros, and an integer where one is wide enough
    if (this.#deterministic && (value.length <= 8 || value[0] === 0)) {
      throw this.#error("bignum is not in its shortest form");
    }
    const magnitude = BigInt(`0x0${value.toHex()}`);
    return tag === 2 ? narrow(magnitude) : narrow(-1n - magnitude);
  }

  #simple(info: number): CborDecoded {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 24:
        return this.#wideSimple();
      case 25:
      case 26:
      case 27:
        return readCborFloat(this.#reader, 1 << info - 24, this.#deterministic);
      case CBOR_INDEFINITE:
        throw this.#error("break outside an indefinite length");
    }
    if (info > 27) throw this.#error("reserved additional information");
    return new CborSimple(info);
  }

  #wideSimple(): CborSimple {
    const value = this.#reader.u8();
    if (value < 32) throw this.#error("simple value is not in its only form");
    return new CborSimple(value);
  }

  #inside(depth: number): number {
    if (depth <= 0) throw this.#error("nested too deep");
    return depth - 1;
  }

  #error(reason: string): DecodeError {
    return new DecodeError(this.#reader.what, reason);
  }
}

/** A length in bytes or a count of items that the bytes left can hold. */
function length(reader: Reader, argument: number | bigint, each = 1): number {
  if (Number(argument) * each > reader.remaining) {
    throw new DecodeError(
      reader.what,
      `length ${argument} is more than the ${reader.remaining} bytes left`,
    );
  }
  return Number(argument);
}

/** Faster than a `TextDecoder` for the keys and names that most texts are. */
function shortAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_SHORT_TEXT_BYTES) return undefined;
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! > 0x7f) return undefined;
    text += String.fromCharCode(bytes[i]!);
  }
  return text;
}

function negative(argument: number | bigint): number | bigint {
  return typeof argument === "number" && argument < Number.MAX_SAFE_INTEGER
    ? -1 - argument
    : -1n - BigInt(argument);
}

/** A non-preferred bignum may hold a small integer. */
function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
