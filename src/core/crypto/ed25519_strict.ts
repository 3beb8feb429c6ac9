/**
 * The rules that decide which Ed25519 keys and signatures are looked at, the same for every provider.
 *
 * @module
 */

/** p = 2^255 − 19, little-endian. */
const FIELD_PRIME = Uint8Array.fromHex("ed" + "ff".repeat(30) + "7f");
/** L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const GROUP_ORDER = Uint8Array.fromHex(
  "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
);
/** The y coordinates of the eight points whose order divides 8, little-endian, sign bit clear. */
const SMALL_ORDER_Y = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/**
 * Whether `publicKey` and `signature` have the right lengths, the key's y is below p and not that of a small-order
 * point, and S is below the group order (RFC 8032 §5.1.7).
 */
export function isStrictSignature(
  publicKey: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const y = new Uint8Array(publicKey);
  y[31]! &= 0x7f;
  return isBelow(signature.subarray(32), GROUP_ORDER) &&
    isBelow(y, FIELD_PRIME) && !SMALL_ORDER_Y.includes(y.toHex());
}

/** Whether `a` < `b`, both 32 bytes little-endian; every value here is public. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    if (a[i] !== b[i]) return a[i]! < b[i]!;
  }
  return false;
}
