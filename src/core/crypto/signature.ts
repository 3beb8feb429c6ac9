import type { KeyObject, VerifyKeyObjectInput } from "node:crypto";
import { isStrictSignature } from "./ed25519_strict.ts";
import { nodeCrypto } from "./node_crypto.ts";

/** Signature algorithms of TLS 1.3 and of its certificates, with their IANA numbers (RFC 8446 §4.2.3). */
export const SIGNATURE_SCHEME = {
  rsaPkcs1Sha256: 0x0401,
  rsaPkcs1Sha384: 0x0501,
  rsaPkcs1Sha512: 0x0601,
  ecdsaSecp256r1Sha256: 0x0403,
  ecdsaSecp384r1Sha384: 0x0503,
  ecdsaSecp521r1Sha512: 0x0603,
  rsaPssRsaeSha256: 0x0804,
  rsaPssRsaeSha384: 0x0805,
  rsaPssRsaeSha512: 0x0806,
  ed25519: 0x0807,
  rsaPssPssSha256: 0x0809,
  rsaPssPssSha384: 0x080a,
  rsaPssPssSha512: 0x080b,
} as const;

/** A value of {@link SIGNATURE_SCHEME}. */
export type SignatureScheme =
  typeof SIGNATURE_SCHEME[keyof typeof SIGNATURE_SCHEME];

/**
 * Whether `signature` over `message` is that of `publicKeySpki` (SubjectPublicKeyInfo in DER) under `scheme`.
 *
 * It is `false` for anything malformed, for a key of another type or curve than `scheme` says, for RSA moduli outside
 * 2,048 to 8,192 bits or exponents outside 3 to 2^33 − 1, for an RSA-PSS key whose parameters forbid `scheme`, and for an
 * ECDSA signature that is not strict DER. Ed25519 follows the rules of {@link Ed25519.verify}.
 *
 * There is one implementation, `node:crypto`: no portable package of ours has RSA.
 *
 * @throws {TypeError} Where there is no `node:crypto`.
 * @throws {RangeError} If `scheme` is not one of {@link SIGNATURE_SCHEME}.
 */
export function verifySignature(
  scheme: SignatureScheme,
  publicKeySpki: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = algorithmOf(scheme);
  const node = nodeCrypto();
  try {
    const key = node.createPublicKey({
      key: publicKeySpki as Buffer,
      format: "der",
      type: "spki",
    });
    if (!fits(algorithm, key)) return false;
    if (algorithm.keyType === "ed25519") {
      const raw = publicKeySpki.subarray(-ED25519_KEY_LENGTH);
      if (!isStrictSignature(raw, signature)) return false;
    }
    const { hash } = algorithm;
    return node.verify(hash, message, withPadding(algorithm, key), signature);
  } catch { // not a key, or not a signature
    return false;
  }
}

const ED25519_KEY_LENGTH = 32;
const RSA_BITS = { min: 2048, max: 8192 } as const;
const RSA_EXPONENT = { min: 3n, max: 2n ** 33n - 1n } as const;
const HASH_LENGTH = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** What a scheme asks of its key, in the words of `node:crypto`. */
interface Algorithm {
  readonly keyType: "ec" | "ed25519" | "rsa" | "rsa-pss";
  readonly namedCurve?: string;
  readonly isPss?: boolean;
  /** `null` if the algorithm has its own. */
  readonly hash: keyof typeof HASH_LENGTH | null;
}

const ALGORITHMS: Readonly<Record<SignatureScheme, Algorithm>> = {
  0x0401: { keyType: "rsa", hash: "sha256" },
  0x0501: { keyType: "rsa", hash: "sha384" },
  0x0601: { keyType: "rsa", hash: "sha512" },
  0x0403: { keyType: "ec", namedCurve: "prime256v1", hash: "sha256" },
  0x0503: { keyType: "ec", namedCurve: "secp384r1", hash: "sha384" },
  0x0603: { keyType: "ec", namedCurve: "secp521r1", hash: "sha512" },
  0x0804: { keyType: "rsa", isPss: true, hash: "sha256" },
  0x0805: { keyType: "rsa", isPss: true, hash: "sha384" },
  0x0806: { keyType: "rsa", isPss: true, hash: "sha512" },
  0x0807: { keyType: "ed25519", hash: null },
  0x0809: { keyType: "rsa-pss", isPss: true, hash: "sha256" },
  0x080a: { keyType: "rsa-pss", isPss: true, hash: "sha384" },
  0x080b: { keyType: "rsa-pss", isPss: true, hash: "sha512" },
};

/**
 * What `scheme` asks of its key.
 *
 * @throws {RangeError} If it is not one of {@link SIGNATURE_SCHEME}.
 */
export function algorithmOf(scheme: SignatureScheme): Algorithm {
  const algorithm = ALGORITHMS[scheme];
  if (!algorithm) {
    throw new RangeError(`Want a signature scheme: got ${scheme}`);
  }
  return algorithm;
}

/** Whether `key` is one that `algorithm` may use. */
export function fits(algorithm: Algorithm, key: KeyObject): boolean {
  const { keyType, namedCurve, hash } = algorithm;
  if (key.asymmetricKeyType !== keyType) return false;
  const details = key.asymmetricKeyDetails ?? {};
  if (keyType === "ed25519") return true;
  if (keyType === "ec") return details.namedCurve === namedCurve;
  const { modulusLength = 0, publicExponent = 0n } = details;
  return modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max &&
    publicExponent >= RSA_EXPONENT.min && publicExponent <= RSA_EXPONENT.max &&
    (details.hashAlgorithm ?? hash) === hash &&
    (details.mgf1HashAlgorithm ?? hash) === hash &&
    (details.saltLength ?? 0) <= HASH_LENGTH[hash!];
}

/** `key` with what `node:crypto` must know to sign or verify by `algorithm`. */
export function withPadding(
  { hash, isPss, keyType }: Algorithm,
  key: KeyObject,
): VerifyKeyObjectInput {
  if (hash === null || keyType === "ec") return { key, dsaEncoding: "der" };
  const { constants } = nodeCrypto();
  return isPss
    ? {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: HASH_LENGTH[hash],
    }
    : { key, padding: constants.RSA_PKCS1_PADDING };
}
