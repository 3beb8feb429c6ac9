/**
 * CertificateVerify (RFC 8446 §4.4.3).
 *
 * ```text
 * 2B  signature scheme
 * 2B  length, then signature
 * ```
 *
 * @module
 */
import { type Bytes, concat, utf8, Writer } from "../../core/bytes/mod.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** Proof that a side has the private key of its certificate. */
export interface CertificateVerify {
  /** The signature scheme. */
  readonly scheme: number;
  /** Over {@link signedContent}. */
  readonly signature: Uint8Array;
}

/** What the signature of `signer` covers, up to the hash of the transcript through its Certificate. */
export function signedContent(
  signer: "client" | "server",
  transcriptHash: Uint8Array,
): Bytes {
  return concat(
    new Uint8Array(64).fill(0x20),
    utf8(`TLS 1.3, ${signer} CertificateVerify\0`),
    transcriptHash,
  );
}

/**
 * Decodes a whole message; the signature views it.
 *
 * @throws {DecodeError} If a length does not fit.
 */
export function decodeCertificateVerify(
  message: Uint8Array,
): CertificateVerify {
  const r = handshakeBody(
    message,
    HANDSHAKE_TYPE.certificateVerify,
    "CertificateVerify",
  );
  const scheme = r.u16();
  const signature = r.take(r.u16());
  r.end();
  return { scheme, signature };
}

/** Encodes `verify` as a handshake message. */
export function encodeCertificateVerify(verify: CertificateVerify): Bytes {
  const { scheme, signature } = verify;
  const w = new Writer(4 + signature.length)
    .u16(scheme)
    .u16(signature.length).put(signature);
  return encodeHandshake(HANDSHAKE_TYPE.certificateVerify, w.finish());
}
