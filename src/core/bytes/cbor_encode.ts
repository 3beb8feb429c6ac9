/**
 * Deterministic CBOR (RFC 8949 §4.2.1): shortest heads and floats, definite lengths, map keys in bytewise order.
 *
 * @module
 */
import { type Bytes, utf8 } from "./bytes.ts";
import { writeCborFloat } from "./cbor_float.ts";
import { CBOR_MAJOR, writeCborHead } from "./cbor_head.ts";
import {
  CborFloat,
  CborSimple,
  CborTag,
  type CborValue,
} from "./cbor_value.ts";
import { compareBytes } from "./compare.ts";
import { Writer } from "./writer.ts";

const MAX_DEPTH = 64;
const EMPTY_MAP = 0xa0;
/** Not more: V8 keeps arrays of up to 64 bytes in its own heap. */
const KEYS_ROOM = 64;

/**
 * The deterministic encoding of `value`.
 *
 * ```ts
 * import { encodeCbor, encodeHex } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeHex(encodeCbor({ b: 1, a: [1.5] })), "a2616181f93e00616201");
 * ```
 *
 * @param room Bytes that are probably enough, which spares growing.
 * @throws {TypeError} If a value has no CBOR form: a function, a class instance, an unpaired surrogate, an equal key twice.
 * @throws {RangeError} If values nest more than 64 deep.
 */
export function encodeCbor(value: CborValue, room = 64): Bytes {
  const writer = new Writer(room);
  writeCbor(writer, value);
  return writer.finish();
}

/** Appends the deterministic encoding of `value`; see {@link encodeCbor}. */
export function writeCbor(writer: Writer, value: CborValue): void {
  writeItem(writer, value, MAX_DEPTH);
}

function writeItem(writer: Writer, value: CborValue, depth: number): void {
  switch (typeof value) {
    case "number":
      return writeNumber(writer, value);
    case "string":
      return writeText(writer, value);
    case "boolean":
      return void writer.u8(value ? 0xf5 : 0xf4);
    case "undefined":
      return void writer.u8(0xf7);
    case "bigint":
      return writeBigint(writer, value);
    case "object":
      if (value === null) return void writer.u8(0xf6);
      return writeObject(writer, value, depth);
    default:
      throw new TypeError(`A ${typeof value} has no CBOR form`);
  }
}

function writeObject(
  writer: Writer,
  value: CborValue & object,
  depth: number,
): void {
  if (value instanceof Uint8Array) {
    writeCborHead(writer, CBOR_MAJOR.bytes, value.length);
    writer.put(value);
  } else if (value instanceof CborFloat) {
    writeCborFloat(writer, value.value);
  } else if (value instanceof CborSimple) {
    writeCborHead(writer, CBOR_MAJOR.simple, value.value);
  } else if (depth === 0) {
    throw new RangeError(`CBOR must not nest more than ${MAX_DEPTH} deep`);
  } else if (Array.isArray(value)) {
    writeCborHead(writer, CBOR_MAJOR.array, value.length);
    for (const item of value) writeItem(writer, item, depth - 1);
  } else if (value instanceof Map) {
    if (value.size === 0) return void writer.u8(EMPTY_MAP);
    writeMap(writer, value, depth - 1);
  } else if (value instanceof CborTag) {
    writeTag(writer, value, depth - 1);
  } else {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw new TypeError("An instance of a class has no CBOR form");
    }
    writeMap(writer, Object.entries(value), depth - 1);
  }
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writeCborFloat(writer, value);
  } else if (value < 0) {
    writeCborHead(writer, CBOR_MAJOR.negative, -1 - value);
  } else {
    writeCborHead(writer, CBOR_MAJOR.unsigned, value);
  }
}

function writeBigint(writer: Writer, value: bigint): void {
  const argument = value < 0n ? -1n - value : value;
  if (argument < 1n << 64n) {
    const { negative, unsigned } = CBOR_MAJOR;
    writeCborHead(writer, value < 0n ? negative : unsigned, argument);
  } else { // RFC 8949 §3.4.3: a bignum without leading zeros
    const hex = argument.toString(16);
    const bytes = Uint8Array.fromHex(hex.length % 2 ? `0${hex}` : hex);
    writer.u8(value < 0n ? 0xc3 : 0xc2);
    writeCborHead(writer, CBOR_MAJOR.bytes, bytes.length);
    writer.put(bytes);
  }
}

function writeText(writer: Writer, value: string): void {
  if (isShortAscii(value)) {
    writeCborHead(writer, CBOR_MAJOR.text, value.length);
    for (let i = 0; i < value.length; i++) writer.u8(value.charCodeAt(i));
    return;
  }
  if (!value.isWellFormed()) {
    throw new TypeError("Text with an unpaired surrogate has no CBOR form");
  }
  const bytes = utf8(value);
  writeCborHead(writer, CBOR_MAJOR.text, bytes.length);
  writer.put(bytes);
}

/** Whether a loop over its characters is faster than a `TextEncoder`. */
function isShortAscii(text: string): boolean {
  if (text.length > 32) return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

function writeTag(
  writer: Writer,
  { tag, value }: CborTag,
  depth: number,
): void {
  if (Number(tag) === 2 || Number(tag) === 3) {
    throw new TypeError("A bignum must be given as a bigint, not as a tag");
  }
  writeCborHead(writer, CBOR_MAJOR.tag, tag);
  writeItem(writer, value, depth);
}

function writeMap(
  writer: Writer,
  entries: Iterable<readonly [CborValue, CborValue]>,
  depth: number,
): void {
  const keyWriter = new Writer(KEYS_ROOM);
  const ends: [end: number, value: CborValue][] = [];
  for (const [key, value] of entries) {
    writeItem(keyWriter, key, depth);
    ends.push([keyWriter.length, value]);
  }
  const keys = keyWriter.finish();
  let start = 0;
  const sorted = ends.map(([end, value]) => {
    const key = keys.subarray(start, end);
    start = end;
    return { key, value };
  }).sort((a, b) => compareBytes(a.key, b.key));
  writeCborHead(writer, CBOR_MAJOR.map, sorted.length);
  for (const [i, { key, value }] of sorted.entries()) {
    if (i > 0 && compareBytes(sorted[i - 1]!.key, key) === 0) {
      throw new TypeError("A CBOR map must not have the same key twice");
    }
    writer.put(key);
    writeItem(writer, value, depth);
  }
}
