import { type Bytes, concat } from "../../src/core/bytes/mod.ts";

/** One to four changes: flipped bits, random bytes, cuts, insertions, repeated pieces. */
export function mutate(
  bytes: Uint8Array,
  random: (below: number) => number,
): Bytes {
  let out = new Uint8Array(bytes);
  for (let n = random(4); n >= 0; n--) {
    const at = random(out.length || 1);
    const piece = out.subarray(at, at + 1 + random(64));
    switch (random(6)) {
      case 0:
        out = concat(out.subarray(0, at), Uint8Array.of(random(256)), piece);
        break;
      case 1:
        out = concat(out.subarray(0, at), out.subarray(at + piece.length));
        break;
      case 2:
        out = concat(out.subarray(0, at), piece, out.subarray(at));
        break;
      case 3:
        if (out.length) out[at] = random(256);
        break;
      default:
        if (out.length) out[at]! ^= 1 << random(8);
    }
  }
  return out;
}

/** Mulberry32: the same numbers for the same seed. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ state >>> 15, state | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * below);
  };
}
