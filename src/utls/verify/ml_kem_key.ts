/** ML-KEM's modulus (FIPS 203 §2.3), and the bytes of the seed ρ behind the coefficients. */
const Q = 3_329;
const RHO_LENGTH = 32;

/**
 * Whether every coefficient of an encapsulation key is below q, as FIPS 203 §7.2 has receivers check: of random bytes that is so
 * once in 2^230 keys.
 */
export function isReducedMlKemKey(key: Uint8Array): boolean {
  for (let i = 0; i + 3 <= key.length - RHO_LENGTH; i += 3) {
    const [a, b, c] = [key[i]!, key[i + 1]!, key[i + 2]!];
    if ((a | (b & 15) << 8) >= Q || (b >> 4 | c << 4) >= Q) return false;
  }
  return true;
}
