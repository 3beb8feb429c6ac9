/**
 * Certificates (RFC 5280) in DER (X.690), good ones and any bad one that a test needs.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { Buffer } from "node:buffer";
import { type Bytes, concat, utf8 } from "../../../src/core/bytes/mod.ts";

/** What a certificate says, and what is wrong with it. */
export interface CertificateSpec {
  /** A common name, or a whole name in DER. */
  readonly subject: string | Bytes;
  readonly issuer: string | Bytes;
  /** The subject's key, PKCS #8. */
  readonly key: Bytes;
  /** The issuer's key, PKCS #8. */
  readonly signer: Bytes;
  readonly algorithm: AlgorithmName;
  readonly serial?: number;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly extensions?: readonly Bytes[];
  /** 1 to 3; no field if 1. */
  readonly version?: number;
  /** The algorithm that the outer field names, if it is not the inner one. */
  readonly outerAlgorithm?: AlgorithmName;
}

const ALGORITHMS = {
  rsaSha256: { oid: "1.2.840.113549.1.1.11", hash: "sha256" },
  rsaSha384: { oid: "1.2.840.113549.1.1.12", hash: "sha384" },
  rsaSha512: { oid: "1.2.840.113549.1.1.13", hash: "sha512" },
  rsaSha1: { oid: "1.2.840.113549.1.1.5", hash: "sha1" },
  rsaMd5: { oid: "1.2.840.113549.1.1.4", hash: "md5" },
  pssSha256: { oid: "1.2.840.113549.1.1.10", hash: "sha256" },
  pssSha384: { oid: "1.2.840.113549.1.1.10", hash: "sha384" },
  ecdsaSha256: { oid: "1.2.840.10045.4.3.2", hash: "sha256" },
  ecdsaSha384: { oid: "1.2.840.10045.4.3.3", hash: "sha384" },
  ecdsaSha512: { oid: "1.2.840.10045.4.3.4", hash: "sha512" },
  ed25519: { oid: "1.3.101.112", hash: null },
} as const;

export type AlgorithmName = keyof typeof ALGORITHMS;

/** The certificate in DER. */
export function encodeCertificate(spec: CertificateSpec): Bytes {
  const { version = 3, serial = 1, extensions = [] } = spec;
  const {
    notBefore = "2020-01-01T00:00:00Z",
    notAfter = "2120-01-01T00:00:00Z",
  } = spec;
  const tbs = sequence(
    ...version === 1 ? [] : [der(0xa0, integer(version - 1))],
    integer(serial),
    algorithmIdentifier(spec.algorithm),
    name(spec.issuer),
    sequence(time(notBefore), time(notAfter)),
    name(spec.subject),
    publicKeyOf(spec.key),
    ...extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : [],
  );
  return sequence(
    tbs,
    algorithmIdentifier(spec.outerAlgorithm ?? spec.algorithm),
    bitString(signatureOf(tbs, spec.signer, spec.algorithm)),
  );
}

/** A certificate revocation list of `issuer` for the serial numbers `revoked`. */
export function encodeCrl(
  issuer: string,
  signer: Bytes,
  algorithm: AlgorithmName,
  revoked: readonly number[],
  [thisUpdate, nextUpdate]: readonly [string, string],
  extensions: readonly Bytes[] = [],
): Bytes {
  const entries = revoked.map((serial) =>
    sequence(integer(serial), time(thisUpdate))
  );
  const tbs = sequence(
    integer(1),
    algorithmIdentifier(algorithm),
    name(issuer),
    time(thisUpdate),
    time(nextUpdate),
    ...entries.length > 0 ? [sequence(...entries)] : [],
    ...extensions.length > 0 ? [der(0xa0, sequence(...extensions))] : [],
  );
  return sequence(
    tbs,
    algorithmIdentifier(algorithm),
    bitString(signatureOf(tbs, signer, algorithm)),
  );
}

function signatureOf(
  tbs: Bytes,
  pkcs8: Bytes,
  algorithm: AlgorithmName,
): Bytes {
  const key = createPrivateKey({
    key: Buffer.from(pkcs8),
    format: "der",
    type: "pkcs8",
  });
  const { hash } = ALGORITHMS[algorithm];
  const saltLength = hash === "sha256" ? 32 : 48;
  const padding = algorithm.startsWith("pss") ? { padding: 6, saltLength } : {};
  return new Uint8Array(
    sign(hash, tbs, { key, dsaEncoding: "der", ...padding }),
  );
}

/** SubjectPublicKeyInfo of a private key. */
export function publicKeyOf(pkcs8: Bytes): Bytes {
  const key = createPrivateKey({
    key: Buffer.from(pkcs8),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(spki);
}

function algorithmIdentifier(algorithm: AlgorithmName): Bytes {
  const { oid, hash } = ALGORITHMS[algorithm];
  if (algorithm.startsWith("rsa")) {
    return sequence(objectIdentifier(oid), der(0x05));
  }
  if (!algorithm.startsWith("pss")) return sequence(objectIdentifier(oid));
  const [hashOid, saltLength] = hash === "sha256"
    ? ["2.16.840.1.101.3.4.2.1", 32]
    : ["2.16.840.1.101.3.4.2.2", 48];
  const hashAlgorithm = sequence(objectIdentifier(hashOid), der(0x05));
  const mgf1 = sequence(
    objectIdentifier("1.2.840.113549.1.1.8"),
    hashAlgorithm,
  );
  return sequence(
    objectIdentifier(oid),
    sequence(
      der(0xa0, hashAlgorithm),
      der(0xa1, mgf1),
      der(0xa2, integer(saltLength)),
    ),
  );
}

/** A name of one common name; other attributes by their number under 2.5.4. */
export function name(
  text: string | Bytes,
  attribute = 3,
): Bytes {
  if (typeof text !== "string") return text;
  return sequence(relativeName(text, attribute));
}

/** One attribute of a name. */
export function relativeName(text: string, attribute: number): Bytes {
  const value = der(0x0c, utf8(text));
  return der(
    0x31,
    sequence(objectIdentifier(`2.5.4.${attribute}`), value),
  );
}

/** UTCTime up to 2049, then GeneralizedTime. */
function time(text: string): Bytes {
  const digits = new Date(text).toISOString().replace(/\D/g, "").slice(0, 14);
  return Number(digits.slice(0, 4)) < 2050
    ? der(0x17, utf8(`${digits.slice(2)}Z`))
    : der(0x18, utf8(`${digits}Z`));
}

export const extension = {
  basicConstraints: (cA: boolean, pathLength?: number) =>
    wrap(
      "2.5.29.19",
      sequence(
        ...cA ? [der(0x01, Uint8Array.of(0xff))] : [],
        ...pathLength === undefined ? [] : [integer(pathLength)],
      ),
      true,
    ),
  /** The bits as RFC 5280 §4.2.1.3 counts them: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign. */
  keyUsage(...bits: readonly number[]) {
    const octet = bits.reduce((all, bit) => all | 0x80 >> bit, 0);
    const unused = Math.clz32(octet & -octet) ^ 31;
    return wrap("2.5.29.15", der(0x03, Uint8Array.of(unused, octet)), true);
  },
  extendedKeyUsage: (...oids: readonly string[]) =>
    wrap("2.5.29.37", sequence(...oids.map(objectIdentifier))),
  subjectAltName: (...names: readonly Bytes[]) =>
    wrap("2.5.29.17", sequence(...names)),
  subjectKeyId: (id: Bytes) => wrap("2.5.29.14", der(0x04, id)),
  authorityKeyId: (id: Bytes) => wrap("2.5.29.35", sequence(der(0x80, id))),
  nameConstraints: (permitted: readonly Bytes[], excluded: readonly Bytes[]) =>
    wrap(
      "2.5.29.30",
      sequence(
        ...permitted.length > 0
          ? [der(0xa0, ...permitted.map((base) => sequence(base)))]
          : [],
        ...excluded.length > 0
          ? [der(0xa1, ...excluded.map((base) => sequence(base)))]
          : [],
      ),
      true,
    ),
  policies: (...oids: readonly string[]) =>
    wrap(
      "2.5.29.32",
      sequence(...oids.map((oid) => sequence(objectIdentifier(oid)))),
    ),
  requireExplicitPolicy: (skipCerts: number) =>
    wrap("2.5.29.36", sequence(der(0x80, Uint8Array.of(skipCerts))), true),
  wrap,
};

export const generalName = {
  dns: (text: string) => der(0x82, utf8(text)),
  mail: (text: string) => der(0x81, utf8(text)),
  directory: (name: Bytes) => der(0xa4, name),
  uri: (text: string) => der(0x86, utf8(text)),
  ip: (...octets: readonly number[]) => der(0x87, new Uint8Array(octets)),
};

export const PURPOSE = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  any: "2.5.29.37.0",
} as const;

function wrap(oid: string, value: Bytes, critical = false): Bytes {
  return sequence(
    objectIdentifier(oid),
    ...critical ? [der(0x01, Uint8Array.of(0xff))] : [],
    der(0x04, value),
  );
}

export function objectIdentifier(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const base128 = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) {
      base128.unshift(high & 0x7f | 0x80);
    }
    return base128;
  });
  return der(0x06, new Uint8Array(octets));
}

export function integer(value: number): Bytes {
  const octets = [value & 0xff];
  for (let high = value >> 8; high > 0; high >>= 8) octets.unshift(high & 0xff);
  if (octets[0]! & 0x80) octets.unshift(0);
  return der(0x02, new Uint8Array(octets));
}

export function bitString(bytes: Bytes): Bytes {
  return der(0x03, Uint8Array.of(0), bytes);
}

export function sequence(...contents: readonly Uint8Array[]): Bytes {
  return der(0x30, ...contents);
}

/** Tag, length in the shortest form, contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Bytes {
  const body = concat(...contents);
  const { length } = body;
  const header = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return concat(new Uint8Array(header), body);
}
