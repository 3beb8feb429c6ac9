/** The field of Curve25519 and the coefficient of y² = x³ + A·x² + x (RFC 7748 §4.1). */
const P = 2n ** 255n - 19n;
const A = 486_662n;

/**
 * Whether `key` can be an X25519 public key that somebody computed: a reduced u-coordinate of a point of the curve that is
 * twice another. Scalars are multiples of 8 and the base point is on the curve (RFC 7748 §5), so each such u, and u² + A·u + 1,
 * is a square; of random strings of 32 bytes, one in eight passes.
 */
export function isComputedX25519Key(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const u = BigInt(`0x${key.toReversed().toHex()}`);
  return u < P && isSquare(u) && isSquare((u * u + A * u + 1n) % P);
}

/** Whether the Jacobi symbol (value/P) is not −1. */
function isSquare(value: bigint): boolean {
  let a = value;
  let n = P;
  let sign = true;
  while (a !== 0n) {
    while ((a & 0xffn) === 0n) a >>= 8n; // an even power of 2 leaves the sign
    while ((a & 1n) === 0n) {
      a >>= 1n;
      const n8 = n & 7n;
      if (n8 === 3n || n8 === 5n) sign = !sign;
    }
    [a, n] = [n, a];
    if ((a & 3n) === 3n && (n & 3n) === 3n) sign = !sign;
    a %= n;
  }
  return sign;
}
