import type { Bytes, CborDecoded } from "../../core/bytes/mod.ts";
import { DirectoryError } from "./error.ts";

/** @throws {DirectoryError} `malformed`, always. */
export function malformed(reason: string): never {
  throw new DirectoryError("malformed", reason);
}

/** A byte string of `length`, if given, copied. */
export function bytesOf(value: CborDecoded, length?: number): Bytes {
  if (!(value instanceof Uint8Array)) return malformed("Want a byte string");
  if (length !== undefined && value.length !== length) {
    return malformed(`Want ${length} bytes: got ${value.length}`);
  }
  return new Uint8Array(value);
}

/** An integer from `min` to `max`. */
export function integerOf(
  value: CborDecoded,
  min: number,
  max: number,
): number {
  if (!Number.isSafeInteger(value)) return malformed("Want an integer");
  const number = Number(value);
  if (number < min || number > max) {
    return malformed(`Want ${min} to ${max}: got ${number}`);
  }
  return number;
}

/** An array of `min` to `max` items. */
export function arrayOf(
  value: CborDecoded,
  min: number,
  max: number,
): CborDecoded[] {
  if (!Array.isArray(value)) return malformed("Want an array");
  if (value.length < min || value.length > max) {
    return malformed(`Want ${min} to ${max} items: got ${value.length}`);
  }
  return value;
}

/** A text that `form` matches. */
export function textOf(value: CborDecoded, form: RegExp): string {
  return typeof value === "string" && form.test(value)
    ? value
    : malformed("Want a text of another form");
}

/** What `value` holds under the keys of `keys`, which are all it may hold; those named in `optional` may be absent, as `undefined`. */
export function mapOf<K extends string>(
  value: CborDecoded,
  keys: Readonly<Record<K, number>>,
  optional: readonly NoInfer<K>[] = [],
): Record<K, CborDecoded> {
  if (!(value instanceof Map)) return malformed("Want a map");
  const names = Object.keys(keys) as K[];
  const present = names.filter((name) => value.has(keys[name]));
  if (value.size !== present.length) return malformed("Want other keys");
  return Object.fromEntries(names.map((name) => {
    if (!present.includes(name) && !optional.includes(name)) {
      malformed(`Want key ${keys[name]}`);
    }
    return [name, value.get(keys[name])];
  })) as Record<K, CborDecoded>;
}
