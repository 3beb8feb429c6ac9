import { type Bytes, DecodeError, Reader } from "../core/bytes/mod.ts";
import {
  SIGNATURE_SCHEME,
  type SignatureScheme,
  type verifySignature,
} from "../core/crypto/mod.ts";
import { EXTENSION } from "../utls/mod.ts";
import { spkiOf } from "./certificates/x509_certificate.ts";
import type { ClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import {
  type Certificate,
  decodeCertificate,
  decodeCertificateBody,
} from "./messages/certificate.ts";
import {
  decodeCertificateVerify,
  signedContent,
} from "./messages/certificate_verify.ts";
import {
  decodeCompressedCertificate,
  decompressCertificate,
} from "./messages/compressed_certificate.ts";
import { findExtension } from "./messages/extensions.ts";
import { HANDSHAKE_TYPE } from "./messages/handshake_type.ts";
import { checkAnswers } from "./server_extensions.ts";

const OCSP = 1;

/**
 * The chain of a server's Certificate or CompressedCertificate, as DER, copied.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {TlsError} `decode_error` if it is empty (RFC 8446 §4.4.2.4), `illegal_parameter` or `bad_certificate` for a
 * compression that was not offered or does not hold what it says (RFC 8879 §4), or as {@link checkAnswers}.
 */
export function readServerChain(
  message: Uint8Array,
  offer: ClientOffer,
  offered: ReadonlySet<number>,
): Bytes[] {
  const { context, entries } = readCertificate(message, offer);
  if (context.length > 0) {
    throw fatal("illegalParameter", "Certificate repeats no request"); // §4.4.2
  }
  if (entries.length === 0) throw fatal("decodeError", "No certificate");
  for (const { extensions } of entries) {
    checkAnswers("Certificate", extensions, offered);
    const status = findExtension(extensions, EXTENSION.statusRequest);
    if (status) checkStatus(status);
    const timestamps = findExtension(
      extensions,
      EXTENSION.signedCertificateTimestamp,
    );
    if (timestamps) checkTimestamps(timestamps);
  }
  return entries.map(({ der }) => new Uint8Array(der));
}

/**
 * Checks that the sender of CertificateVerify has the private key of `certificate` (RFC 8446 §4.4.3).
 *
 * @param transcriptHash Up to the Certificate.
 * @throws {DecodeError} If the message is malformed.
 * @throws {TlsError} `illegal_parameter` for a scheme that was not offered or is for TLS 1.2 only,
 * `unsupported_certificate` for one that is offered but cannot be verified here, `decrypt_error` for a wrong signature, `bad_certificate` for a malformed certificate.
 */
export function checkServerSignature(
  message: Uint8Array,
  certificate: Uint8Array,
  transcriptHash: Uint8Array,
  offer: ClientOffer,
  verify: typeof verifySignature,
): void {
  const { scheme, signature } = decodeCertificateVerify(message);
  if (!offer.signatureSchemes?.includes(scheme) || isOnlyForOlder(scheme)) {
    throw fatal("illegalParameter", `Signature scheme ${scheme}`);
  }
  if (!isVerifiable(scheme)) {
    throw fatal("unsupportedCertificate", `Signature scheme ${scheme}`);
  }
  const content = signedContent("server", transcriptHash);
  if (!verify(scheme, publicKeyOf(certificate), content, signature)) {
    throw fatal("decryptError", "CertificateVerify does not verify");
  }
}

/** RFC 6066 §8: the type `ocsp`, then `OCSPResponse<1..2^24-1>`, which is not used. */
function checkStatus(data: Uint8Array): void {
  const r = new Reader(data, "CertificateStatus");
  const type = r.u8();
  const { length } = r.take(r.u24());
  r.end();
  if (type !== OCSP || length === 0) {
    throw new DecodeError(r.what, `${length} bytes of type ${type}`);
  }
}

/** RFC 6962 §3.3: `sct_list<1..2^16-1>` of `SerializedSCT<1..2^16-1>`, which are not used. */
function checkTimestamps(data: Uint8Array): void {
  const r = new Reader(data, "SignedCertificateTimestampList");
  const list = r.sub(r.u16());
  r.end();
  if (list.remaining === 0) throw new DecodeError(r.what, "no timestamp");
  while (list.remaining > 0) {
    if (list.take(list.u16()).length === 0) {
      throw new DecodeError(r.what, "an empty timestamp");
    }
  }
}

function publicKeyOf(certificate: Uint8Array): Bytes {
  try {
    return spkiOf(certificate);
  } catch (cause) {
    throw fatal("badCertificate", "Certificate is malformed", { cause });
  }
}

function readCertificate(
  message: Uint8Array,
  offer: ClientOffer,
): Certificate {
  if (message[0] !== HANDSHAKE_TYPE.compressedCertificate) {
    return decodeCertificate(message);
  }
  const compressed = decodeCompressedCertificate(message);
  if (!offer.certificateCompressions.includes(compressed.algorithm)) {
    throw fatal("illegalParameter", "Compression was not offered");
  }
  return decodeCertificateBody(decompressCertificate(compressed));
}

/** PKCS #1 v1.5 and SHA-1, which TLS 1.3 leaves to certificates (RFC 8446 §4.2.3). */
function isOnlyForOlder(scheme: number): boolean {
  const hash = scheme >> 8;
  return hash === 2 || (hash <= 6 && (scheme & 0xff) === 1);
}

function isVerifiable(scheme: number): scheme is SignatureScheme {
  return (Object.values(SIGNATURE_SCHEME) as number[]).includes(scheme);
}
