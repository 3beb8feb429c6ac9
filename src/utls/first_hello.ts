import { type Bytes, DecodeError } from "../core/bytes/mod.ts";
import { HelloMessages } from "./capture/hello_messages.ts";
import { TlsStream } from "./capture/tls_stream.ts";

/** Content type of a handshake record. */
const HANDSHAKE_RECORD = 0x16;

/**
 * The hello that `bytes` start with, as a handshake message: they are TLS records, or handshake messages without them.
 *
 * @throws {DecodeError} If they start with no whole ClientHello or ServerHello.
 */
export function firstHello(bytes: Uint8Array): Bytes {
  const reader = bytes[0] === HANDSHAKE_RECORD
    ? new TlsStream()
    : new HelloMessages();
  const [message] = reader.push(bytes);
  if (!message) throw new DecodeError("hello", "not a whole hello");
  return message;
}
