/**
 * Group of a BLS12-381 signature: 96 bytes in G2 under keys of 48 bytes in G1, or the other way round.
 */
export type BlsSignatureGroup = "G1" | "G2";

/**
 * Whether `signature` over `message` is that of `publicKey`, both compressed, in the ciphersuite
 * `BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_` or that of G2 (draft-irtf-cfrg-bls-signature).
 *
 * It is `false` for what is no point, not of the right group, or the identity. The curve is loaded when it is first called,
 * since few programs need it.
 */
export async function verifyBls(
  group: BlsSignatureGroup,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { bls12_381 } = await import("@noble/curves/bls12-381.js");
  try {
    if (group === "G1") {
      const { hash, verify } = bls12_381.shortSignatures;
      return verify(signature, hash(message), publicKey);
    }
    const { hash, verify } = bls12_381.longSignatures;
    return verify(signature, hash(message), publicKey);
  } catch { // noble's way to say that something is not a point
    return false;
  }
}
