/**
 * The fields of a certificate (RFC 5280 §4.1), in DER and nothing else.
 *
 * ```text
 * Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
 * TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                               subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 * ```
 *
 * @module
 */
import { type Bytes, equal, Reader } from "../../core/bytes/mod.ts";
import {
  checkInteger,
  DER_TAG,
  malformed,
  readBoolean,
  readConstructed,
  readDer,
  readOptional,
  readSigned,
  readSmallInteger,
} from "./der.ts";

/** A decoded certificate; its arrays borrow the bytes of {@link X509Certificate.der}. */
export interface X509Certificate {
  /** The whole. */
  readonly der: Bytes;
  /** What is signed: the tbsCertificate. */
  readonly signedPart: Uint8Array;
  /** The AlgorithmIdentifier of the signature, the same inside and outside. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** Contents of the INTEGER. */
  readonly serialNumber: Uint8Array;
  /** The issuer's name in DER. */
  readonly issuer: Uint8Array;
  /** The subject's name in DER. */
  readonly subject: Uint8Array;
  /** First and last moment of validity, in milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The subject's SubjectPublicKeyInfo. */
  readonly publicKeySpki: Uint8Array;
  /** By object identifier, its contents in hexadecimal. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** An extension whose meaning is not looked at yet. */
export interface Extension {
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

/**
 * Decodes a certificate, of version 3 if it has extensions, else of version 1 or 2.
 *
 * @throws {DecodeError} If it is not DER from the first byte to the last, holds an extension twice, or names one signature algorithm
 *   inside and another outside.
 */
export function decodeX509(der: Bytes): X509Certificate {
  const { fields: inner, ...signed } = readSigned(der, "certificate");
  const version = readVersion(inner);
  const serialNumber = readDer(inner, DER_TAG.integer).contents;
  checkInteger(inner, serialNumber);
  if (
    !equal(readDer(inner, DER_TAG.sequence).whole, signed.signatureAlgorithm)
  ) {
    malformed(inner, "two signature algorithms");
  }
  const issuer = readDer(inner, DER_TAG.sequence).whole;
  const validity = readConstructed(inner);
  const notBeforeMs = readTime(validity);
  const notAfterMs = readTime(validity);
  validity.end();
  const subject = readDer(inner, DER_TAG.sequence).whole;
  const publicKeySpki = readDer(inner, DER_TAG.sequence).whole;
  readOptional(inner, ISSUER_UNIQUE_ID);
  readOptional(inner, SUBJECT_UNIQUE_ID);
  const extensions = readExtensions(inner);
  inner.end();
  if (extensions.size > 0 && version !== 3) {
    malformed(inner, "extensions in a version that has none");
  }
  return {
    ...{ der, ...signed },
    serialNumber,
    issuer,
    subject,
    notBeforeMs,
    notAfterMs,
    publicKeySpki,
    extensions,
  };
}

/**
 * The SubjectPublicKeyInfo in `certificateDer`, as a new array.
 *
 * @throws {DecodeError} If that is not a certificate.
 */
export function spkiOf(certificateDer: Uint8Array): Bytes {
  const copy = new Uint8Array(certificateDer);
  return new Uint8Array(decodeX509(copy).publicKeySpki);
}

/**
 * Reads a time of RFC 5280 §4.1.2.5, to the second and in UTC, as milliseconds since 1970.
 *
 * @throws {DecodeError} If it has another form, or names no moment.
 */
export function readTime(reader: Reader): number {
  const { tag, contents } = readDer(reader);
  const text = String.fromCharCode(...contents.subarray(0, 16));
  const digits = tag === DER_TAG.utcTime && UTC_TIME_REGEXP.test(text)
    ? (text < "5" ? "20" : "19") + text
    : tag === DER_TAG.generalizedTime && GENERALIZED_TIME_REGEXP.test(text)
    ? text
    : malformed(reader, "a time of another form");
  const iso = digits.replace(
    /^(.{4})(..)(..)(..)(..)(..)Z$/,
    "$1-$2-$3T$4:$5:$6Z",
  );
  const time = new Date(iso);
  const isReal = !Number.isNaN(time.getTime()) &&
    time.toISOString() === iso.replace("Z", ".000Z"); // 30 February would be 2 March
  return isReal ? time.getTime() : malformed(reader, "a time that never is");
}

const VERSION = 0xa0;
const ISSUER_UNIQUE_ID = 0x81;
const SUBJECT_UNIQUE_ID = 0x82;
const EXTENSIONS = 0xa3;
const MAX_EXTENSIONS = 64;
const UTC_TIME_REGEXP = /^\d{12}Z$/;
const GENERALIZED_TIME_REGEXP = /^\d{14}Z$/;

function readVersion(reader: Reader): number {
  const field = readOptional(reader, VERSION);
  if (!field) return 1;
  const value = new Reader(field.contents, reader.what);
  const version = readSmallInteger(value) + 1;
  value.end();
  if (version < 2 || version > 3) malformed(reader, `version ${version}`);
  return version;
}

function readExtensions(reader: Reader): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  const field = readOptional(reader, EXTENSIONS);
  if (!field) return extensions;
  const wrapper = new Reader(field.contents, reader.what);
  const list = readConstructed(wrapper);
  wrapper.end();
  while (list.remaining > 0) {
    const one = readConstructed(list);
    const id = readDer(one, DER_TAG.objectIdentifier).contents.toHex();
    const isCritical = one.peek() === DER_TAG.boolean && readBoolean(one);
    const value = readDer(one, DER_TAG.octetString).contents;
    one.end();
    if (extensions.has(id)) malformed(reader, "an extension twice");
    if (extensions.size === MAX_EXTENSIONS) {
      malformed(reader, "too many extensions");
    }
    extensions.set(id, { isCritical, value });
  }
  return extensions;
}
