/**
 * HTTP/2 frame (RFC 9113 §4.1).
 *
 * ```text
 * 3B  length of the payload
 * 1B  type, see FRAME_TYPE
 * 1B  flags, see FLAG
 * 4B  1 bit reserved, 31 bits stream identifier; 0 is the connection
 * nB  payload
 * ```
 *
 * A client's first frame follows the {@link CONNECTION_PREFACE}.
 *
 * @module
 */
import { type Bytes, Reader, utf8, Writer } from "../core/bytes/mod.ts";
import { Http2Error } from "./http2_error.ts";

/** Frame types (RFC 9113 §6). */
export const FRAME_TYPE = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Flags; which of them a frame can have depends on its type. */
export const FLAG = {
  endStream: 0x1, // DATA, HEADERS
  ack: 0x1, // SETTINGS, PING
  endHeaders: 0x4, // HEADERS, CONTINUATION
  padded: 0x8, // DATA, HEADERS
  priority: 0x20, // HEADERS
} as const;

/** Bytes in front of a payload. */
export const FRAME_HEADER_LENGTH = 9;

/** Longest payload that every peer takes; SETTINGS_MAX_FRAME_SIZE can allow more. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;

/** Length of {@link connectionPreface}. */
export const PREFACE_LENGTH = 24;

/** What a client sends first (RFC 9113 §3.4). */
export function connectionPreface(): Bytes {
  return utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

/** One frame, of a type in {@link FRAME_TYPE} or any other. */
export interface Frame {
  /** 0 … 255. */
  readonly type: number;
  /** 0 … 255. */
  readonly flags: number;
  /** 0 … 2^31 − 1. */
  readonly streamId: number;
  /** Up to 2^24 − 1 bytes. */
  readonly payload: Uint8Array;
}

/**
 * Decodes the frame that `bytes` start with; `undefined` if it is not whole yet. Its payload views `bytes`.
 *
 * @param maxFrameBytes Longest payload to take: SETTINGS_MAX_FRAME_SIZE of the receiver.
 * @throws {Http2Error} `frameSizeError` if the payload is longer, as soon as the header tells.
 */
export function decodeFrame(
  bytes: Uint8Array,
  maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES,
): Frame | undefined {
  if (bytes.length < FRAME_HEADER_LENGTH) return undefined;
  const r = new Reader(bytes, "HTTP/2 frame");
  const length = r.u24();
  if (length > maxFrameBytes) {
    throw new Http2Error(
      "frameSizeError",
      `Frame of ${length} bytes, of at most ${maxFrameBytes}`,
    );
  }
  if (bytes.length < FRAME_HEADER_LENGTH + length) return undefined;
  const type = r.u8();
  const flags = r.u8();
  const streamId = r.u32() % 0x80000000;
  return { type, flags, streamId, payload: r.take(length) };
}

/** Whole length of the frame that `bytes` start with, or that of a header while it is not whole. */
export function frameLength(bytes: Uint8Array): number {
  if (bytes.length < FRAME_HEADER_LENGTH) return FRAME_HEADER_LENGTH;
  return FRAME_HEADER_LENGTH + new Reader(bytes, "HTTP/2 frame").u24();
}

/** The header of a frame whose payload of `length` bytes follows. */
export function encodeFrameHeader(
  { type, flags, streamId }: Omit<Frame, "payload">,
  length: number,
): Bytes {
  const header = new Uint8Array(FRAME_HEADER_LENGTH);
  header[0] = length >>> 16;
  header[1] = length >>> 8;
  header[2] = length;
  header[3] = type;
  header[4] = flags;
  header[5] = streamId >>> 24;
  header[6] = streamId >>> 16;
  header[7] = streamId >>> 8;
  header[8] = streamId;
  return header;
}

/**
 * Encodes `frame`.
 *
 * @throws {RangeError} If a field does not fit.
 */
export function encodeFrame(frame: Frame): Bytes {
  const { type, flags, streamId, payload } = frame;
  return new Writer(FRAME_HEADER_LENGTH + payload.length)
    .u24(payload.length).u8(type).u8(flags).u32(streamId).put(payload).finish();
}
