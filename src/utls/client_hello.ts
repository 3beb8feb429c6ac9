/**
 * ClientHello (RFC 8446 §4.1.2), as a handshake message.
 *
 * ```text
 * 1B  message type, 1
 * 3B  length of what follows
 * 2B  legacy_version
 * 32B random
 * 1B  length, then legacy_session_id, 0 to 32 bytes
 * 2B  length, then cipher_suites, 2 bytes each
 * 1B  length, then legacy_compression_methods
 * 2B  length, then extensions: 2B type, 2B length, data; may be absent as a whole (TLS 1.2 and older)
 * ```
 *
 * @module
 */
import type { Bytes } from "../core/bytes/mod.ts";
import {
  type Extension,
  finishHello,
  readExtensions,
  readHello,
  writeHello,
} from "./hello_parts.ts";

/** Handshake message type of a ClientHello. */
export const CLIENT_HELLO = 1;

/** A ClientHello whose {@link encodeClientHello} is the message it was decoded from, byte for byte. */
export interface ClientHello {
  /** `legacy_version`, 0x0303 since TLS 1.2. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** `legacy_session_id`, 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
  /** In the order sent, GREASE included. */
  readonly cipherSuites: readonly number[];
  /** `legacy_compression_methods`. */
  readonly compressionMethods: Uint8Array;
  /** In the order sent, GREASE included; `undefined` if the hello ends before their length. */
  readonly extensions?: readonly Extension[];
}

/**
 * Decodes one whole handshake message; the arrays of the result view `message`.
 *
 * Repeated extensions are kept: whether they are allowed is for the server to say.
 *
 * @throws {DecodeError} If it is no ClientHello, a length does not fit, or it has more than {@link MAX_EXTENSIONS} extensions.
 */
export function decodeClientHello(message: Uint8Array): ClientHello {
  const { body, ...start } = readHello(message, CLIENT_HELLO, "ClientHello");
  const suites = body.sub(body.u16());
  const cipherSuites: number[] = [];
  while (suites.remaining > 0) cipherSuites.push(suites.u16());
  const compressionMethods = body.take(body.u8());
  return {
    ...start,
    cipherSuites,
    compressionMethods,
    ...readExtensions(body),
  };
}

/**
 * Encodes `hello` as a handshake message.
 *
 * @throws {RangeError} If a part is longer than its length field can say.
 */
export function encodeClientHello(hello: ClientHello): Bytes {
  const w = writeHello(hello);
  w.u16(2 * hello.cipherSuites.length);
  for (const suite of hello.cipherSuites) w.u16(suite);
  w.u8(hello.compressionMethods.length).put(hello.compressionMethods);
  return finishHello(w, CLIENT_HELLO, hello.extensions);
}

/** The data of the first extension of `type`, or `undefined`. */
export function extensionOf(
  hello: ClientHello,
  type: number,
): Uint8Array | undefined {
  return hello.extensions?.find((extension) => extension.type === type)?.data;
}
