/**
 * CertificateRequest (RFC 8446 §4.3.2).
 *
 * ```text
 * 1B  length, then certificate_request_context; empty in a handshake
 * 2B  length, then extensions, signature_algorithms among them
 * ```
 *
 * @module
 */
import { type Bytes, Writer } from "../../core/bytes/mod.ts";
import type { Extension } from "../../utls/mod.ts";
import { readExtensions, writeExtensions } from "./extensions.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** A server's wish for a certificate of the client. */
export interface CertificateRequest {
  /** What the client's Certificate repeats. */
  readonly context: Uint8Array;
  /** In the order sent. */
  readonly extensions: readonly Extension[];
}

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit.
 * @throws {TlsError} `illegal_parameter` if an extension comes twice.
 */
export function decodeCertificateRequest(
  message: Uint8Array,
): CertificateRequest {
  const r = handshakeBody(
    message,
    HANDSHAKE_TYPE.certificateRequest,
    "CertificateRequest",
  );
  const context = r.take(r.u8());
  const extensions = readExtensions(r);
  r.end();
  return { context, extensions };
}

/** Encodes `request` as a handshake message. */
export function encodeCertificateRequest(request: CertificateRequest): Bytes {
  const w = new Writer().u8(request.context.length).put(request.context);
  writeExtensions(w, request.extensions);
  return encodeHandshake(HANDSHAKE_TYPE.certificateRequest, w.finish());
}
