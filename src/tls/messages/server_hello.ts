/**
 * ServerHello, and HelloRetryRequest, which is one with a fixed random (RFC 8446 §4.1.3, §4.1.4).
 *
 * ```text
 * 2B  legacy_version, 0x0303
 * 32B random
 * 1B  length, then legacy_session_id_echo, 0 to 32 bytes
 * 2B  cipher suite
 * 1B  legacy_compression_method, 0
 * 2B  length, then extensions; absent as a whole from some of TLS 1.2
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  equal,
  Writer,
} from "../../core/bytes/mod.ts";
import type { Extension } from "../../utls/mod.ts";
import { readExtensions, writeExtensions } from "./extensions.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** A server's answer to a ClientHello. */
export interface ServerHello {
  /** `legacy_version`. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** `legacy_session_id_echo`, 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
  /** The suite chosen. */
  readonly cipherSuite: number;
  /** `legacy_compression_method`. */
  readonly compressionMethod: number;
  /** In the order sent. */
  readonly extensions: readonly Extension[];
}

/** The random that makes a ServerHello a HelloRetryRequest: SHA-256 of its name. */
export const HELLO_RETRY_RANDOM: Uint8Array = Uint8Array.fromHex(
  "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c",
);

/** Whether `hello` asks for another ClientHello. */
export function isHelloRetryRequest(hello: ServerHello): boolean {
  return equal(hello.random, HELLO_RETRY_RANDOM);
}

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit.
 * @throws {TlsError} `illegal_parameter` if an extension comes twice.
 */
export function decodeServerHello(message: Uint8Array): ServerHello {
  const r = handshakeBody(message, HANDSHAKE_TYPE.serverHello, "ServerHello");
  const legacyVersion = r.u16();
  const random = r.take(32);
  const sessionId = r.take(r.u8());
  if (sessionId.length > 32) {
    throw new DecodeError(r.what, `session id of ${sessionId.length} bytes`);
  }
  const cipherSuite = r.u16();
  const compressionMethod = r.u8();
  const extensions = r.remaining > 0 ? readExtensions(r) : [];
  r.end();
  return {
    legacyVersion,
    random,
    sessionId,
    cipherSuite,
    compressionMethod,
    extensions,
  };
}

/** Encodes `hello` as a handshake message. */
export function encodeServerHello(hello: ServerHello): Bytes {
  const w = new Writer(256)
    .u16(hello.legacyVersion).put(hello.random)
    .u8(hello.sessionId.length).put(hello.sessionId)
    .u16(hello.cipherSuite).u8(hello.compressionMethod);
  writeExtensions(w, hello.extensions);
  return encodeHandshake(HANDSHAKE_TYPE.serverHello, w.finish());
}
