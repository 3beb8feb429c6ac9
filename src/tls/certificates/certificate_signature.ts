import { Reader } from "../../core/bytes/mod.ts";
import {
  SIGNATURE_SCHEME,
  type SignatureScheme,
  verifySignature,
} from "../../core/crypto/mod.ts";
import { fatal } from "../error.ts";
import { DER_TAG, readBitString, readConstructed, readDer } from "./der.ts";

/** A key that may stand in a certificate, as far as its type decides what it signs with. */
export type KeyType = "rsa" | "rsaPss" | "p256" | "p384" | "p521" | "ed25519";

/**
 * The type of the key in `spki`.
 *
 * @throws {TlsError} `unsupportedCertificate` if it is none of {@link KeyType}, or an RSA key of less than 2,048 bits.
 * @throws {DecodeError} If it is malformed.
 */
export function keyTypeOf(spki: Uint8Array): KeyType {
  const fields = readConstructed(new Reader(spki, "public key"));
  const algorithm = readDer(fields, DER_TAG.sequence);
  const key = readBitString(fields);
  fields.end();
  const oid = readDer(new Reader(algorithm.contents, "public key"));
  const type = KEY_TYPES.get(algorithm.whole.toHex()) ??
    (oid.whole.toHex() === RSA_PSS_OID ? "rsaPss" : undefined);
  if (type === undefined) {
    throw fatal("unsupportedCertificate", "Want a key of a supported type");
  }
  if (type.startsWith("rsa") && modulusBits(key) < MIN_RSA_BITS) {
    throw fatal(
      "unsupportedCertificate",
      `Want an RSA key of ${MIN_RSA_BITS} bits: got ${modulusBits(key)}`,
    );
  }
  return type;
}

/**
 * Fails unless `signature` over `signedPart` is that of the key in `issuerSpki`, by an algorithm of TLS 1.3: ECDSA with the
 * hash of the curve's size, as browsers' root programmes ask, and no SHA-1 or MD5.
 *
 * @throws {TlsError} `unsupportedCertificate` for another algorithm, `badCertificate` if the signature does not verify.
 */
export function checkSignature(
  { signedPart, signatureAlgorithm, signature }: {
    readonly signedPart: Uint8Array;
    readonly signatureAlgorithm: Uint8Array;
    readonly signature: Uint8Array;
  },
  issuerSpki: Uint8Array,
): void {
  const schemes = SCHEMES.get(signatureAlgorithm.toHex());
  const scheme = schemes?.[keyTypeOf(issuerSpki)];
  if (scheme === undefined) {
    throw fatal("unsupportedCertificate", "Want a supported signature");
  }
  if (!verifySignature(scheme, issuerSpki, signedPart, signature)) {
    throw fatal("badCertificate", "Want the signature of the issuer");
  }
}

const MIN_RSA_BITS = 2048;

/** By AlgorithmIdentifier in DER. */
const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map([
  ["300d06092a864886f70d0101010500", "rsa"], // 1.2.840.113549.1.1.1, NULL
  ["301306072a8648ce3d020106082a8648ce3d030107", "p256"], // 1.2.840.10045.2.1, 1.2.840.10045.3.1.7
  ["301006072a8648ce3d020106052b81040022", "p384"], // 1.3.132.0.34
  ["301006072a8648ce3d020106052b81040023", "p521"], // 1.3.132.0.35
  ["300506032b6570", "ed25519"], // 1.3.101.112
]);
/** 1.2.840.113549.1.1.10; its parameters are looked at when a signature is verified. */
const RSA_PSS_OID = "06092a864886f70d01010a";

const {
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPkcs1Sha512,
  rsaPssRsaeSha256,
  rsaPssRsaeSha384,
  rsaPssRsaeSha512,
  rsaPssPssSha256,
  rsaPssPssSha384,
  rsaPssPssSha512,
} = SIGNATURE_SCHEME;

/** By AlgorithmIdentifier in DER, then by the issuer's key. */
const SCHEMES: ReadonlyMap<
  string,
  Partial<Record<KeyType, SignatureScheme>>
> = new Map([
  ["300d06092a864886f70d01010b0500", { rsa: rsaPkcs1Sha256 }],
  ["300d06092a864886f70d01010c0500", { rsa: rsaPkcs1Sha384 }],
  ["300d06092a864886f70d01010d0500", { rsa: rsaPkcs1Sha512 }],
  ["300a06082a8648ce3d040302", { p256: SIGNATURE_SCHEME.ecdsaSecp256r1Sha256 }],
  ["300a06082a8648ce3d040303", { p384: SIGNATURE_SCHEME.ecdsaSecp384r1Sha384 }],
  ["300a06082a8648ce3d040304", { p521: SIGNATURE_SCHEME.ecdsaSecp521r1Sha512 }],
  ["300506032b6570", { ed25519: SIGNATURE_SCHEME.ed25519 }],
  [pss("01", 0x20), { rsa: rsaPssRsaeSha256, rsaPss: rsaPssPssSha256 }],
  [pss("02", 0x30), { rsa: rsaPssRsaeSha384, rsaPss: rsaPssPssSha384 }],
  [pss("03", 0x40), { rsa: rsaPssRsaeSha512, rsaPss: rsaPssPssSha512 }],
]);

/** RSASSA-PSS with a hash of 2.16.840.1.101.3.4.2, MGF1 with the same, and a salt as long (RFC 4055 §3.1). */
function pss(hash: string, saltLength: number): string {
  const algorithm = `300d06096086480165030402${hash}0500`;
  return `304106092a864886f70d01010a3034a00f${algorithm}a11c301a06092a864886f70d010108${algorithm}a2030201${
    saltLength.toString(16)
  }`;
}

/** Bits of the modulus of RSAPublicKey ::= SEQUENCE { modulus, publicExponent }. */
function modulusBits(key: Uint8Array): number {
  const fields = readConstructed(new Reader(key, "public key"));
  const { contents } = readDer(fields, DER_TAG.integer);
  const modulus = contents[0] === 0 ? contents.subarray(1) : contents;
  return modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
}
