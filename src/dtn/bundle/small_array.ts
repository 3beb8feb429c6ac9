import type { Bytes } from "../../core/bytes/mod.ts";

const SLAB_BYTES = 4_096;
const MAX_BYTES = 512;

let slab = new ArrayBuffer(SLAB_BYTES);
let at = 0;

/**
 * An array for `size` bytes that nobody else writes to; what is in it is to be written over.
 *
 * Up to 512 bytes come one behind the other in an `ArrayBuffer` of 4,096, as making one takes more time than filling it. An array keeps
 * alive the buffer that it is in, so 4 KiB at most, and must not be transferred to another thread: the others go with it.
 */
export function smallArray(size: number): Bytes {
  if (size > MAX_BYTES) return new Uint8Array(size);
  if (at + size > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    at = 0;
  }
  const array = new Uint8Array(slab, at, size);
  at += size;
  return array;
}
