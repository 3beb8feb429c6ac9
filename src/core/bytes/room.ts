import type { Bytes } from "./bytes.ts";

/** Rooms that are kept, and their size: what holds 256 KiB and what framing adds to it. */
const MAX_KEPT = 4;
const ROOM_BYTES = (1 << 18) + (1 << 12);
/** An array below it costs less to make than a room to keep. */
const MIN_BYTES = 1 << 16;

const kept: Bytes[] = [];

/**
 * An array of `length` bytes for a while, with anything in it. Give a large one back with {@link giveBack} once nobody uses it, as a
 * new one costs a page fault for each of its pages; what is not given back is garbage.
 */
export function borrow(length: number): Bytes {
  if (length < MIN_BYTES || length > ROOM_BYTES) return new Uint8Array(length);
  const room = kept.pop() ?? new Uint8Array(ROOM_BYTES);
  return room.subarray(0, length);
}

/** Takes an array of {@link borrow} back, for the next borrower; one that is not kept is freed. At most 4 are, about 1 MiB. */
export function giveBack({ buffer }: Bytes): void {
  if (buffer.byteLength === ROOM_BYTES && kept.length < MAX_KEPT) {
    kept.push(new Uint8Array(buffer));
  } else buffer.transfer(0); // as garbage it would call for collections
}
