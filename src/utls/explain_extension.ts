import { encodeHex, Reader } from "../core/bytes/mod.ts";
import { EXTENSION } from "./extension.ts";
import {
  groupName,
  signatureSchemeName,
  versionName,
} from "./registry_names.ts";
import { u16List } from "./u16_list.ts";

/** What a field follows that is not the same in every hello of one browser. */
export type Variation =
  | "connection" // drawn anew, or from keys that are
  | "destination" // follows the host or the kind of request
  | "session" // follows what earlier connections left
  | "build"; // follows the browser's version, its data and the machine

/** What an extension of a ClientHello says. */
export interface ExtensionReading {
  /** Its contents for a person to read. */
  readonly value: string;
  /** What it is for. */
  readonly meaning: string;
  /** What it follows in a browser. */
  readonly varies: Variation;
}

/**
 * Reads the extension `type` of a ClientHello; `undefined` if its contents are not known here.
 *
 * @throws {DecodeError} If `data` is malformed.
 */
export function readExtension(
  type: number,
  data: Uint8Array,
): ExtensionReading | undefined {
  const known = READINGS[type];
  if (!known) return undefined;
  const [read, varies, meaning] = known;
  return { value: read(data), meaning, varies };
}

type Reading = readonly [
  read: (data: Uint8Array) => string,
  varies: Variation,
  meaning: string,
];

const READINGS: Readonly<Record<number, Reading>> = {
  [EXTENSION.serverName]: [
    serverNames,
    "destination",
    "The host asked for; absent for IP addresses",
  ],
  [EXTENSION.statusRequest]: [hex, "build", "Asks for an OCSP response"],
  [EXTENSION.supportedGroups]: [
    list("supportedGroups", groupName),
    "build",
    "Key exchange groups, GREASE drawn anew",
  ],
  [EXTENSION.ecPointFormats]: [hex, "build", "Uncompressed points only"],
  [EXTENSION.signatureAlgorithms]: [
    list("signatureAlgorithms", signatureSchemeName),
    "build",
    "Signatures it verifies; GREASE first since Chrome 152",
  ],
  [EXTENSION.alpn]: [
    protocols,
    "destination",
    "Protocols: a WebSocket asks for http/1.1 alone",
  ],
  [EXTENSION.signedCertificateTimestamp]: [
    hex,
    "build",
    "Asks for certificate transparency",
  ],
  [EXTENSION.padding]: [
    length,
    "connection",
    "Fills a hello of 256 to 511 bytes to 512",
  ],
  [EXTENSION.extendedMasterSecret]: [hex, "build", "For TLS 1.2 (RFC 7627)"],
  [EXTENSION.compressCertificate]: [
    list("compressCertificate", compressionName, 1),
    "build",
    "How the certificate may be compressed",
  ],
  [EXTENSION.sessionTicket]: [length, "session", "A ticket of TLS 1.2"],
  [EXTENSION.preSharedKey]: [
    length,
    "session",
    "Tickets to resume with and their binders, always last",
  ],
  [EXTENSION.supportedVersions]: [
    list("supportedVersions", versionName, 1),
    "build",
    "Versions, GREASE drawn anew",
  ],
  [EXTENSION.cookie]: [length, "connection", "Echoes a HelloRetryRequest"],
  [EXTENSION.pskKeyExchangeModes]: [
    hex,
    "build",
    "Resumes with a fresh key exchange only",
  ],
  [EXTENSION.keyShare]: [
    keyShares,
    "connection",
    "Fresh public keys, one for each group offered at once",
  ],
  [EXTENSION.quicTransportParameters]: [length, "connection", "For QUIC only"],
  [EXTENSION.applicationSettingsOld]: [
    protocols,
    "destination",
    "ALPS, the number of Chrome up to 132",
  ],
  [EXTENSION.applicationSettings]: [
    protocols,
    "destination",
    "ALPS: settings of HTTP/2 within the handshake",
  ],
  [EXTENSION.trustAnchors]: [
    length,
    "build",
    "Roots it trusts; follows the root store, not only the version",
  ],
  [EXTENSION.encryptedClientHello]: [
    encryptedHello,
    "connection",
    "Random (GREASE) unless the host publishes a key",
  ],
  [EXTENSION.renegotiationInfo]: [hex, "build", "For TLS 1.2 (RFC 5746)"],
};

function hex(data: Uint8Array): string {
  return data.length === 0 ? "empty" : encodeHex(data);
}

function length(data: Uint8Array): string {
  return data.length === 0 ? "empty" : `${data.length} bytes`;
}

function list(
  what: string,
  name: (code: number) => string,
  lengthBytes: 1 | 2 = 2,
): (data: Uint8Array) => string {
  return (data) => u16List(data, what, lengthBytes).map(name).join(", ");
}

function serverNames(data: Uint8Array): string {
  const names: string[] = [];
  const all = listOf(data, "serverName");
  while (all.remaining > 0) {
    all.u8();
    names.push(text(all.take(all.u16())));
  }
  return names.join(", ");
}

function protocols(data: Uint8Array): string {
  const names: string[] = [];
  const all = listOf(data, "ALPN");
  while (all.remaining > 0) names.push(text(all.take(all.u8())));
  return names.join(", ");
}

function keyShares(data: Uint8Array): string {
  const shares: string[] = [];
  const all = listOf(data, "keyShare");
  while (all.remaining > 0) {
    const group = groupName(all.u16());
    shares.push(`${group} ${all.take(all.u16()).length} bytes`);
  }
  return shares.join(", ");
}

/** ECHClientHello of the outer kind (RFC 9849 §5): type, KDF, AEAD, config id, encapsulated key, payload. */
function encryptedHello(data: Uint8Array): string {
  const r = new Reader(data, "encryptedClientHello");
  if (r.u8() !== 0) return "inner";
  const [kdf, aead, id] = [r.u16(), r.u16(), r.u8()];
  const key = r.take(r.u16()).length;
  const payload = r.take(r.u16()).length;
  r.end();
  const cipher = AEAD[aead] ?? `AEAD ${aead}`;
  return `KDF ${kdf}, ${cipher}, config ${id}, key ${key} bytes, payload ${payload} bytes`;
}

const AEAD: Readonly<Record<number, string>> = {
  1: "AES-128-GCM",
  2: "AES-256-GCM",
  3: "ChaCha20-Poly1305",
};

const COMPRESSION: Readonly<Record<number, string>> = {
  1: "zlib",
  2: "brotli",
  3: "zstd",
};

function compressionName(code: number): string {
  return COMPRESSION[code] ?? String(code);
}

/** What fills the rest of `data` behind its 2-byte length. */
function listOf(data: Uint8Array, what: string): Reader {
  const r = new Reader(data, what);
  const all = r.sub(r.u16());
  r.end();
  return all;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
