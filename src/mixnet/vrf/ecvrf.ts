/**
 * Verifiable random functions of RFC 9381: ECVRF over edwards25519 with SHA-512.
 *
 * ```text
 * proof (pi)   Gamma 32 ‖ c 16 ‖ s 32, numbers little-endian
 * output       64 bytes (beta), pseudorandom to whoever has no proof
 * ```
 *
 * @module
 */
import { type Bytes, concat } from "../../core/bytes/mod.ts";
import {
  type CryptoProvider,
  EDWARDS25519_ORDER,
  EdwardsPoint,
  edwardsScalar,
} from "../../core/crypto/mod.ts";

/** A ciphersuite of RFC 9381 §5.5; they differ in how they encode the input to the curve. */
export type VrfSuite = "TAI" | "ELL2";

/** Bytes of a proof. */
export const VRF_PROOF_LENGTH = 80;

const SUITE_STRING = { TAI: 0x03, ELL2: 0x04 } as const;
const ELL2_TAG = "ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04";
/** Second bytes of what is hashed (§5). */
const DOMAIN = { encode: 0x01, challenge: 0x02, output: 0x03, end: 0x00 };
const POINT_LENGTH = 32;
const CHALLENGE_LENGTH = 16;

/** The public key, 32 bytes, of the 32-byte `seed`: that of Ed25519. */
export function vrfPublicKey(crypto: CryptoProvider, seed: Uint8Array): Bytes {
  return crypto.ed25519.publicKey(seed);
}

/**
 * The output for `alpha` without a proof of it, at about a third of the work of {@link vrfProve}.
 *
 * @param seed 32 bytes.
 */
export function vrfHash(
  crypto: CryptoProvider,
  suite: VrfSuite,
  seed: Uint8Array,
  alpha: Uint8Array,
): Bytes {
  const { x, publicKey } = expandSeed(crypto, seed);
  const h = encodeToCurve(crypto, suite, publicKey, alpha);
  return output(crypto, suite, h.multiply(x));
}

/**
 * A proof of the output for `alpha` (§5.1), 80 bytes. The same inputs give the same proof.
 *
 * @param seed 32 bytes.
 */
export function vrfProve(
  crypto: CryptoProvider,
  suite: VrfSuite,
  seed: Uint8Array,
  alpha: Uint8Array,
): Bytes {
  const { x, publicKey, nonceKey } = expandSeed(crypto, seed);
  const h = encodeToCurve(crypto, suite, publicKey, alpha);
  const hBytes = h.toBytes();
  const gamma = h.multiply(x);
  const k = edwardsScalar(crypto.hash("sha512", nonceKey, hBytes)); // §5.4.2.2
  const c = challenge(
    crypto,
    suite,
    publicKey,
    hBytes,
    gamma.toBytes(),
    EdwardsPoint.BASE.multiply(k).toBytes(),
    h.multiply(k).toBytes(),
  );
  const s = (k + edwardsScalar(c) * x) % EDWARDS25519_ORDER;
  return concat(gamma.toBytes(), c, scalarBytes(s));
}

/**
 * The output that `proof` proves for `alpha` under `publicKey` (§5.3), or `undefined` if it proves none: keys of small
 * order, points not on the curve and numbers that are not reduced are refused (§5.4.5).
 */
export function vrfVerify(
  crypto: CryptoProvider,
  suite: VrfSuite,
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Bytes | undefined {
  const y = EdwardsPoint.fromBytes(publicKey);
  if (!y || y.isSmallOrder() || proof.length !== VRF_PROOF_LENGTH) return;
  const gammaBytes = proof.subarray(0, POINT_LENGTH);
  const gamma = EdwardsPoint.fromBytes(gammaBytes);
  const cBytes = proof.subarray(POINT_LENGTH, POINT_LENGTH + CHALLENGE_LENGTH);
  const sBytes = proof.subarray(POINT_LENGTH + CHALLENGE_LENGTH);
  const s = edwardsScalar(sBytes);
  if (!gamma || !isSame(scalarBytes(s), sBytes)) return;
  const c = edwardsScalar(cBytes);
  const h = encodeToCurve(crypto, suite, publicKey, alpha);
  const u = EdwardsPoint.BASE.multiplyPublic(s).subtract(y.multiplyPublic(c));
  const v = h.multiplyPublic(s).subtract(gamma.multiplyPublic(c));
  const expected = challenge(
    crypto,
    suite,
    publicKey,
    h.toBytes(),
    gammaBytes,
    u.toBytes(),
    v.toBytes(),
  );
  return isSame(expected, cBytes) ? output(crypto, suite, gamma) : undefined;
}

function expandSeed(crypto: CryptoProvider, seed: Uint8Array) {
  if (seed.length !== 32) {
    throw new RangeError(`A VRF seed has 32 bytes: got ${seed.length}`);
  }
  const expanded = crypto.hash("sha512", seed);
  const scalar = expanded.slice(0, 32);
  scalar[0]! &= 0xf8;
  scalar[31]! = scalar[31]! & 0x7f | 0x40;
  return {
    x: edwardsScalar(scalar),
    nonceKey: expanded.subarray(32),
    publicKey: vrfPublicKey(crypto, seed),
  };
}

/** ECVRF_encode_to_curve (§5.4.1), salted with the public key. */
function encodeToCurve(
  crypto: CryptoProvider,
  suite: VrfSuite,
  publicKey: Uint8Array,
  alpha: Uint8Array,
): EdwardsPoint {
  return suite === "ELL2"
    ? EdwardsPoint.encodeToCurve(concat(publicKey, alpha), ELL2_TAG)
    : tryAndIncrement(crypto, publicKey, alpha);
}

/** §5.4.1.1: in a time that depends on `alpha`, which is public here. */
function tryAndIncrement(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
  alpha: Uint8Array,
): EdwardsPoint {
  for (let counter = 0; counter < 256; counter++) {
    const hash = crypto.hash(
      "sha512",
      Uint8Array.of(SUITE_STRING.TAI, DOMAIN.encode),
      publicKey,
      alpha,
      Uint8Array.of(counter, DOMAIN.end),
    );
    const point = EdwardsPoint.fromBytes(hash.subarray(0, POINT_LENGTH));
    if (point && !point.isSmallOrder()) return point.clearCofactor();
  }
  throw new Error("None of 256 hashes is a point"); // 2^-256
}

/** ECVRF_challenge_generation (§5.4.3). */
function challenge(
  crypto: CryptoProvider,
  suite: VrfSuite,
  ...points: readonly Uint8Array[]
): Bytes {
  const hash = crypto.hash(
    "sha512",
    Uint8Array.of(SUITE_STRING[suite], DOMAIN.challenge),
    ...points,
    Uint8Array.of(DOMAIN.end),
  );
  return hash.slice(0, CHALLENGE_LENGTH);
}

/** ECVRF_proof_to_hash (§5.2). */
function output(
  crypto: CryptoProvider,
  suite: VrfSuite,
  gamma: EdwardsPoint,
): Bytes {
  return crypto.hash(
    "sha512",
    Uint8Array.of(SUITE_STRING[suite], DOMAIN.output),
    gamma.clearCofactor().toBytes(),
    Uint8Array.of(DOMAIN.end),
  );
}

function scalarBytes(scalar: bigint): Bytes {
  return Uint8Array.fromHex(scalar.toString(16).padStart(64, "0")).reverse();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
