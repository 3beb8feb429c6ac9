import { Writer } from "../../core/bytes/mod.ts";
import { BundleError } from "./error.ts";
import type { Quirk } from "./quirk.ts";
import type { Uint } from "./uint.ts";

const MAJOR = { bytes: 2, text: 3, array: 4 } as const;
const INDEFINITE = 31;
const BREAK = 0xff;
/** Which argument first needs 1, 2, 4 and 8 bytes. */
const LEAST = [24, 0x100, 0x10000, 0x100000000] as const;
/** Most bytes of a text: the only texts are endpoint IDs. */
export const MAX_TEXT_BYTES = 1024;
const NO_QUIRKS: readonly Quirk[] = [];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the few CBOR types of bundles one after the other, without a value in between; byte strings are views. */
export class CborCursor {
  /** What is read. */
  readonly bytes: Uint8Array;
  /** Where the next item begins. */
  at = 0;
  /** What is tolerated. */
  readonly quirks: readonly Quirk[];
  readonly #longHeads: boolean;
  readonly #indefinite: boolean;

  /** Starts at the first of `bytes`. */
  constructor(bytes: Uint8Array, quirks: readonly Quirk[] = NO_QUIRKS) {
    this.bytes = bytes;
    this.quirks = quirks;
    this.#longHeads = quirks.includes("long_heads");
    this.#indefinite = quirks.includes("indefinite_lengths");
  }

  /** The next byte, which stays unread, or −1 at the end. */
  peek(): number {
    return this.at < this.bytes.length ? this.bytes[this.at]! : -1;
  }

  /** Reads an unsigned integer that a `number` holds. */
  uint(): number {
    const first = this.#first();
    if (first < 24) return first;
    if (first >= 28) throw wrong("an unsigned integer");
    return this.#argument(first);
  }

  /** Reads any unsigned integer. */
  wideUint(): Uint {
    const { bytes, at } = this;
    const isWide = bytes[at] === 27 && at + 9 <= bytes.length &&
      (bytes[at + 1] !== 0 || bytes[at + 2]! >= 0x20); // above 2^53 - 1
    if (!isWide) return this.uint();
    this.at = at + 9;
    return new DataView(bytes.buffer, bytes.byteOffset + at).getBigUint64(1);
  }

  /** Reads `false` or `true`. */
  boolean(): boolean {
    const first = this.#first();
    if (first !== 0xf4 && first !== 0xf5) throw wrong("a boolean");
    return first === 0xf5;
  }

  /** Reads the head of an array and returns its number of items, −1 if {@link atBreak} tells its end. */
  array(): number {
    const first = this.#first();
    if (first >> 5 !== MAJOR.array) throw wrong("an array");
    return (first & 31) < 24 ? first & 31 : this.#length(first);
  }

  /** Ends an array of `count` items as {@link array} gave it, of which all that may be have been read. */
  endArray(count: number): void {
    if (count < 0 && !this.atBreak()) {
      throw new BundleError("cbor", "An array has more items than it may");
    }
  }

  /** Reads a break if it comes next, and says whether it did. */
  atBreak(): boolean {
    if (this.at >= this.bytes.length) throw truncated();
    if (this.bytes[this.at] !== BREAK) return false;
    this.at++;
    return true;
  }

  /** Reads a byte string. */
  byteString(): Uint8Array {
    const first = this.#first();
    if (first >> 5 !== MAJOR.bytes) throw wrong("a byte string");
    const length = (first & 31) < 24 ? first & 31 : this.#length(first);
    return length < 0 ? this.#chunks() : this.#take(length);
  }

  /** Reads a text string. */
  text(): string {
    const first = this.#first();
    if (first >> 5 !== MAJOR.text || (first & 31) === INDEFINITE) {
      throw wrong("a text string of definite length");
    }
    const length = (first & 31) < 24 ? first & 31 : this.#length(first);
    const { at } = this;
    if (length > this.bytes.length - at) throw truncated();
    if (length > MAX_TEXT_BYTES) {
      throw new BundleError("limit", `A text has ${length} bytes`);
    }
    this.at = at + length;
    return this.#isAscii(at, this.at)
      ? this.#ascii(at, this.at)
      : this.#utf8(at, this.at);
  }

  /** Fails unless everything was read. */
  end(): void {
    const left = this.bytes.length - this.at;
    if (left > 0) throw new BundleError("trailing", `${left} bytes follow`);
  }

  #first(): number {
    if (this.at >= this.bytes.length) throw truncated();
    return this.bytes[this.at++]!;
  }

  #length(first: number): number {
    if ((first & 31) !== INDEFINITE) return this.#argument(first);
    if (this.#indefinite) return -1;
    throw new BundleError("cbor", "Want a definite length");
  }

  /** The argument of a head that begins with `first`, which has been read. */
  #argument(first: number): number {
    const { bytes, at } = this;
    const size = 1 << (first & 31) - 24;
    if ((first & 31) > 27) {
      throw new BundleError("cbor", "Reserved additional information");
    }
    if (at + size > bytes.length) throw truncated();
    this.at = at + size;
    let value = 0;
    for (let i = at; i < at + size; i++) value = value * 256 + bytes[i]!;
    if (value < LEAST[(first & 31) - 24]! && !this.#longHeads) {
      throw new BundleError("cbor", "A head is not in its shortest form");
    }
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    throw new BundleError("limit", "An integer is above 2^53 - 1");
  }

  #take(length: number): Uint8Array {
    const { bytes, at } = this;
    if (length > bytes.length - at) throw truncated();
    this.at = at + length;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
  }

  #chunks(): Uint8Array {
    const joined = new Writer();
    while (!this.atBreak()) {
      const first = this.#first();
      if (first >> 5 !== MAJOR.bytes || (first & 31) === INDEFINITE) {
        throw wrong("a chunk of definite length");
      }
      const short = (first & 31) < 24;
      joined.put(this.#take(short ? first & 31 : this.#argument(first)));
    }
    return joined.finish();
  }

  #isAscii(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.bytes[i]! > 0x7f) return false;
    return true;
  }

  /** Eight at a time, as text that grows by a character is slow to make and to search. */
  #ascii(from: number, to: number): string {
    const { bytes } = this;
    let text = "";
    let at = from;
    for (; at + 8 <= to; at += 8) {
      text += String.fromCharCode(
        bytes[at]!,
        bytes[at + 1]!,
        bytes[at + 2]!,
        bytes[at + 3]!,
        bytes[at + 4]!,
        bytes[at + 5]!,
        bytes[at + 6]!,
        bytes[at + 7]!,
      );
    }
    for (; at < to; at++) text += String.fromCharCode(bytes[at]!);
    return text;
  }

  #utf8(from: number, to: number): string {
    try {
      return decoder.decode(this.bytes.subarray(from, to));
    } catch (cause) {
      throw new BundleError("cbor", "A text is not UTF-8", { cause });
    }
  }
}

function truncated(): BundleError {
  return new BundleError("truncated", "The bytes end too early");
}

function wrong(what: string): BundleError {
  return new BundleError("cbor", `Want ${what}`);
}
