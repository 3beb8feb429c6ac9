/**
 * A reply packet's message: one fragment of a reply, sealed with the key that came beside the SURB (ChaCha20-Poly1305, nonce zero, as
 * SURB and key are used once), filled up with zeros to the length that the geometry allows.
 *
 * ```text
 * index 2 ‖ count 2 ‖ length 2 ‖ bytes ‖ zeros ‖ tag 16        integers big-endian
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";
import { CryptoError, type CryptoProvider } from "../../core/crypto/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";

const HEAD = 6;
const TAG = 16;
const NONCE = new Uint8Array(12);

/** A piece of a reply. */
export interface ReplyFragment {
  /** Its place, from 0. */
  readonly index: number;
  /** How many the reply has. */
  readonly count: number;
  /** Its part of the reply. */
  readonly bytes: Bytes;
}

/** Bytes of a reply that fit into one packet. */
export function replyRoom({ messageLength }: SphinxGeometry): number {
  return messageLength - HEAD - TAG;
}

/** The message of the packet that brings `fragment`. */
export function sealReply(
  crypto: CryptoProvider,
  geometry: SphinxGeometry,
  key: Uint8Array,
  { index, count, bytes }: ReplyFragment,
): Bytes {
  const plaintext = new Uint8Array(geometry.messageLength - TAG);
  plaintext.set(
    new Writer(HEAD + bytes.length).u16(index).u16(count).u16(bytes.length)
      .put(bytes).finish(),
  );
  using aead = crypto.chacha20poly1305(key);
  return aead.seal(NONCE, plaintext);
}

/** The fragment that `message` brings; `undefined` if it was not sealed with `key`, or is none. */
export function openReply(
  crypto: CryptoProvider,
  key: Uint8Array,
  message: Uint8Array,
): ReplyFragment | undefined {
  if (message.length < HEAD + TAG) return undefined;
  using aead = crypto.chacha20poly1305(key);
  try {
    const r = new Reader(aead.open(NONCE, message), "reply");
    const [index, count, length] = [r.u16(), r.u16(), r.u16()];
    const bytes = new Uint8Array(r.take(length));
    return index < count ? { index, count, bytes } : undefined;
  } catch (error) {
    if (error instanceof CryptoError || error instanceof DecodeError) {
      return undefined;
    }
    throw error;
  }
}
