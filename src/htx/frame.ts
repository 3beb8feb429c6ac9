/**
 * HTX frame (Betanet 1.1 §5.4, profile G11–G13).
 *
 * ```text
 * 3B  length of the ciphertext without its tag, big-endian
 * 1B  type, see FRAME_TYPE
 * nB  stream id, QUIC varint; only if the type is STREAM or WINDOW_UPDATE
 * lB  ciphertext
 * 16B Poly1305 tag; the bytes before the ciphertext are the additional data
 * ```
 *
 * @module
 */
import {
  DecodeError,
  decodeVarint,
  encodeVarint,
  varintLength,
  varintSize,
} from "../core/bytes/mod.ts";

/** Frame types on the wire (§5.4). */
export const FRAME_TYPE = {
  stream: 0x00, // bytes of one stream; stream 0 carries padding
  ping: 0x01, // liveness, answered
  close: 0x02, // end of the session
  keyUpdate: 0x03, // the sender's next frame is under its next key
  windowUpdate: 0x04, // more credit for a stream, or for the session (stream 0)
} as const;

/** One of {@link FRAME_TYPE}. */
export type FrameType = typeof FRAME_TYPE[keyof typeof FRAME_TYPE];

/** Bytes of the Poly1305 tag behind each ciphertext. */
export const TAG_LENGTH = 16;

/** Longest frame header in bytes: length, type and an 8-byte stream id. */
export const MAX_HEADER_LENGTH = 12;

/** What a frame says about itself before decryption. */
export interface FrameHeader {
  /** Its type. */
  readonly type: FrameType;
  /** Its stream; 0 where the type has none. */
  readonly streamId: number;
  /** Bytes of the header. */
  readonly headerLength: number;
  /** Bytes of the ciphertext, tag not counted. */
  readonly length: number;
}

/** Bytes of the header of a frame of `type` on `streamId`. */
export function frameHeaderLength(type: FrameType, streamId: number): number {
  return hasStreamId(type) ? 4 + varintSize(streamId) : 4;
}

/**
 * Writes a header at `offset` and returns the offset after it.
 *
 * @throws {RangeError} If `length` does not fit into 24 bits or the header into `into`.
 */
export function encodeFrameHeader(
  type: FrameType,
  streamId: number,
  length: number,
  into: Uint8Array,
  offset: number,
): number {
  if (length < 0 || length > 0xffffff || offset + 4 > into.length) {
    throw new RangeError(`Cannot write a frame of ${length} bytes`);
  }
  into[offset] = length >> 16;
  into[offset + 1] = length >> 8;
  into[offset + 2] = length;
  into[offset + 3] = type;
  return hasStreamId(type)
    ? encodeVarint(streamId, into, offset + 4)
    : offset + 4;
}

/**
 * Reads the header at `offset` of `bytes`, of which `end` are filled; `undefined` means that more bytes are needed.
 *
 * @param maxLength Longest ciphertext accepted.
 * @throws {DecodeError} If the type is unknown, the ciphertext too long, or the stream id not minimal.
 */
export function decodeFrameHeader(
  bytes: Uint8Array,
  offset: number,
  end: number,
  maxLength: number,
): FrameHeader | undefined {
  if (end - offset < 4) return undefined;
  const length = bytes[offset]! << 16 | bytes[offset + 1]! << 8 |
    bytes[offset + 2]!;
  if (length > maxLength) {
    throw new DecodeError("htx frame", `longer than ${maxLength} bytes`);
  }
  const type = bytes[offset + 3]!;
  if (type > FRAME_TYPE.windowUpdate) {
    throw new DecodeError("htx frame", `unknown type 0x${type.toString(16)}`);
  }
  if (!hasStreamId(type as FrameType)) {
    return { type: type as FrameType, streamId: 0, headerLength: 4, length };
  }
  if (end - offset < 5) return undefined;
  const headerLength = 4 + varintLength(bytes[offset + 4]!);
  if (end - offset < headerLength) return undefined;
  const streamId = decodeVarint(bytes, offset + 4, "htx stream id");
  return { type: type as FrameType, streamId, headerLength, length };
}

function hasStreamId(type: FrameType): boolean {
  return type === FRAME_TYPE.stream || type === FRAME_TYPE.windowUpdate;
}
