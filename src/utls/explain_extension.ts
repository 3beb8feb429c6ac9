import { EXTENSION } from "./extension.ts";
import {
  authoritiesText,
  cookieText,
  echText,
  emptyText,
  hexText,
  keySharesText,
  lengthText,
  namesText,
  pointFormatsText,
  pskModesText,
  psksText,
  recordSizeText,
  serverNameText,
  statusRequestText,
  trustAnchorsText,
  u16Text,
} from "./extension_text.ts";
import {
  certificateCompressionName,
  groupName,
  signatureSchemeName,
  versionName,
} from "./registry_names.ts";

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
    serverNameText,
    "destination",
    "The host asked for; absent for IP addresses",
  ],
  [EXTENSION.statusRequest]: [
    statusRequestText,
    "build",
    "Asks for an OCSP response",
  ],
  [EXTENSION.supportedGroups]: [
    u16Text("supportedGroups", groupName),
    "build",
    "Key exchange groups, GREASE drawn anew",
  ],
  [EXTENSION.ecPointFormats]: [
    pointFormatsText,
    "build",
    "Forms of points on curves, for TLS 1.2",
  ],
  [EXTENSION.signatureAlgorithms]: [
    u16Text("signatureAlgorithms", signatureSchemeName),
    "build",
    "Signatures it verifies; GREASE first since Chrome 152",
  ],
  [EXTENSION.alpn]: [
    namesText,
    "destination",
    "Protocols: a WebSocket asks for http/1.1 alone",
  ],
  [EXTENSION.signedCertificateTimestamp]: [
    hexText,
    "build",
    "Asks for certificate transparency",
  ],
  [EXTENSION.padding]: [
    lengthText,
    "connection",
    "Fills a hello of 256 to 511 bytes to 512",
  ],
  [EXTENSION.extendedMasterSecret]: [
    hexText,
    "build",
    "For TLS 1.2 (RFC 7627)",
  ],
  [EXTENSION.compressCertificate]: [
    u16Text("compressCertificate", certificateCompressionName, 1),
    "build",
    "How the certificate may be compressed",
  ],
  [EXTENSION.recordSizeLimit]: [
    recordSizeText,
    "build",
    "Longest record it takes (RFC 8449); of Firefox",
  ],
  [EXTENSION.delegatedCredential]: [
    u16Text("delegatedCredential", signatureSchemeName),
    "build",
    "Signatures it takes of short-lived keys (RFC 9345); of Firefox",
  ],
  [EXTENSION.sessionTicket]: [lengthText, "session", "A ticket of TLS 1.2"],
  [EXTENSION.preSharedKey]: [
    psksText,
    "session",
    "Tickets to resume with and their binders, always last",
  ],
  [EXTENSION.earlyData]: [
    emptyText,
    "session",
    "Says that data comes before the handshake ends (0-RTT)",
  ],
  [EXTENSION.supportedVersions]: [
    u16Text("supportedVersions", versionName, 1),
    "build",
    "Versions, GREASE drawn anew",
  ],
  [EXTENSION.cookie]: [cookieText, "connection", "Echoes a HelloRetryRequest"],
  [EXTENSION.pskKeyExchangeModes]: [
    pskModesText,
    "build",
    "How it resumes; pskDheKe: with a fresh key exchange",
  ],
  [EXTENSION.certificateAuthorities]: [
    authoritiesText,
    "build",
    "Authorities it trusts, by name",
  ],
  [EXTENSION.signatureAlgorithmsCert]: [
    u16Text("signatureAlgorithmsCert", signatureSchemeName),
    "build",
    "Signatures it verifies in certificates, if others",
  ],
  [EXTENSION.keyShare]: [
    keySharesText,
    "connection",
    "Fresh public keys, one for each group offered at once",
  ],
  [EXTENSION.quicTransportParameters]: [
    lengthText,
    "connection",
    "For QUIC only",
  ],
  [EXTENSION.applicationSettingsOld]: [
    namesText,
    "destination",
    "ALPS, the number of Chrome up to 132",
  ],
  [EXTENSION.applicationSettings]: [
    namesText,
    "destination",
    "ALPS: settings of HTTP/2 within the handshake",
  ],
  [EXTENSION.trustAnchors]: [
    trustAnchorsText,
    "build",
    "Roots it trusts; follows the root store, not only the version",
  ],
  [EXTENSION.encryptedClientHello]: [
    echText,
    "connection",
    "Random (GREASE) unless the host publishes a key",
  ],
  [EXTENSION.renegotiationInfo]: [hexText, "build", "For TLS 1.2 (RFC 5746)"],
};
