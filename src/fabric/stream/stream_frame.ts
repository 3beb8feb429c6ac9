/**
 * What follows the opening in a stream of an application, both ways.
 *
 * ```text
 * frame       u8 type ‖ u32 length ‖ body
 *
 * type        body
 * 0 accepted  empty                              the acceptor's first, if it takes the stream
 * 1 refused   why, UTF-8: 0 to 256 bytes         the acceptor's first and last, if it does not
 * 2 value     CBOR as in payloads: 1 MiB at most
 * 3 closed    why, UTF-8: 0 to 256 bytes         the last: its sender reads no more either
 * ```
 *
 * The end of one side's frames is the end of its side of the HTX stream.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import { encodeFrameOf } from "../rpc/frame.ts";

/** Types of frames of a stream, by their number on the wire. */
export const STREAM_FRAME_TYPES = [
  "accepted",
  "refused",
  "value",
  "closed",
] as const;

/** One of {@link STREAM_FRAME_TYPES}. */
export type StreamFrameType = typeof STREAM_FRAME_TYPES[number];

/** Longest value of a stream in bytes, as CBOR. */
export const MAX_STREAM_VALUE_BYTES = 1_048_576;

/** Longest reason in characters (UTF-16 units). */
const MAX_REASON = 64;
const MAX_REASON_BYTES = 256;

/** Longest body of each type, in bytes. */
export const MAX_STREAM_BODY: Readonly<Record<StreamFrameType, number>> = {
  accepted: 0,
  refused: MAX_REASON_BYTES,
  value: MAX_STREAM_VALUE_BYTES,
  closed: MAX_REASON_BYTES,
};

/** Writes a frame. */
export function encodeStreamFrame(
  type: StreamFrameType,
  body: Uint8Array,
): Bytes {
  return encodeFrameOf(STREAM_FRAME_TYPES, type, body);
}

/** Writes a frame that says why: the first 64 characters. */
export function encodeReason(
  type: "refused" | "closed",
  reason: string,
): Bytes {
  return encodeStreamFrame(type, utf8(reason.slice(0, MAX_REASON)));
}

/** Reads the body of a frame that says why. */
export function decodeReason(body: Uint8Array): string {
  return new TextDecoder().decode(body).slice(0, MAX_REASON);
}
