/**
 * ServerHello (RFC 8446 §4.1.3), as a handshake message; a HelloRetryRequest (§4.1.4) is one with a fixed random.
 *
 * ```text
 * 1B  message type, 2
 * 3B  length of what follows
 * 2B  legacy_version
 * 32B random
 * 1B  length, then legacy_session_id_echo, 0 to 32 bytes
 * 2B  cipher_suite
 * 1B  legacy_compression_method
 * 2B  length, then extensions: 2B type, 2B length, data; may be absent as a whole (TLS 1.2 and older)
 * ```
 *
 * @module
 */
import { type Bytes, decodeHex, equal } from "../core/bytes/mod.ts";
import {
  type Extension,
  finishHello,
  readExtensions,
  readHello,
  writeHello,
} from "./hello_parts.ts";

/** Handshake message type of a ServerHello. */
export const SERVER_HELLO = 2;

/** A ServerHello whose {@link encodeServerHello} is the message it was decoded from, byte for byte. */
export interface ServerHello {
  /** `legacy_version`, 0x0303 since TLS 1.2. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** `legacy_session_id_echo`, 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
  /** The suite chosen. */
  readonly cipherSuite: number;
  /** `legacy_compression_method`. */
  readonly compressionMethod: number;
  /** In the order sent; `undefined` if the hello ends before their length. */
  readonly extensions?: readonly Extension[];
}

/**
 * Decodes one whole handshake message; the arrays of the result view `message`.
 *
 * @throws {DecodeError} If it is no ServerHello, a length does not fit, or it has more than 256 extensions.
 */
export function decodeServerHello(message: Uint8Array): ServerHello {
  const { body, ...start } = readHello(message, SERVER_HELLO, "ServerHello");
  return {
    ...start,
    cipherSuite: body.u16(),
    compressionMethod: body.u8(),
    ...readExtensions(body),
  };
}

/**
 * Encodes `hello` as a handshake message.
 *
 * @throws {RangeError} If a part is longer than its length field can say.
 */
export function encodeServerHello(hello: ServerHello): Bytes {
  const w = writeHello(hello);
  w.u16(hello.cipherSuite).u8(hello.compressionMethod);
  return finishHello(w, SERVER_HELLO, hello.extensions);
}

/** Whether `hello` is a HelloRetryRequest. */
export function isHelloRetryRequest({ random }: ServerHello): boolean {
  return equal(random, decodeHex(HELLO_RETRY_RANDOM));
}

/** The random of every HelloRetryRequest: the SHA-256 digest of that word (RFC 8446 §4.1.3). */
export const HELLO_RETRY_RANDOM =
  "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
