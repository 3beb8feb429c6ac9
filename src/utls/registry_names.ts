/**
 * Names of numbers in hellos, as the IANA TLS registries have them; those that browsers and common servers use.
 *
 * @module
 */
import { SIGNATURE_SCHEME } from "../core/crypto/mod.ts";
import { EXTENSION } from "./extension.ts";
import { isGrease } from "./grease.ts";
import { GROUP } from "./key_share.ts";

const CIPHER_SUITES: Readonly<Record<number, string>> = {
  0x0005: "TLS_RSA_WITH_RC4_128_SHA",
  0x000a: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  0x002f: "TLS_RSA_WITH_AES_128_CBC_SHA",
  0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
  0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
  0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
  0x003c: "TLS_RSA_WITH_AES_128_CBC_SHA256",
  0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256",
  0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
  0x006b: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
  0x009c: "TLS_RSA_WITH_AES_128_GCM_SHA256",
  0x009d: "TLS_RSA_WITH_AES_256_GCM_SHA384",
  0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
  0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
  0x00ff: "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
  0x1301: "TLS_AES_128_GCM_SHA256",
  0x1302: "TLS_AES_256_GCM_SHA384",
  0x1303: "TLS_CHACHA20_POLY1305_SHA256",
  0x5600: "TLS_FALLBACK_SCSV",
  0xc008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
  0xc009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  0xc00a: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  0xc012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
  0xc013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  0xc014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  0xc023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
  0xc024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
  0xc027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
  0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
  0xc02b: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  0xc02c: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  0xc02f: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  0xc030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  0xcca8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  0xcca9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
};

const VERSIONS: Readonly<Record<number, string>> = {
  0x0300: "SSL 3.0",
  0x0301: "TLS 1.0",
  0x0302: "TLS 1.1",
  0x0303: "TLS 1.2",
  0x0304: "TLS 1.3",
  0xfefc: "DTLS 1.3",
  0xfefd: "DTLS 1.2",
  0xfeff: "DTLS 1.0",
};

const MORE_GROUPS: Readonly<Record<number, string>> = {
  0x0019: "p521",
  0x001e: "x448",
  0x0100: "ffdhe2048",
  0x0101: "ffdhe3072",
};

const MORE_SCHEMES: Readonly<Record<number, string>> = {
  0x0201: "rsaPkcs1Sha1",
  0x0203: "ecdsaSha1",
  0x0904: "mlDsa44",
  0x0905: "mlDsa65",
  0x0906: "mlDsa87",
};

const COMPRESSIONS: Readonly<Record<number, string>> = {
  1: "zlib",
  2: "brotli",
  3: "zstd",
};

/** The suite of `code`, e.g. `TLS_AES_128_GCM_SHA256`; GREASE and unknown numbers in hexadecimal. */
export function cipherSuiteName(code: number): string {
  return named(code, CIPHER_SUITES[code]);
}

/** The version of `code`, e.g. `TLS 1.3`. */
export function versionName(code: number): string {
  return named(code, VERSIONS[code]);
}

/** The key exchange group of `code`, e.g. `x25519`. */
export function groupName(code: number): string {
  return named(code, keyOf(GROUP, code) ?? MORE_GROUPS[code]);
}

/** The signature scheme of `code`, e.g. `ecdsaSecp256r1Sha256`. */
export function signatureSchemeName(code: number): string {
  return named(code, keyOf(SIGNATURE_SCHEME, code) ?? MORE_SCHEMES[code]);
}

/** The way to compress certificates of `code` (RFC 8879), e.g. `brotli`. */
export function certificateCompressionName(code: number): string {
  return named(code, COMPRESSIONS[code]);
}

/** The extension of `code`, e.g. `serverName`. */
export function extensionName(code: number): string {
  return named(code, keyOf(EXTENSION, code));
}

function keyOf(
  table: Readonly<Record<string, number>>,
  code: number,
): string | undefined {
  return Object.entries(table).find(([, value]) => value === code)?.[0];
}

function named(code: number, name: string | undefined): string {
  const hex = `0x${code.toString(16).padStart(4, "0")}`;
  return isGrease(code) ? `GREASE ${hex}` : name ?? hex;
}
