import type { Bytes } from "../../core/bytes/mod.ts";
import { BeaconError } from "./error.ts";

/** The members of a JSON object, each of which is still to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_TEXT = 256;

/** `value` as an object. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : malformed("Want an object");
}

/** `value` as a non-negative safe integer. */
export function numberOf(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) >= 0
    ? Number(value)
    : malformed("Want a non-negative integer");
}

/** `value` as a text of at most 256 characters. */
export function textOf(value: unknown): string {
  return typeof value === "string" && value.length <= MAX_TEXT
    ? value
    : malformed(`Want a text of at most ${MAX_TEXT} characters`);
}

/** `value` as hexadecimal digits of either case for so many bytes, `maxLength` if there are two. */
export function hexOf(
  value: unknown,
  minLength: number,
  maxLength: number = minLength,
): Bytes {
  const digits = typeof value === "string" ? value.length / 2 : -1;
  if (
    digits < minLength || digits > maxLength ||
    !/^(?:[0-9a-f]{2})*$/i.test(value as string)
  ) return malformed(`Want ${minLength} bytes in hexadecimal`);
  return Uint8Array.fromHex(value as string);
}

/** Throws. */
export function malformed(what: string): never {
  throw new BeaconError("malformed", what);
}
