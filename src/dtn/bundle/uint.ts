/** A CBOR unsigned integer: a `bigint` only above 2^53 − 1, so that each value has one form. At most 2^64 − 1. */
export type Uint = number | bigint;

const LIMIT = 1n << 64n;

/** Bytes of `value` in its shortest CBOR form: 1, 2, 3, 5 or 9. */
export function uintSize(value: Uint): number {
  if (value < 24) return 1;
  if (value < 0x100) return 2;
  if (value < 0x10000) return 3;
  return value < 0x100000000 ? 5 : 9;
}

/** Whether `value` is an integer in 0 … 2^64 − 1 in the form that {@link Uint} says. */
export function isUint(value: Uint): boolean {
  return typeof value === "number"
    ? Number.isSafeInteger(value) && value >= 0
    : value > Number.MAX_SAFE_INTEGER && value < LIMIT;
}
