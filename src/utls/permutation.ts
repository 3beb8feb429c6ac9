import { Reader } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";

/**
 * 0 … `length` − 1, shuffled as BoringSSL does (`ssl_setup_extension_permutation`): Fisher–Yates, 32 random bits modulo the
 * number of places left, so that no order is more likely than another by more than 2^-24.
 */
export function permutation(crypto: CryptoProvider, length: number): number[] {
  const order = Array.from({ length }, (_, at) => at);
  const draws = new Reader(crypto.random(4 * Math.max(0, length - 1)), "draws");
  for (let at = length - 1; at > 0; at--) {
    const other = draws.u32() % (at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
