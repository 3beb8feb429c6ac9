/**
 * KeyUpdate (RFC 8446 §4.6.3): 1B, whether the peer is to update its keys too.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { fatal } from "../error.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/**
 * Whether the peer asks us to update our keys too.
 *
 * @throws {DecodeError} If it is not 1 byte long.
 * @throws {TlsError} `illegal_parameter` if the byte is neither 0 nor 1 (RFC 8446 §4.6.3).
 */
export function decodeKeyUpdate(message: Uint8Array): boolean {
  const r = handshakeBody(message, HANDSHAKE_TYPE.keyUpdate, "KeyUpdate");
  const request = r.u8();
  r.end();
  if (request > 1) {
    throw fatal("illegalParameter", `KeyUpdate asks for ${request}`);
  }
  return request === 1;
}

/** Encodes a handshake message. */
export function encodeKeyUpdate(isRequested: boolean): Bytes {
  const body = Uint8Array.of(isRequested ? 1 : 0);
  return encodeHandshake(HANDSHAKE_TYPE.keyUpdate, body);
}
