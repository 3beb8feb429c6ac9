/**
 * The payload of a Sphinx packet: 16 zero bytes ‖ message ‖ 0x01 ‖ zeros, under one layer of LIONESS a hop.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError } from "./error.ts";
import type { SphinxGeometry } from "./geometry.ts";
import { payloadKey } from "./key_expansion.ts";
import { lionessEncrypt } from "./lioness.ts";

const ZEROS_LENGTH = 16;
const END = 1;

/**
 * The payload of `message` under the layers of `seeds`, the first hop's outermost.
 *
 * @throws {RangeError} If the message is longer than the geometry allows.
 */
export function sealPayload(
  crypto: CryptoProvider,
  { payloadLength, messageLength }: SphinxGeometry,
  seeds: readonly Uint8Array[],
  message: Uint8Array,
): Bytes {
  if (message.length > messageLength) {
    throw new RangeError(
      `A message has at most ${messageLength} bytes: got ${message.length}`,
    );
  }
  const payload = new Uint8Array(payloadLength);
  payload.set(message, ZEROS_LENGTH);
  payload[ZEROS_LENGTH + message.length] = END;
  for (const seed of seeds.toReversed()) {
    lionessEncrypt(crypto, payloadKey(crypto, seed), payload);
  }
  return payload;
}

/**
 * The message in a payload whose layers are all off.
 *
 * @throws {SphinxError} `payload` if it was changed on its way, or has a layer on yet.
 */
export function recoverMessage(payload: Uint8Array): Bytes {
  let head = 0;
  for (let i = 0; i < ZEROS_LENGTH; i++) head |= payload[i] ?? 1;
  const end = payload.findLastIndex((byte) => byte !== 0);
  if (head !== 0 || end < ZEROS_LENGTH || payload[end] !== END) {
    throw new SphinxError("payload", "The payload holds no message");
  }
  return payload.slice(ZEROS_LENGTH, end);
}
