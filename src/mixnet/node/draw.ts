import type { CryptoProvider } from "../../core/crypto/mod.ts";

/** Draws uniformly from [0, 1), as `Math.random` does. */
export type Random = () => number;

const BLOCK_DRAWS = 128;
const DRAW_BYTES = 8;

/** Uniform draws of 53 bits from the generator of `crypto`, which is asked for {@link BLOCK_DRAWS} of them at a time. */
export function secureRandom(crypto: Pick<CryptoProvider, "random">): Random {
  let block = new DataView(new ArrayBuffer(0));
  let at = 0;
  return () => {
    if (at === block.byteLength) {
      block = new DataView(crypto.random(BLOCK_DRAWS * DRAW_BYTES).buffer);
      at = 0;
    }
    const high = block.getUint32(at) >>> 5;
    const low = block.getUint32(at + 4) >>> 6;
    at += DRAW_BYTES;
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
}

/** A draw from the exponential distribution with this mean, by its inverse CDF. */
export function drawExponential(random: Random, mean: number): number {
  return -mean * Math.log1p(-random());
}

/** A draw from the exponential distribution with this mean, drawn again while it is above `max`: a cut tail, not an atom at its end. */
export function drawExponentialUpTo(
  random: Random,
  mean: number,
  max: number,
): number {
  for (;;) {
    const value = drawExponential(random, mean);
    if (value <= max) return value;
  }
}

/** Puts `items` into a uniformly random order, in place (Fisher–Yates). */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
