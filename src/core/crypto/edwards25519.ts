import { ed25519, ed25519_hasher } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import type { Bytes } from "../bytes/mod.ts";
import { own } from "./own.ts";

type NoblePoint = InstanceType<typeof ed25519.Point>;

/** Order of the prime-order group of edwards25519 (RFC 8032 §5.1). */
export const EDWARDS25519_ORDER: bigint = ed25519.Point.Fn.ORDER;

/** A point of edwards25519 (RFC 8032 §5.1), for protocols that need the group itself. It runs in browsers too. */
export class EdwardsPoint {
  readonly #point: NoblePoint;

  private constructor(point: NoblePoint) {
    this.#point = point;
  }

  /** The base point B. */
  static readonly BASE: EdwardsPoint = new EdwardsPoint(ed25519.Point.BASE);

  /** The point that `bytes` are (RFC 8032 §5.1.3); `undefined` if they are none, or not its shortest form. */
  static fromBytes(bytes: Uint8Array): EdwardsPoint | undefined {
    if (bytes.length !== 32) return undefined;
    try {
      return new EdwardsPoint(ed25519.Point.fromBytes(bytes));
    } catch { // noble's way to say that it is not a point
      return undefined;
    }
  }

  /** `encode_to_curve` of edwards25519_XMD:SHA-512_ELL2_NU_ (RFC 9380 §8.5) with the separation tag `dst`. */
  static encodeToCurve(message: Uint8Array, dst: string): EdwardsPoint {
    const point = ed25519_hasher.encodeToCurve(message, { DST: dst });
    return new EdwardsPoint(point as NoblePoint);
  }

  /** This point plus `other`. */
  add(other: EdwardsPoint): EdwardsPoint {
    return new EdwardsPoint(this.#point.add(other.#point));
  }

  /** This point minus `other`. */
  subtract(other: EdwardsPoint): EdwardsPoint {
    return new EdwardsPoint(this.#point.subtract(other.#point));
  }

  /** `scalar`, 1 to the order minus 1, times this point; for secret scalars, in a time that hardly depends on them. */
  multiply(scalar: bigint): EdwardsPoint {
    return new EdwardsPoint(this.#point.multiply(scalar));
  }

  /** `scalar`, 0 to the order minus 1, times this point; for public scalars, faster. */
  multiplyPublic(scalar: bigint): EdwardsPoint {
    return new EdwardsPoint(this.#point.multiplyUnsafe(scalar));
  }

  /** The cofactor 8 times this point. */
  clearCofactor(): EdwardsPoint {
    return new EdwardsPoint(this.#point.clearCofactor());
  }

  /** Whether this is the identity, or becomes it when multiplied by the cofactor. */
  isSmallOrder(): boolean {
    return this.#point.isSmallOrder();
  }

  /** The 32 bytes of RFC 8032 §5.1.2. */
  toBytes(): Bytes {
    return own(this.#point.toBytes());
  }
}

/** `bytes` as a little-endian number, modulo {@link EDWARDS25519_ORDER}. */
export function edwardsScalar(bytes: Uint8Array): bigint {
  return bytesToNumberLE(bytes) % EDWARDS25519_ORDER;
}
