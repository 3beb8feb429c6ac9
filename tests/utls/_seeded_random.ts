import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";

const BLOCK_LENGTH = 65_536;

/** Random bytes that are the same for the same seed: AES-128 in counter mode, fast enough for statistics. */
export function seededRandom(seed: number): (length: number) => Bytes {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, seed);
  const counter = new Uint8Array(16);
  let block = new Uint8Array(0);
  return (length) => {
    if (length > block.length) {
      new DataView(counter.buffer).setUint32(
        0,
        new DataView(counter.buffer).getUint32(0) + 1,
      );
      block = nodeProvider.aesCtr(key, counter, new Uint8Array(BLOCK_LENGTH));
    }
    const bytes = block.slice(0, length);
    block = block.subarray(length);
    return bytes;
  };
}
