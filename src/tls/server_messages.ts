import { type Bytes, concat, decodeHex, Writer } from "../core/bytes/mod.ts";
import { SIGNATURE_SCHEME } from "../core/crypto/mod.ts";
import {
  encodeServerHello,
  EXTENSION,
  type Extension,
  HELLO_RETRY_RANDOM,
} from "../utls/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import {
  encodeCertificate,
  encodeCertificateBody,
} from "./messages/certificate.ts";
import { encodeCertificateRequest } from "./messages/certificate_request.ts";
import { encodeCompressedCertificate } from "./messages/compressed_certificate.ts";
import { encodeEncryptedExtensions } from "./messages/encrypted_extensions.ts";
import { encodeKeyShareEntry } from "./messages/key_share_entry.ts";
import { encodeProtocolNames } from "./messages/protocol_name_list.ts";
import type { ServerChoice } from "./negotiate.ts";
import { MAX_RECORD_CONTENT } from "./record.ts";
import { RECORD_SIZE_LIMIT } from "./record_size_limit.ts";
import type { ServerCertificate } from "./server_certificate.ts";

const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
const EMPTY = new Uint8Array(0);

/** What a client may sign its CertificateVerify with, as our CertificateRequest says. */
export const CLIENT_SCHEMES = [
  SIGNATURE_SCHEME.ecdsaSecp256r1Sha256,
  SIGNATURE_SCHEME.ecdsaSecp384r1Sha384,
  SIGNATURE_SCHEME.ecdsaSecp521r1Sha512,
  SIGNATURE_SCHEME.ed25519,
  SIGNATURE_SCHEME.rsaPssRsaeSha256,
  SIGNATURE_SCHEME.rsaPssRsaeSha384,
  SIGNATURE_SCHEME.rsaPssRsaeSha512,
  SIGNATURE_SCHEME.rsaPssPssSha256,
  SIGNATURE_SCHEME.rsaPssPssSha384,
  SIGNATURE_SCHEME.rsaPssPssSha512,
] as const;

/** Settings of an application protocol and the number of the extension that carries them (ALPS). */
export type ApplicationSettings = Extension;

/** ServerHello (RFC 8446 §4.1.3), its extensions in OpenSSL's order. */
export function serverHello(
  { hello }: ClientOffer,
  { suite, group, psk }: ServerChoice,
  random: Uint8Array,
  keyExchange: Uint8Array,
): Bytes {
  const extensions = [
    supportedVersion(),
    extension(EXTENSION.keyShare, encodeKeyShareEntry({ group, keyExchange })),
  ];
  if (psk) extensions.push(extension(EXTENSION.preSharedKey, u16(psk.index)));
  return encodeServerHello({
    legacyVersion: TLS_1_2,
    random,
    sessionId: hello.sessionId,
    cipherSuite: suite.id,
    compressionMethod: 0,
    extensions,
  });
}

/** HelloRetryRequest (RFC 8446 §4.1.4) for the group chosen. */
export function helloRetryRequest(
  { hello }: ClientOffer,
  { suite, group }: ServerChoice,
  cookie: Uint8Array | undefined,
): Bytes {
  const extensions = [
    supportedVersion(),
    extension(EXTENSION.keyShare, u16(group)),
  ];
  if (cookie) {
    extensions.push(
      extension(EXTENSION.cookie, concat(u16(cookie.length), cookie)),
    );
  }
  return encodeServerHello({
    legacyVersion: TLS_1_2,
    random: decodeHex(HELLO_RETRY_RANDOM),
    sessionId: hello.sessionId,
    cipherSuite: suite.id,
    compressionMethod: 0,
    extensions,
  });
}

/** EncryptedExtensions (RFC 8446 §4.3.1) that answer those of the client. */
export function encryptedExtensions(
  { recordSizeLimit, serverName }: ClientOffer,
  { alpn }: ServerChoice,
  settings: ApplicationSettings | undefined,
): Bytes {
  const extensions: Extension[] = [];
  if (serverName !== undefined) { // RFC 6066 §3; nginx says so for names of others too
    extensions.push(extension(EXTENSION.serverName, EMPTY));
  }
  if (recordSizeLimit !== undefined) {
    const limit = u16(MAX_RECORD_CONTENT + 1); // RFC 8449 §4
    extensions.push(extension(RECORD_SIZE_LIMIT, limit));
  }
  if (alpn !== undefined) {
    extensions.push(extension(EXTENSION.alpn, encodeProtocolNames([alpn])));
  }
  if (settings) extensions.push(settings);
  return encodeEncryptedExtensions(extensions);
}

/** CertificateRequest (RFC 8446 §4.3.2) for {@link CLIENT_SCHEMES}. */
export function certificateRequest(): Bytes {
  const w = new Writer().u16(2 * CLIENT_SCHEMES.length);
  for (const scheme of CLIENT_SCHEMES) w.u16(scheme);
  return encodeCertificateRequest({
    context: EMPTY,
    extensions: [extension(EXTENSION.signatureAlgorithms, w.finish())],
  });
}

const plain = new WeakMap<ServerCertificate, Bytes>();
const compressed = new WeakMap<ServerCertificate, Bytes>();

/** The Certificate message, or CompressedCertificate, of `certificate`, made once. */
export function certificateMessage(
  certificate: ServerCertificate,
  isCompressed: boolean,
): Bytes {
  const cache = isCompressed ? compressed : plain;
  const cached = cache.get(certificate);
  if (cached) return cached;
  const entries = certificate.chain.map((der) => ({ der, extensions: [] }));
  const content = { context: EMPTY, entries };
  const message = isCompressed
    ? encodeCompressedCertificate(encodeCertificateBody(content))
    : encodeCertificate(content);
  cache.set(certificate, message);
  return message;
}

function supportedVersion(): Extension {
  return extension(EXTENSION.supportedVersions, u16(TLS_1_3));
}

function extension(type: number, data: Uint8Array): Extension {
  return { type, data };
}

function u16(value: number): Bytes {
  return new Writer(2).u16(value).finish();
}
