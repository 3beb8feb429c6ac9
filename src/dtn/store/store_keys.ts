/**
 * Keys of a bundle store.
 *
 * ```text
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
import { type Bytes, concat, Reader, utf8 } from "../../core/bytes/mod.ts";
import type { Priority } from "./bundle_entry.ts";

/** Where a bundle is. */
export interface Place {
  /** Of its class. */
  readonly rank: number;
  /** In the order of arrival. */
  readonly sequence: number;
}

const PREFIX = {
  totals: "t",
  entry: "m",
  bundle: "b",
  id: "i",
  to: "d",
  by: "e",
};
/** The first byte of each kind of key. */
export const KEY = Object.fromEntries(
  Object.entries(PREFIX).map(([name, text]) => [name, utf8(text)]),
) as Record<keyof typeof PREFIX, Bytes>;
/** The rank under the id of a bundle that is gone. */
export const GONE = 255;
/** Where a bundle is that is long. */
export function bundleKey({ sequence }: Place): Bytes {
  return concat(KEY.bundle, sequenceBytes(sequence));
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
  return concat(KEY.entry, placeBytes(place));
}

/** Where it is by its expiry. */
export function expiryKey(expiresMs: number, place: Place): Bytes {
  return concat(KEY.by, sequenceBytes(expiresMs), placeBytes(place));
}

/** What stands under the id of a bundle: until when, and where it is. */
export function idValue(expiresMs: number, place: Place): Bytes {
  return concat(sequenceBytes(expiresMs), placeBytes(place));
}

/** Rank and sequence. */
export function placeBytes({ rank, sequence }: Place): Bytes {
  const bytes = new Uint8Array(7);
  bytes[0] = rank;
  bytes.set(sequenceBytes(sequence), 1);
  return bytes;
}

/** The place that {@link placeBytes} wrote. */
export function placeIn(bytes: Uint8Array): Place {
  const reader = new Reader(bytes, "place of a bundle");
  return { rank: reader.u8(), sequence: u48(reader) };
}

/** `value`, below 2^48, big-endian. */
function sequenceBytes(value: number): Bytes {
  const bytes = new Uint8Array(6);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(value / 2 ** 32));
  view.setUint32(2, value % 2 ** 32);
  return bytes;
}

/** An integer below 2^48, big-endian. */
export function u48(reader: Reader): number {
  return reader.u16() * 2 ** 32 + reader.u32();
}
