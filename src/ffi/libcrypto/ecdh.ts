import type { Bytes } from "../../core/bytes/mod.ts";
import { CryptoError, type Ecdh, nodeProvider } from "../../core/crypto/mod.ts";
import { must, type Owned, owned, type Symbols } from "./library.ts";

const CURVES = {
  p256: { nid: 415, length: 32 }, // NID_X9_62_prime256v1
  p384: { nid: 715, length: 48 }, // NID_secp384r1
} as const;

const UNCOMPRESSED = 4; // POINT_CONVERSION_UNCOMPRESSED
const CONSTANT_TIME = 4; // BN_FLG_CONSTTIME

/** ECDH of libcrypto, on its points: to make its keys would cost more than the multiplication. */
export function ecdh(lib: Symbols, name: keyof typeof CURVES): Ecdh {
  const curve = new Curve(lib, name);
  return {
    length: curve.length,
    generateKeyPair() {
      for (;;) {
        const privateKey = nodeProvider.random(curve.length);
        using scalar = curve.number(privateKey);
        if (!curve.isScalar(scalar)) continue;
        return { privateKey, publicKey: curve.publicKey(scalar) };
      }
    },
    publicKey(privateKey) {
      using scalar = curve.scalar(privateKey);
      return curve.publicKey(scalar);
    },
    sharedSecret(privateKey, publicKey) {
      using scalar = curve.scalar(privateKey);
      return curve.sharedSecret(scalar, publicKey);
    },
  };
}

class Curve {
  /** Bytes of a scalar. */
  readonly length: number;
  readonly #lib: Symbols;
  readonly #group: Deno.PointerObject;
  readonly #order: Deno.PointerObject;

  constructor(lib: Symbols, name: keyof typeof CURVES) {
    const { nid, length } = CURVES[name];
    this.length = length;
    this.#lib = lib;
    const group = lib.EC_GROUP_new_by_curve_name(nid);
    this.#group = must(group, "EC_GROUP_new_by_curve_name");
    const order = lib.EC_GROUP_get0_order(this.#group);
    this.#order = must(order, "EC_GROUP_get0_order");
  }

  number(bytes: Uint8Array): Owned {
    const lib = this.#lib;
    const made = lib.BN_bin2bn(bytes, bytes.length, null);
    const number = owned(must(made, "BN_bin2bn"), lib.BN_clear_free);
    lib.BN_set_flags(number.pointer, CONSTANT_TIME);
    return number;
  }

  isScalar({ pointer }: Owned): boolean {
    return this.#lib.BN_is_zero(pointer) === 0 &&
      this.#lib.BN_cmp(pointer, this.#order) < 0;
  }

  scalar(privateKey: Uint8Array): Owned {
    const scalar = this.number(privateKey);
    if (this.isScalar(scalar)) return scalar;
    scalar[Symbol.dispose]();
    throw new RangeError("Private key out of range");
  }

  publicKey(scalar: Owned): Bytes {
    const lib = this.#lib;
    using context = this.#context();
    using point = this.#point();
    must(
      lib.EC_POINT_mul(
        this.#group,
        point.pointer,
        scalar.pointer,
        null,
        null,
        context.pointer,
      ),
      "EC_POINT_mul",
    );
    const out = new Uint8Array(1 + 2 * this.length);
    must(
      lib.EC_POINT_point2oct(
        this.#group,
        point.pointer,
        UNCOMPRESSED,
        out,
        BigInt(out.length),
        context.pointer,
      ),
      "EC_POINT_point2oct",
    );
    return out;
  }

  sharedSecret(scalar: Owned, publicKey: Uint8Array): Bytes {
    const lib = this.#lib;
    using context = this.#context();
    using peer = this.#point();
    using shared = this.#point();
    const length = BigInt(publicKey.length);
    const onCurve = lib.EC_POINT_oct2point(
      this.#group,
      peer.pointer,
      publicKey,
      length,
      context.pointer,
    );
    if (onCurve <= 0) {
      lib.ERR_clear_error();
      throw new CryptoError("invalid_key");
    }
    must(
      lib.EC_POINT_mul(
        this.#group,
        shared.pointer,
        null,
        peer.pointer,
        scalar.pointer,
        context.pointer,
      ),
      "EC_POINT_mul",
    );
    return this.#x(shared, context);
  }

  #x(point: Owned, context: Owned): Bytes {
    const lib = this.#lib;
    using x = this.number(new Uint8Array(1));
    must(
      lib.EC_POINT_get_affine_coordinates(
        this.#group,
        point.pointer,
        x.pointer,
        null,
        context.pointer,
      ),
      "EC_POINT_get_affine_coordinates",
    );
    const out = new Uint8Array(this.length);
    must(lib.BN_bn2binpad(x.pointer, out, out.length), "BN_bn2binpad");
    return out;
  }

  #context(): Owned {
    const lib = this.#lib;
    return owned(must(lib.BN_CTX_new(), "BN_CTX_new"), lib.BN_CTX_free);
  }

  #point(): Owned {
    const lib = this.#lib;
    const made = lib.EC_POINT_new(this.#group);
    return owned(must(made, "EC_POINT_new"), lib.EC_POINT_clear_free);
  }
}
