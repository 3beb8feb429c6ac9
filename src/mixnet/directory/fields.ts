import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  decodeCbor,
  DecodeError,
  encodeCbor,
  encodeHex,
} from "../../core/bytes/mod.ts";
import type { BeaconComponents } from "../beacon/beacon_set.ts";
import { DirectoryError } from "./error.ts";

/** What a network may be called. */
export const NETWORK_NAME = /^[a-z0-9.-]{1,64}$/;
/** Largest number of an epoch, whatever its length. */
export const MAX_EPOCH = 2 ** 43;

const MAX_COMPONENTS = 16;
const COMPONENT_NAME = /^[a-z0-9_]{1,32}$/;

/** @throws {DirectoryError} `malformed`, always. */
export function malformed(reason: string): never {
  throw new DirectoryError("malformed", reason);
}

/**
 * Decodes deterministic CBOR of at most `maxLength` bytes.
 *
 * @throws {DirectoryError} `malformed`.
 */
export function decode(
  bytes: Uint8Array,
  maxLength: number,
  maxDepth: number,
  maxItems: number,
): CborDecoded {
  if (bytes.length > maxLength) {
    return malformed(`Want at most ${maxLength} bytes: got ${bytes.length}`);
  }
  try {
    return decodeCbor(bytes, { maxDepth, maxItems });
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new DirectoryError("malformed", "Want deterministic CBOR", { cause });
  }
}

/** A CBOR map of `values` under the keys 1, 2, …, without those that are `undefined`. */
export function encodeFields(
  values: readonly (CborValue | undefined)[],
): Bytes {
  const entries = values.map((value, i) => [i + 1, value] as const);
  return encodeCbor(
    new Map(entries.filter(([, value]) => value !== undefined)),
  );
}

/** The values of a map under the keys from 1 to `count`, all of which it has, then `optional` that it may have; it has no others. */
export function fieldsOf(
  value: CborDecoded,
  count: number,
  optional = 0,
): CborDecoded[] {
  if (!(value instanceof Map)) return malformed("Want a map");
  const keys = Array.from({ length: count + optional }, (_, i) => i + 1);
  const there = keys.filter((key) => value.has(key));
  if (there.length !== value.size) return malformed("Want other keys");
  if (there.filter((key) => key <= count).length < count) {
    return malformed(`Want the keys 1 to ${count}`);
  }
  return keys.map((key) => value.get(key));
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

/** A SHA-256, or the empty byte string for none. */
export function hashOrNoneOf(value: CborDecoded): Bytes {
  const hash = bytesOf(value);
  return hash.length === 0 ? hash : bytesOf(value, 32);
}

/** At most `max` different byte strings of 32 bytes, ascending. */
export function hashesOf(value: CborDecoded, max: number): Bytes[] {
  let last = "";
  return arrayOf(value, 0, max).map((item) => {
    const hash = bytesOf(item, 32);
    const text = encodeHex(hash);
    if (text <= last) return malformed("Hashes out of order");
    last = text;
    return hash;
  });
}

/** The two fields of a beacon's components: a map of those that are there, and the names of the others. */
export function componentFields(
  components: BeaconComponents,
): [there: CborValue, missing: CborValue] {
  const there = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const [name, value] of components) {
    if (value) there.set(name, value);
    else missing.push(name);
  }
  return [there, missing.sort()];
}

/** Reads {@link componentFields}: at most 16 components, of 32 bytes each. */
export function componentsOf(
  there: CborDecoded,
  missing: CborDecoded,
): BeaconComponents {
  if (!(there instanceof Map)) return malformed("Want components");
  const components = new Map<string, Uint8Array | undefined>();
  for (const [name, value] of there) {
    components.set(textOf(name, COMPONENT_NAME), bytesOf(value, 32));
  }
  for (const name of arrayOf(missing, 0, MAX_COMPONENTS)) {
    const text = textOf(name, COMPONENT_NAME);
    if (components.has(text)) return malformed("A component twice");
    components.set(text, undefined);
  }
  if (components.size > MAX_COMPONENTS) return malformed("Many components");
  return components;
}
