import type { KeyObject } from "node:crypto";
import type { Bytes } from "../bytes/mod.ts";
import { nodeCrypto } from "./node_crypto.ts";
import { own } from "./own.ts";
import {
  algorithmOf,
  fits,
  SIGNATURE_SCHEME,
  type SignatureScheme,
  withPadding,
} from "./signature.ts";

const PKCS1_SCHEMES: readonly SignatureScheme[] = [
  SIGNATURE_SCHEME.rsaPkcs1Sha256,
  SIGNATURE_SCHEME.rsaPkcs1Sha384,
  SIGNATURE_SCHEME.rsaPkcs1Sha512,
];

/**
 * The signing key in `pkcs8` (PKCS #8 in DER, not encrypted): RSA, RSA-PSS, ECDSA on P-256, P-384 or P-521, Ed25519.
 *
 * @throws {TypeError} If it is not such a key, or no scheme of TLS 1.3 fits it.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { importSigningKey, verifySignature } from "./mod.ts";
 *
 * const pkcs8 = Uint8Array.fromHex(
 *   "302e020100300506032b657004220420" + "07".repeat(32),
 * );
 * using key = importSigningKey(pkcs8);
 * const message = Uint8Array.of(1, 2, 3);
 * const scheme = key.schemes[0]!;
 * const signature = key.sign(scheme, message);
 * assert(verifySignature(scheme, key.publicKeySpki, message, signature));
 * ```
 */
export function importSigningKey(pkcs8: Uint8Array): SigningKey {
  const node = nodeCrypto();
  let key: KeyObject;
  try {
    key = node.createPrivateKey({
      key: pkcs8 as Buffer,
      format: "der",
      type: "pkcs8",
    });
  } catch { // the cause would show the key
    throw new TypeError("Want a private key in PKCS #8");
  }
  const signingKey = new SigningKey(key);
  if (signingKey.schemes.length === 0) {
    throw new TypeError("Want a private key that TLS 1.3 can sign with");
  }
  return signingKey;
}

/**
 * The private key of a certificate.
 *
 * Dispose gives it up; the runtime holds the key's bytes, so that they cannot be wiped.
 */
export class SigningKey implements Disposable {
  /** What it signs with, best first; an RSA key signs with RSA-PSS only, as TLS 1.3 asks. */
  readonly schemes: readonly SignatureScheme[];
  /** Its public key: SubjectPublicKeyInfo in DER, as in a certificate for it. */
  readonly publicKeySpki: Bytes;
  #key: KeyObject | undefined;

  /** Wraps a key of `node:crypto`; see {@link importSigningKey}. */
  constructor(key: KeyObject) {
    this.#key = key;
    this.schemes = Object.values(SIGNATURE_SCHEME).filter((scheme) =>
      !PKCS1_SCHEMES.includes(scheme) && fits(algorithmOf(scheme), key)
    );
    const publicKey = nodeCrypto().createPublicKey(key as unknown as string);
    this.publicKeySpki = own(publicKey.export({ format: "der", type: "spki" }));
  }

  /**
   * Signs `message`.
   *
   * @throws {RangeError} If `scheme` is not one of {@link SigningKey.schemes}.
   * @throws {TypeError} After dispose.
   */
  sign(scheme: SignatureScheme, message: Uint8Array): Bytes {
    if (!this.#key) throw new TypeError("Cannot use a disposed signing key");
    if (!this.schemes.includes(scheme)) {
      throw new RangeError(`Want one of the key's schemes: got ${scheme}`);
    }
    const algorithm = algorithmOf(scheme);
    const key = withPadding(algorithm, this.#key);
    return own(nodeCrypto().sign(algorithm.hash, message, key));
  }

  /** Gives up the key; every later signature throws. */
  [Symbol.dispose](): void {
    this.#key = undefined;
  }
}
