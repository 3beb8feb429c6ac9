/**
 * Finished (RFC 8446 §4.4.4): a MAC as long as the suite's hash, and nothing else.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/**
 * `verify_data` of a whole message, which it views.
 *
 * @throws {DecodeError} If it is not `hashLength` bytes long.
 */
export function decodeFinished(
  message: Uint8Array,
  hashLength: number,
): Uint8Array {
  const r = handshakeBody(message, HANDSHAKE_TYPE.finished, "Finished");
  const verifyData = r.take(hashLength);
  r.end();
  return verifyData;
}

/** Encodes a handshake message. */
export function encodeFinished(verifyData: Uint8Array): Bytes {
  return encodeHandshake(HANDSHAKE_TYPE.finished, verifyData);
}
