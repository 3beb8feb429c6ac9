/**
 * EncryptedExtensions (RFC 8446 §4.3.1); with application settings clients send one too (draft-vvv-tls-alps §4).
 *
 * ```text
 * 2B  length, then extensions
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

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit.
 * @throws {TlsError} `illegal_parameter` if an extension comes twice.
 */
export function decodeEncryptedExtensions(message: Uint8Array): Extension[] {
  const r = handshakeBody(
    message,
    HANDSHAKE_TYPE.encryptedExtensions,
    "EncryptedExtensions",
  );
  const extensions = readExtensions(r);
  r.end();
  return extensions;
}

/** Encodes a handshake message. */
export function encodeEncryptedExtensions(
  extensions: readonly Extension[],
): Bytes {
  const body = writeExtensions(new Writer(), extensions).finish();
  return encodeHandshake(HANDSHAKE_TYPE.encryptedExtensions, body);
}
