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
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";

/** Handshake message type of a ClientHello. */
export const CLIENT_HELLO = 1;

/** Most extensions a hello may have; browsers send about 20. */
export const MAX_EXTENSIONS = 256;

/** One extension, its data as sent. */
export interface Extension {
  /** Its number in the IANA registry. */
  readonly type: number;
  /** What its length counts. */
  readonly data: Uint8Array;
}

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
  const r = new Reader(message, "ClientHello");
  if (r.u8() !== CLIENT_HELLO) {
    throw new DecodeError(r.what, "not a ClientHello");
  }
  const body = r.sub(r.u24());
  r.end();
  const legacyVersion = body.u16();
  const random = body.take(32);
  const sessionId = body.take(body.u8());
  if (sessionId.length > 32) {
    throw new DecodeError(r.what, `session id of ${sessionId.length} bytes`);
  }
  const suites = body.sub(body.u16());
  const cipherSuites: number[] = [];
  while (suites.remaining > 0) cipherSuites.push(suites.u16());
  const compressionMethods = body.take(body.u8());
  const hello = {
    legacyVersion,
    random,
    sessionId,
    cipherSuites,
    compressionMethods,
  };
  if (body.remaining === 0) return hello;
  const list = body.sub(body.u16());
  body.end();
  return { ...hello, extensions: decodeExtensions(list) };
}

/**
 * Decodes the extensions that fill the rest of `r`.
 *
 * @throws {DecodeError} If a length does not fit, or there are more than {@link MAX_EXTENSIONS}.
 */
export function decodeExtensions(r: Reader): Extension[] {
  const extensions: Extension[] = [];
  while (r.remaining > 0) {
    if (extensions.length >= MAX_EXTENSIONS) {
      throw new DecodeError(r.what, `more than ${MAX_EXTENSIONS} extensions`);
    }
    extensions.push({ type: r.u16(), data: r.take(r.u16()) });
  }
  return extensions;
}

/**
 * Encodes `hello` as a handshake message.
 *
 * @throws {RangeError} If a part is longer than its length field can say.
 */
export function encodeClientHello(hello: ClientHello): Bytes {
  const w = new Writer(2_048);
  w.u16(hello.legacyVersion).put(hello.random);
  w.u8(hello.sessionId.length).put(hello.sessionId);
  w.u16(2 * hello.cipherSuites.length);
  for (const suite of hello.cipherSuites) w.u16(suite);
  w.u8(hello.compressionMethods.length).put(hello.compressionMethods);
  if (hello.extensions) encodeExtensions(w, hello.extensions);
  const body = w.finish();
  return new Writer(4 + body.length).u8(CLIENT_HELLO).u24(body.length).put(body)
    .finish();
}

/** Writes `extensions` behind the length of all. */
export function encodeExtensions(
  w: Writer,
  extensions: readonly Extension[],
): void {
  let length = 0;
  for (const { data } of extensions) length += 4 + data.length;
  w.u16(length);
  for (const { type, data } of extensions) {
    w.u16(type).u16(data.length).put(data);
  }
}

/** The data of the first extension of `type`, or `undefined`. */
export function extensionOf(
  hello: ClientHello,
  type: number,
): Uint8Array | undefined {
  return hello.extensions?.find((extension) => extension.type === type)?.data;
}
