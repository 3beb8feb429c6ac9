import {
  type Bytes,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";

/** Handshake message types of TLS 1.3 (RFC 8446 §B.3, RFC 8879 §4). */
export const HANDSHAKE_TYPE = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
  compressedCertificate: 25,
} as const;

/** One of {@link HANDSHAKE_TYPE}. */
export type HandshakeType = typeof HANDSHAKE_TYPE[keyof typeof HANDSHAKE_TYPE];

/** The message of `type` with `body`: 1B type, 3B length, body. */
export function encodeHandshake(type: HandshakeType, body: Uint8Array): Bytes {
  return new Writer(4 + body.length).u8(type).u24(body.length).put(body)
    .finish();
}

/**
 * A cursor over the body of one whole `message`.
 *
 * @throws {DecodeError} If it has another type, or its length is not that of the message.
 */
export function handshakeBody(
  message: Uint8Array,
  type: HandshakeType,
  what: string,
): Reader {
  const r = new Reader(message, what);
  if (r.u8() !== type) throw new DecodeError(what, `not of type ${type}`);
  const body = r.sub(r.u24());
  r.end();
  return body;
}
