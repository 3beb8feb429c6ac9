/**
 * WebSocket frames (RFC 6455 §5.2), of which byte connections use all but text.
 *
 * ```text
 *  1b  final fragment of its message
 *  3b  reserved, zero
 *  4b  opcode, see OPCODE
 *  1b  masked: set by clients, clear by servers
 *  7b  payload length n; 126: the next 2 bytes hold it; 127: the next 8 bytes, big-endian, shortest form only
 *  4B  masking key, if masked
 *  nB  payload, each byte XORed with the masking key's byte at its offset mod 4
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader } from "../bytes/mod.ts";

/** Frame types on the wire. */
export const OPCODE = {
  continuation: 0x0, // the next fragment of a message
  text: 0x1, // refused
  binary: 0x2, // bytes of the connection
  close: 0x8, // the sender's last frame
  ping: 0x9, // to be answered by a pong of the same payload
  pong: 0xa, // an answer, ignored
} as const;
/** One of {@link OPCODE}. */
export type Opcode = typeof OPCODE[keyof typeof OPCODE];

/** Close codes with a meaning here (RFC 6455 §7.4.1). */
export const CLOSE_CODE = {
  normal: 1000, // the sender has written everything
  goingAway: 1001, // the sender drops the connection
  absent: 1005, // stands for a close frame without a code, never sent
  protocolError: 1002, // the peer's frame breaks the RFC
  tooBig: 1009, // the peer's frame exceeds our limit
} as const;
/** One of {@link CLOSE_CODE}. */
export type CloseCode = typeof CLOSE_CODE[keyof typeof CLOSE_CODE];

/** Longest payload of a control frame in bytes. */
const MAX_CONTROL_BYTES = 125;
/** Longest header in bytes. */
export const MAX_HEADER_BYTES = 14;

/** What precedes a payload. */
export interface FrameHeader {
  /** Whether this is the last fragment of its message. */
  readonly final: boolean;
  /** The frame's type. */
  readonly opcode: Opcode;
  /** The masking key's 4 bytes, or `undefined` if the payload is not masked. */
  readonly mask: Uint8Array | undefined;
  /** Length of the payload in bytes. */
  readonly payloadLength: number;
}

const OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));

/** Length in bytes, 2 to 14, of the header whose second byte is `secondByte`. */
export function headerLength(secondByte: number): number {
  const short = secondByte & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  return 2 + extended + (secondByte & 0x80 ? 4 : 0);
}

/**
 * Decodes a whole header; the masking key borrows its bytes.
 *
 * @throws {DecodeError} If a reserved bit is set, the opcode is unknown, a length is not in its shortest form or above
 *   2^53 − 1, or a control frame is fragmented or longer than 125 bytes.
 */
export function decodeHeader(bytes: Uint8Array): FrameHeader {
  const r = new Reader(bytes, "WebSocket frame");
  const first = r.u8();
  if (first & 0x70) throw new DecodeError(r.what, "reserved bits are set");
  const opcode = first & 0x0f;
  if (!isOpcode(opcode)) throw new DecodeError(r.what, "unknown opcode");
  const second = r.u8();
  const payloadLength = decodeLength(r, second & 0x7f);
  const mask = second & 0x80 ? r.take(4) : undefined;
  r.end();
  const final = (first & 0x80) !== 0;
  if (opcode >= OPCODE.close && (!final || payloadLength > MAX_CONTROL_BYTES)) {
    throw new DecodeError(r.what, "control frame is fragmented or too long");
  }
  return { final, opcode, mask, payloadLength };
}

/**
 * Writes an unfragmented frame at the start of `into` and returns its length.
 *
 * @throws {RangeError} If `into` is too short: it needs 14 bytes beside the payload.
 */
export function encodeFrame(
  opcode: Opcode,
  payload: Uint8Array,
  mask: Uint8Array | undefined,
  into: Uint8Array,
): number {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const { length } = payload;
  const maskBit = mask ? 0x80 : 0;
  let at = 2;
  view.setUint8(0, 0x80 | opcode);
  if (length < 126) {
    view.setUint8(1, maskBit | length);
  } else if (length < 0x10000) {
    view.setUint8(1, maskBit | 126);
    view.setUint16(2, length);
    at = 4;
  } else {
    view.setUint8(1, maskBit | 127);
    view.setBigUint64(2, BigInt(length));
    at = 10;
  }
  if (mask) {
    into.set(mask, at);
    at += 4;
  }
  into.set(payload, at);
  if (mask) applyMask(into.subarray(at, at + length), mask, 0);
  return at + length;
}

/** The payload of a close frame: a code and no reason. */
export function encodeClose(code: CloseCode): Bytes {
  return new Uint8Array([code >> 8, code & 0xff]);
}

/**
 * The code in a close frame's payload; `absent` if it is empty (RFC 6455 §7.1.5).
 *
 * @throws {DecodeError} If the code may not be sent (§7.4) or the reason is not UTF-8.
 */
export function decodeClose(payload: Uint8Array): number {
  if (payload.length === 0) return CLOSE_CODE.absent;
  const r = new Reader(payload, "WebSocket close frame");
  const code = r.u16();
  const isSendable = code >= 1000 && code <= 1014 && code !== 1004 &&
    code !== 1005 && code !== 1006;
  if (!isSendable && !(code >= 3000 && code <= 4999)) {
    throw new DecodeError(r.what, "the code may not be sent");
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(r.rest());
  } catch {
    throw new DecodeError(r.what, "the reason is not UTF-8");
  }
  return code;
}

/**
 * Masks or unmasks `bytes` in place, of which the first is at `offset` in the payload.
 *
 * All but a few bytes at the edges are XORed four at a time.
 */
export function applyMask(
  bytes: Uint8Array,
  mask: Uint8Array,
  offset: number,
): void {
  const { buffer, byteOffset, length } = bytes;
  const edge = length < 8 ? length : -byteOffset & 3;
  for (let i = 0; i < edge; i++) bytes[i]! ^= mask[(offset + i) & 3]!;
  if (edge === length) return;
  const words = new Int32Array(buffer, byteOffset + edge, (length - edge) >> 2);
  const key = new Uint8Array(4);
  for (let i = 0; i < 4; i++) key[i] = mask[(offset + edge + i) & 3]!;
  const word = new Int32Array(key.buffer)[0]!;
  for (let i = 0; i < words.length; i++) words[i]! ^= word;
  for (let i = edge + 4 * words.length; i < length; i++) {
    bytes[i]! ^= mask[(offset + i) & 3]!;
  }
}

function isOpcode(value: number): value is Opcode {
  return OPCODES.has(value);
}

function decodeLength(r: Reader, short: number): number {
  if (short < 126) return short;
  const length = short === 126 ? r.u16() : Number(r.u64());
  if (length < (short === 126 ? 126 : 0x10000)) {
    throw new DecodeError(r.what, "length is not in its shortest form");
  }
  if (length > Number.MAX_SAFE_INTEGER) {
    throw new DecodeError(r.what, "length above 2^53 - 1");
  }
  return length;
}
