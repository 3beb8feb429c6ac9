/**
 * What CBOR (RFC 8949) values are in TypeScript.
 *
 * ```text
 * CBOR                         decoded as              encoded from
 * integer within ±(2^53 - 1)   number                  number, bigint
 * other integer, bignum        bigint                  bigint
 * float                        number, or CborFloat    number that is no safe integer, CborFloat
 *                              if it is a safe integer
 * byte string                  Uint8Array              Uint8Array
 * text string                  string                  string
 * array                        array                   array
 * map                          Map                     Map, plain object
 * tag                          CborTag                 CborTag
 * false true null undefined    themselves              themselves
 * other simple value           CborSimple              CborSimple
 * ```
 *
 * So a value that was decoded in deterministic form encodes to the same bytes again.
 *
 * @module
 */

/** A value that {@link encodeCbor} writes; see the table of the module. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<CborValue, CborValue>
  | CborTag
  | CborFloat
  | CborSimple
  | { readonly [key: string]: CborValue };

/** A value that {@link decodeCbor} returns: maps are always `Map`, so a peer's key never becomes a property. */
export type CborDecoded =
  | Exclude<
    CborValue,
    | readonly CborValue[]
    | ReadonlyMap<CborValue, CborValue>
    | CborTag
    | { readonly [key: string]: CborValue }
  >
  | CborDecoded[]
  | Map<CborDecoded, CborDecoded>
  | CborTag<CborDecoded>;

/** A tagged value (RFC 8949 §3.4). Bignums, tags 2 and 3, are `bigint` instead. */
export class CborTag<Value extends CborValue = CborValue> {
  /** Tag number, 0 … 2^64 − 1. */
  readonly tag: number | bigint;
  /** What the tag applies to. */
  readonly value: Value;

  /** Puts `tag` on `value`. */
  constructor(tag: number | bigint, value: Value) {
    this.tag = tag;
    this.value = value;
  }
}

/** A float, for values that as a `number` would be written as an integer, e.g. `1.0`. */
export class CborFloat {
  /** The number. */
  readonly value: number;

  /** Makes `value` a float whatever it is. */
  constructor(value: number) {
    this.value = value;
  }
}

/** A simple value without a TypeScript counterpart (RFC 8949 §3.3): 0 … 19 or 32 … 255. */
export class CborSimple {
  /** Number of the simple value. */
  readonly value: number;

  /**
   * Names the simple value by its number.
   *
   * @throws {RangeError} If `value` is not an integer in 0..19 or 32..255.
   */
  constructor(value: number) {
    if (
      !Number.isInteger(value) || value < 0 || value > 255 ||
      value >> 5 === 0 && value > 19
    ) {
      throw new RangeError(
        `A simple value must be an integer in 0..19 or 32..255: got ${value}`,
      );
    }
    this.value = value;
  }
}
