/**
 * Certificate revocation lists (RFC 5280 §5).
 *
 * ```text
 * CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
 * TBSCertList ::= SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate OPTIONAL,
 *                            revokedCertificates SEQUENCE OF SEQUENCE { serialNumber, revocationDate, extensions },
 *                            [0] extensions }
 * ```
 *
 * @module
 */
import { type Bytes, equal, Reader } from "../../core/bytes/mod.ts";
import { fatal, TlsError } from "../error.ts";
import { readTime, type X509Certificate } from "./x509_certificate.ts";
import { checkSignature } from "./certificate_signature.ts";
import {
  DER_TAG,
  readBoolean,
  readConstructed,
  readDer,
  readOptional,
  readSigned,
  readSmallInteger,
} from "./der.ts";
import { usageOf } from "./extensions.ts";

/**
 * Fails if one of `crls` that counts at `wallTimeMs` names a certificate of `path`.
 *
 * @throws {TlsError} `certificateRevoked`.
 */
export function checkRevocation(
  path: readonly X509Certificate[],
  crls: readonly RevocationList[],
  wallTimeMs: number,
): void {
  for (const list of crls) {
    for (const [i, certificate] of path.slice(0, -1).entries()) {
      if (
        equal(list.issuer, certificate.issuer) &&
        list.serials.has(certificate.serialNumber.toHex()) &&
        counts(list, path[i + 1]!, wallTimeMs)
      ) {
        throw fatal("certificateRevoked", "Want a certificate not revoked");
      }
    }
  }
}

/** A decoded list. */
export interface RevocationList {
  readonly signedPart: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  readonly thisUpdateMs: number;
  /** `undefined` if it does not say, and then it counts at no time. */
  readonly nextUpdateMs: number | undefined;
  /** Contents of serial numbers in hexadecimal. */
  readonly serials: ReadonlySet<string>;
  readonly hasCritical: boolean;
}

/**
 * Decodes a list.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeCrl(der: Bytes): RevocationList {
  const { fields: inner, ...signed } = readSigned(der, "revocation list");
  if (inner.peek() === DER_TAG.integer) readSmallInteger(inner);
  readDer(inner, DER_TAG.sequence);
  const issuer = readDer(inner, DER_TAG.sequence).whole;
  const thisUpdateMs = readTime(inner);
  const nextUpdateMs = isTime(inner) ? readTime(inner) : undefined;
  const entries = readOptional(inner, DER_TAG.sequence);
  const extensions = readOptional(inner, EXTENSIONS);
  inner.end();
  return {
    ...signed,
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    serials: readSerials(entries?.contents),
    hasCritical: hasCriticalExtension(extensions?.contents),
  };
}

const EXTENSIONS = 0xa0;

function counts(
  list: RevocationList,
  issuer: X509Certificate,
  wallTimeMs: number,
): boolean {
  const { thisUpdateMs, nextUpdateMs = -Infinity, hasCritical } = list;
  if (hasCritical || wallTimeMs < thisUpdateMs || wallTimeMs >= nextUpdateMs) {
    return false;
  }
  if (!usageOf(issuer).maySignRevocationLists) return false;
  try {
    checkSignature(list, issuer.publicKeySpki);
    return true;
  } catch (error) {
    if (error instanceof TlsError) return false;
    throw error;
  }
}

function isTime(reader: Reader): boolean {
  if (reader.remaining === 0) return false;
  const tag = reader.peek();
  return tag === DER_TAG.utcTime || tag === DER_TAG.generalizedTime;
}

function readSerials(contents: Uint8Array | undefined): ReadonlySet<string> {
  const serials = new Set<string>();
  const list = new Reader(contents ?? new Uint8Array(0), "revocation list");
  while (list.remaining > 0) {
    const entry = readConstructed(list);
    serials.add(readDer(entry, DER_TAG.integer).contents.toHex());
  }
  return serials;
}

function hasCriticalExtension(contents: Uint8Array | undefined): boolean {
  if (!contents) return false;
  const list = readConstructed(new Reader(contents, "revocation list"));
  while (list.remaining > 0) {
    const extension = readConstructed(list);
    readDer(extension, DER_TAG.objectIdentifier);
    if (extension.peek() === DER_TAG.boolean && readBoolean(extension)) {
      return true;
    }
  }
  return false;
}
