import {
  type Bytes,
  type CborDecoded,
  decodeCbor,
  DecodeError,
} from "../core/bytes/mod.ts";

/** Reads the fields of a decoded CBOR value, each of one kind and in bounds; what it gives keeps nothing of the bytes decoded. */
export class FieldReader {
  readonly #what: string;

  /** @param what - What is read, for error messages. */
  constructor(what: string) {
    this.#what = what;
  }

  /** The error for a value that is not as wanted. */
  malformed(reason: string): DecodeError {
    return new DecodeError(this.#what, reason);
  }

  /**
   * The items of the one array that `bytes` hold; byte strings in it borrow from them.
   *
   * @throws {DecodeError} If it is another thing, has not `length` items, or more than `maxItems` in all.
   */
  items(
    bytes: Uint8Array,
    length: number,
    options: { readonly maxDepth: number; readonly maxItems: number },
  ): readonly CborDecoded[] {
    return this.array(decodeCbor(bytes, options, this.#what), length, length);
  }

  /**
   * The 1 to `max` items of the one array that `bytes` hold; byte strings in it borrow from them.
   *
   * @throws {DecodeError} If it is another thing, or has more than `maxItems` in all.
   */
  list(
    bytes: Uint8Array,
    max: number,
    options: { readonly maxDepth: number; readonly maxItems: number },
  ): readonly CborDecoded[] {
    return this.array(decodeCbor(bytes, options, this.#what), max, 1);
  }

  /** An array of `min` to `max`. */
  array(value: CborDecoded, max: number, min = 0): readonly CborDecoded[] {
    if (Array.isArray(value) && value.length >= min && value.length <= max) {
      return value;
    }
    throw this.malformed(`want an array of ${min} to ${max}`);
  }

  /** A copy of a byte string of `length`. */
  bytes(value: CborDecoded, length: number): Bytes {
    return this.bytesUpTo(value, length, length);
  }

  /** A copy of a byte string of `min` to `max`. */
  bytesUpTo(value: CborDecoded, max: number, min = 0): Bytes {
    if (
      value instanceof Uint8Array && value.length >= min &&
      value.length <= max
    ) return value.slice();
    throw this.malformed(`want ${min} to ${max} bytes`);
  }

  /** An integer from 0 to 2^53 − 1. */
  unsigned(value: CborDecoded): number {
    if (
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ) return value;
    throw this.malformed("want an unsigned integer");
  }

  /** A text of `min` to `max` UTF-16 units. */
  text(value: CborDecoded, max: number, min = 0): string {
    if (
      typeof value === "string" && value.length >= min && value.length <= max
    ) return value;
    throw this.malformed(`want a text of ${min} to ${max} characters`);
  }

  /** The one of `names` that has this number. */
  name<Name extends string>(
    value: CborDecoded,
    names: readonly Name[],
  ): Name {
    const name = names[this.unsigned(value)];
    if (name !== undefined) return name;
    throw this.malformed(`want one of ${names.join(", ")}, by its number`);
  }
}
