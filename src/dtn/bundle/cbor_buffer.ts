import type { Bytes } from "../../core/bytes/mod.ts";
import { smallArray } from "./small_array.ts";
import type { Uint } from "./uint.ts";

/** Writes the few CBOR types of bundles into an array with room for them. */
export class CborBuffer {
  /** Where it is written. */
  readonly bytes: Bytes;
  /** Where the next item begins. */
  at = 0;

  /** Writes into `room`, or into as many bytes of {@link smallArray}. */
  constructor(room: number | Bytes) {
    this.bytes = typeof room === "number" ? smallArray(room) : room;
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Appends an unsigned integer. */
  uint(value: Uint): void {
    this.head(0, value);
  }

  /** Appends a boolean. */
  boolean(value: boolean): void {
    this.byte(value ? 0xf5 : 0xf4);
  }

  /** Appends the head of an array of `count` items. */
  array(count: number): void {
    this.head(0x80, count);
  }

  /** Appends a byte string. */
  byteString(value: Uint8Array): void {
    this.head(0x40, value.length);
    const { bytes, at } = this;
    if (value.length > 32) bytes.set(value, at);
    else for (let i = 0; i < value.length; i++) bytes[at + i] = value[i]!;
    this.at = at + value.length;
  }

  /** Appends a text string of ASCII. */
  ascii(value: string): void {
    this.head(0x60, value.length);
    const { bytes, at } = this;
    for (let i = 0; i < value.length; i++) bytes[at + i] = value.charCodeAt(i);
    this.at = at + value.length;
  }

  /** Appends a head in its shortest form; `major` is the major type in its upper three bits. */
  head(major: number, argument: Uint): void {
    const { bytes } = this;
    if (argument < 24) bytes[this.at++] = major | Number(argument);
    else if (argument < 0x100) {
      bytes[this.at++] = major | 24;
      bytes[this.at++] = Number(argument);
    } else if (argument < 0x10000) {
      bytes[this.at++] = major | 25;
      this.fixed(Number(argument), 2);
    } else if (argument < 0x100000000) {
      bytes[this.at++] = major | 26;
      this.fixed(Number(argument), 4);
    } else {
      bytes[this.at++] = major | 27;
      if (typeof argument === "bigint") {
        this.fixed(Number(argument >> 32n), 4);
        this.fixed(Number(argument & 0xffffffffn), 4);
      } else {
        this.fixed(Math.floor(argument / 0x100000000), 4);
        this.fixed(argument >>> 0, 4);
      }
    }
  }

  /** Appends `value` in `length` bytes, at most 4, big-endian. */
  fixed(value: number, length: number): void {
    for (let shift = 8 * (length - 1); shift >= 0; shift -= 8) {
      this.bytes[this.at++] = value >>> shift;
    }
  }
}
