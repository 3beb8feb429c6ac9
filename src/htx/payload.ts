/**
 * What frames hold once decrypted (profile G13).
 *
 * ```text
 * STREAM         1B flags, then data; with RESET, a 2B code instead of data
 * STREAM, id 0   padding, of any content
 * PING           1B 0 = request, 1 = answer; 8B token
 * CLOSE          2B code; 0 to 256 B reason, UTF-8
 * KEY_UPDATE     4B number of this update, from 1
 * WINDOW_UPDATE  4B increment in bytes, not 0
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";

/** Flags of a STREAM payload. */
export const STREAM_FLAG = {
  none: 0x00,
  fin: 0x01, // the sender's last data
  reset: 0x02, // both directions end here; data is dropped unless the sender's FIN came before
} as const;

/** Codes of CLOSE and RESET (the registry of the 1.2 draft §15, from 11 on ours). */
export const CLOSE_CODE = {
  ok: 0,
  versionNegotiationFailed: 1,
  authFailed: 2,
  replay: 4,
  flowControlViolation: 5,
  oldKeyFrame: 6,
  malformedFrame: 7,
  internalError: 8,
  policyRejected: 9,
  unsupportedFeature: 10,
  protocolViolation: 11,
  limitExceeded: 12,
  timeout: 13,
  cancelled: 14,
} as const;

/** Longest reason of a CLOSE in bytes. */
const MAX_REASON_LENGTH = 256;

/** Length of a PING token in bytes. */
export const PING_TOKEN_LENGTH = 8;

/** A PING, sent or received. */
export interface Ping {
  /** Whether it answers one of ours. */
  readonly answer: boolean;
  /** The token, echoed in the answer. */
  readonly token: Uint8Array;
}

/** Why a session ended, as its CLOSE said. */
export interface CloseInfo {
  /** One of {@link CLOSE_CODE}, or a number this version does not know. */
  readonly code: number;
  /** Text for people, possibly empty; the peer chose it. */
  readonly reason: string;
}

/** Encodes a STREAM payload that resets the stream. */
export function encodeReset(code: number): Bytes {
  return new Writer(3).u8(STREAM_FLAG.reset).u16(code).finish();
}

/** Decodes the code of a STREAM payload that resets the stream. */
export function decodeReset(bytes: Uint8Array): number {
  const r = new Reader(bytes, "htx reset");
  r.u8();
  const code = r.u16();
  r.end();
  return code;
}

/** Encodes a PING. */
export function encodePing({ answer, token }: Ping): Bytes {
  return new Writer(9).u8(answer ? 1 : 0).put(token).finish();
}

/** Decodes a PING; the token is a copy. */
export function decodePing(bytes: Uint8Array): Ping {
  const r = new Reader(bytes, "htx ping");
  const kind = r.u8();
  if (kind > 1) throw new DecodeError("htx ping", `unknown kind ${kind}`);
  const token = r.take(PING_TOKEN_LENGTH).slice();
  r.end();
  return { answer: kind === 1, token };
}

/** Encodes a CLOSE; a reason longer than {@link MAX_REASON_LENGTH} bytes is cut. */
export function encodeClose({ code, reason }: CloseInfo): Bytes {
  const text = new Uint8Array(MAX_REASON_LENGTH);
  const { written } = new TextEncoder().encodeInto(reason, text);
  return new Writer(2 + written).u16(code).put(text.subarray(0, written))
    .finish();
}

/** Decodes a CLOSE. */
export function decodeClose(bytes: Uint8Array): CloseInfo {
  const r = new Reader(bytes, "htx close");
  const code = r.u16();
  if (r.remaining > MAX_REASON_LENGTH) {
    throw new DecodeError("htx close", "reason too long");
  }
  try {
    const reason = new TextDecoder("utf-8", { fatal: true }).decode(r.rest());
    return { code, reason };
  } catch {
    throw new DecodeError("htx close", "reason is not UTF-8");
  }
}

/** Encodes a KEY_UPDATE or WINDOW_UPDATE, whose payload is one 32-bit number. */
export function encodeU32(value: number): Bytes {
  return new Writer(4).u32(value).finish();
}

/** Decodes a KEY_UPDATE or WINDOW_UPDATE. */
export function decodeU32(bytes: Uint8Array, what: string): number {
  const r = new Reader(bytes, what);
  const value = r.u32();
  r.end();
  return value;
}
