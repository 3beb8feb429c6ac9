/**
 * Keys of a bundle store.
 *
 * ```text
 * c                                  nothing, sealed if the others are
 * t                                  next sequence, ids known, bundles and bytes by class
 * m ‖ rank u8 ‖ sequence u48         entry, and the bundle if it is short; rank 0 is expedited
 * b ‖ sequence u48                   the bundle, if it is long
 * i ‖ tag of the id 16               expires u48 ‖ rank u8 ‖ sequence u48; rank 255: gone, and known until it expires
 * d ‖ tag of the destination 8 ‖ rank u8 ‖ sequence u48
 * e ‖ expires u48 ‖ rank u8 ‖ sequence u48
 * ```
 *
 * @module
 */
import { type Bytes, Reader, utf8 } from "../../core/bytes/mod.ts";
import type { Place, Priority } from "./bundle_entry.ts";

/** The first byte of each kind of key. */
export const KEY = {
  mark: utf8("c"),
  totals: utf8("t"),
  entry: utf8("m"),
  bundle: utf8("b"),
  id: utf8("i"),
  to: utf8("d"),
  by: utf8("e"),
} as const;
/** The rank under the id of a bundle that is gone. */
export const GONE = 255;

/** Whether `place` comes before `other`. */
export function isBefore(place: Place, other: Place): boolean {
  return place.rank < other.rank ||
    place.rank === other.rank && place.sequence < other.sequence;
}

/** Where a bundle is that is long. */
export function bundleKey({ sequence }: Place): Bytes {
  const key = new Uint8Array(7);
  key.set(KEY.bundle);
  writeU48(key, 1, sequence);
  return key;
}

/** The rank of a class in keys: the first is served first. */
export function rankOf(priority: Priority): number {
  return 2 - priority;
}

/** The class of a rank. */
export function priorityOf(rank: number): Priority {
  return 2 - rank as Priority;
}

/** Where the entry of a bundle is. */
export function entryKey(place: Place): Bytes {
  const key = new Uint8Array(8);
  key.set(KEY.entry);
  writePlace(key, 1, place);
  return key;
}

/** Where it is by its expiry. */
export function expiryKey(expiresMs: number, place: Place): Bytes {
  const key = new Uint8Array(14);
  key.set(KEY.by);
  writeU48(key, 1, expiresMs);
  writePlace(key, 7, place);
  return key;
}

/** Where it is by its destination, of which `tag` stands for it. */
export function destinationKey(tag: Uint8Array, place: Place): Bytes {
  const key = new Uint8Array(1 + tag.length + 7);
  key.set(KEY.to);
  key.set(tag, 1);
  writePlace(key, 1 + tag.length, place);
  return key;
}

/** What stands under the id of a bundle: until when, and where it is. */
export function idValue(expiresMs: number, place: Place): Bytes {
  const value = new Uint8Array(13);
  writeU48(value, 0, expiresMs);
  writePlace(value, 6, place);
  return value;
}

/** The place at the end of a key or value. */
export function placeIn(bytes: Uint8Array): Place {
  const reader = new Reader(bytes, "place of a bundle");
  return { rank: reader.u8(), sequence: u48(reader) };
}

function writePlace(
  bytes: Uint8Array,
  at: number,
  { rank, sequence }: Place,
): void {
  bytes[at] = rank;
  writeU48(bytes, at + 1, sequence);
}

/** `value`, below 2^48, big-endian. */
function writeU48(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  bytes[at + 2] = value >>> 24;
  bytes[at + 3] = value >>> 16;
  bytes[at + 4] = value >>> 8;
  bytes[at + 5] = value;
}

/** An integer below 2^48, big-endian. */
export function u48(reader: Reader): number {
  return reader.u16() * 2 ** 32 + reader.u32();
}
