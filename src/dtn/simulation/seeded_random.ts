/** Numbers from 0 up to 1 that a seed decides: xorshift of 32 bits (Marsaglia 2003). For simulations; nothing secret may depend on it. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  if (state === 0) throw new RangeError("A seed of 0 gives zeros only");
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
