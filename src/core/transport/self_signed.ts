/**
 * A self-signed certificate (RFC 5280), in DER (X.690).
 *
 * ```text
 * Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 * TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                               subjectPublicKeyInfo, [3] extensions }
 * ```
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../bytes/mod.ts";

const DAY_MS = 86_400_000;

/** Options of {@link selfSigned}. */
export interface SelfSignedOptions {
  /** Host names and IPv4 addresses that the certificate is for; the first is also its common name. */
  readonly names: readonly string[];
  /** Since when it is valid, in milliseconds since 1970; a day ago if not given. */
  readonly notBeforeMs?: number;
  /** For how long it is valid from then on, in milliseconds; 90 days if not given. */
  readonly validityMs?: number;
}

/** A certificate and its key. */
export interface CertificatePem {
  /** The certificate in PEM. */
  readonly certPem: string;
  /** The private key in PEM (PKCS #8). */
  readonly keyPem: string;
}

/**
 * Makes an ECDSA P-256 key and a certificate for it that it signs itself: a peer that is given the certificate as a
 * root can check the other end of a QUIC connection.
 *
 * @throws {RangeError} If no name is given, a name is not ASCII, or the validity is not from 1970 to 2049.
 */
export async function selfSigned(
  { names, notBeforeMs = Date.now() - DAY_MS, validityMs = 90 * DAY_MS }:
    SelfSignedOptions,
): Promise<CertificatePem> {
  if (
    names.length === 0 || !names.every((name) => /^[\x21-\x7e]+$/.test(name))
  ) {
    throw new RangeError("Want at least one name, in ASCII");
  }
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    algorithm,
    true,
    ["sign", "verify"],
  );
  const spki = await crypto.subtle.exportKey("spki", publicKey);
  const validity = [notBeforeMs, notBeforeMs + validityMs];
  const body = tbsCertificate(names, validity, new Uint8Array(spki));
  const raw = await crypto.subtle.sign(algorithm, privateKey, body);
  const signature = der(
    TAG.sequence,
    unsignedInteger(new Uint8Array(raw, 0, 32)),
    unsignedInteger(new Uint8Array(raw, 32)),
  );
  const certificate = der(
    TAG.sequence,
    body,
    ECDSA_SHA256,
    bitString(signature),
  );
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", privateKey);
  return {
    certPem: pem("CERTIFICATE", certificate),
    keyPem: pem("PRIVATE KEY", new Uint8Array(pkcs8)),
  };
}

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82, // GeneralName [2]
  ipAddress: 0x87, // GeneralName [7]
  version: 0xa0, // TBSCertificate [0]
  extensions: 0xa3, // TBSCertificate [3]
} as const;

/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
// deno-fmt-ignore
const ECDSA_SHA256 = new Uint8Array([
  0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
]);
const COMMON_NAME = [0x55, 0x04, 0x03]; // 2.5.4.3
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11]; // 2.5.29.17

function tbsCertificate(
  names: readonly string[],
  validity: readonly number[],
  spki: Uint8Array,
): Bytes {
  const name = der(
    TAG.sequence,
    der(
      TAG.set,
      der(
        TAG.sequence,
        der(TAG.objectIdentifier, new Uint8Array(COMMON_NAME)),
        der(TAG.utf8String, utf8(names[0]!)),
      ),
    ),
  );
  const altNames = der(
    TAG.sequence,
    der(TAG.objectIdentifier, new Uint8Array(SUBJECT_ALT_NAME)),
    der(TAG.octetString, der(TAG.sequence, ...names.map(generalName))),
  );
  return der(
    TAG.sequence,
    der(TAG.version, unsignedInteger(new Uint8Array([2]))), // version 3
    unsignedInteger(crypto.getRandomValues(new Uint8Array(16))),
    ECDSA_SHA256,
    name,
    der(TAG.sequence, ...validity.map(utcTime)),
    name,
    spki,
    der(TAG.extensions, der(TAG.sequence, altNames)),
  );
}

function generalName(name: string): Bytes {
  return /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(name)
    ? der(TAG.ipAddress, new Uint8Array(name.split(".").map(Number)))
    : der(TAG.dnsName, utf8(name));
}

/** UTCTime holds the years 1950 to 2049 (RFC 5280 §4.1.2.5.1). */
function utcTime(timeMs: number): Bytes {
  if (!(timeMs >= 0 && timeMs < Date.UTC(2050))) {
    throw new RangeError(`Want a time from 1970 to 2049: got ${timeMs}`);
  }
  const digits = new Date(timeMs).toISOString().replace(/[^0-9]/g, "");
  return der(TAG.utcTime, utf8(digits.slice(2, 14) + "Z"));
}

function unsignedInteger(bigEndian: Uint8Array): Bytes {
  const start = bigEndian.findIndex((byte) => byte !== 0);
  const digits = bigEndian.subarray(start < 0 ? bigEndian.length - 1 : start);
  const sign = digits[0]! & 0x80 ? [0] : [];
  return der(TAG.integer, new Uint8Array(sign), digits);
}

function bitString(bytes: Uint8Array): Bytes {
  return der(TAG.bitString, new Uint8Array([0]), bytes);
}

/** Tag, length in the shortest form, contents. */
function der(tag: number, ...contents: readonly Uint8Array[]): Bytes {
  const body = concat(...contents);
  const { length } = body;
  const header = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return concat(new Uint8Array(header), body);
}

function pem(label: string, bytes: Bytes): string {
  const lines = bytes.toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
