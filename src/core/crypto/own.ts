import type { Bytes } from "../bytes/mod.ts";

/** `bytes` as a plain `Uint8Array` that shares its buffer with nothing, copied only if it is a piece of a larger one. */
export function own(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer &&
      bytes.buffer.byteLength === bytes.length
    ? new Uint8Array(bytes.buffer)
    : new Uint8Array(bytes);
}
