/**
 * Certificate (RFC 8446 §4.4.2), X.509 only.
 *
 * ```text
 * 1B  length, then certificate_request_context
 * 3B  length, then entries: 3B length, DER; 2B length, extensions
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";
import type { Extension } from "../../utls/mod.ts";
import { readExtensions, writeExtensions } from "./extensions.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** Most certificates of a chain. */
const MAX_CHAIN_LENGTH = 32;

/** One certificate of a chain. */
export interface CertificateEntry {
  /** DER. */
  readonly der: Uint8Array;
  /** Such as an OCSP response; in the order sent. */
  readonly extensions: readonly Extension[];
}

/** A side's certificate and those that lead from it to a root. */
export interface Certificate {
  /** Empty from a server; from a client that of the CertificateRequest. */
  readonly context: Uint8Array;
  /** The sender's own first; only a client may send none. */
  readonly entries: readonly CertificateEntry[];
}

const WHAT = "Certificate";

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit, a certificate is empty, or there are more than {@link MAX_CHAIN_LENGTH}.
 * @throws {TlsError} `illegal_parameter` if an extension comes twice.
 */
export function decodeCertificate(message: Uint8Array): Certificate {
  return readCertificate(
    handshakeBody(message, HANDSHAKE_TYPE.certificate, WHAT),
  );
}

/** Decodes the body of a message, as {@link decodeCertificate} does; it is what compression covers. */
export function decodeCertificateBody(body: Uint8Array): Certificate {
  return readCertificate(new Reader(body, WHAT));
}

/** Encodes the body of a message. */
export function encodeCertificateBody(certificate: Certificate): Bytes {
  const list = new Writer(2_048);
  for (const { der, extensions } of certificate.entries) {
    writeExtensions(list.u24(der.length).put(der), extensions);
  }
  const { context } = certificate;
  return new Writer(8 + list.length)
    .u8(context.length).put(context)
    .u24(list.length).put(list.finish())
    .finish();
}

/** Encodes `certificate` as a handshake message. */
export function encodeCertificate(certificate: Certificate): Bytes {
  const body = encodeCertificateBody(certificate);
  return encodeHandshake(HANDSHAKE_TYPE.certificate, body);
}

function readCertificate(r: Reader): Certificate {
  const context = r.take(r.u8());
  const list = r.sub(r.u24());
  r.end();
  const entries: CertificateEntry[] = [];
  while (list.remaining > 0) {
    if (entries.length >= MAX_CHAIN_LENGTH) {
      throw new DecodeError(WHAT, `more than ${MAX_CHAIN_LENGTH} entries`);
    }
    const der = list.take(list.u24());
    if (der.length === 0) throw new DecodeError(WHAT, "empty certificate");
    entries.push({ der, extensions: readExtensions(list) });
  }
  return { context, entries };
}
