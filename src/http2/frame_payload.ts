/**
 * Payloads of frames (RFC 9113 §6).
 *
 * ```text
 * DATA           [1B padding length] data [padding]
 * HEADERS        [1B padding length] [5B priority] block fragment [padding]
 * PRIORITY       4B 1 bit exclusive, 31 bits dependency; 1B weight − 1
 * RST_STREAM     4B error code
 * GOAWAY         4B last stream; 4B error code; debug data
 * WINDOW_UPDATE  4B 1 bit reserved, 31 bits increment
 * CONTINUATION   block fragment
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";
import { FLAG, type Frame } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** The deprecated priority of a stream, which browsers still send (RFC 9113 §5.3.2). */
export interface Priority {
  /** Whether it comes between the stream it depends on and that one's others. */
  readonly exclusive: boolean;
  /** The stream it depends on; 0 for none. */
  readonly dependency: number;
  /** 1 … 256. */
  readonly weight: number;
}

/** What a HEADERS frame holds. */
export interface HeadersPayload {
  /** Its priority, if the frame has one. */
  readonly priority?: Priority;
  /** The block, or its start if the frame lacks END_HEADERS; views the frame. */
  readonly fragment: Uint8Array;
}

/** What a GOAWAY frame says. */
export interface GoAway {
  /** The last stream of ours that the peer has dealt with, or may yet. */
  readonly lastStreamId: number;
  /** See `ERROR_CODE`; others occur. */
  readonly code: number;
}

/**
 * The payload of a DATA frame without its padding, a view.
 *
 * @throws {Http2Error} `protocolError` if the padding does not fit, `frameSizeError` if its length is missing.
 */
export function unpad({ flags, payload }: Frame): Uint8Array {
  if (!(flags & FLAG.padded)) return payload;
  if (payload.length === 0) throw cutShort();
  const length = payload.length - 1 - payload[0]!;
  if (length < 0) {
    throw new Http2Error("protocolError", "Padding is longer than its frame");
  }
  return payload.subarray(1, 1 + length);
}

/**
 * Decodes the payload of a HEADERS frame.
 *
 * @throws {Http2Error} As {@link unpad}.
 */
export function decodeHeaders(frame: Frame): HeadersPayload {
  const content = unpad(frame);
  if (!(frame.flags & FLAG.priority)) return { fragment: content };
  if (content.length < 5) throw cutShort();
  return {
    priority: decodePriority(content.subarray(0, 5)),
    fragment: content.subarray(5),
  };
}

/**
 * Decodes the payload of a PRIORITY frame.
 *
 * @throws {Http2Error} `frameSizeError` if it has not 5 bytes.
 */
export function decodePriority(payload: Uint8Array): Priority {
  return whole(payload, "PRIORITY", (r) => {
    const dependency = r.u32();
    return {
      exclusive: dependency >= 0x80000000,
      dependency: dependency % 0x80000000,
      weight: r.u8() + 1,
    };
  });
}

/** Encodes what stands in front of a block fragment, and in a PRIORITY frame. */
export function encodePriority(priority: Priority): Bytes {
  const { exclusive, dependency, weight } = priority;
  return new Writer(5).u32(dependency + (exclusive ? 0x80000000 : 0))
    .u8(weight - 1).finish();
}

/**
 * The code in an RST_STREAM frame, see `ERROR_CODE`.
 *
 * @throws {Http2Error} `frameSizeError` if it has not 4 bytes.
 */
export function decodeRstStream(payload: Uint8Array): number {
  return whole(payload, "RST_STREAM", (r) => r.u32());
}

/**
 * The increment in a WINDOW_UPDATE frame; 0 is for the caller to refuse.
 *
 * @throws {Http2Error} `frameSizeError` if it has not 4 bytes.
 */
export function decodeWindowUpdate(payload: Uint8Array): number {
  return whole(payload, "WINDOW_UPDATE", (r) => r.u32() % 0x80000000);
}

/**
 * Decodes the payload of a GOAWAY frame; its debug data is dropped.
 *
 * @throws {Http2Error} `frameSizeError` if it has fewer than 8 bytes.
 */
export function decodeGoAway(payload: Uint8Array): GoAway {
  return whole(payload, "GOAWAY", (r) => {
    const lastStreamId = r.u32() % 0x80000000;
    const code = r.u32();
    r.rest();
    return { lastStreamId, code };
  });
}

function whole<T>(
  payload: Uint8Array,
  what: string,
  read: (r: Reader) => T,
): T {
  const r = new Reader(payload, what);
  try {
    const value = read(r);
    r.end();
    return value;
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new Http2Error("frameSizeError", `${what} of a wrong length`, {
      cause,
    });
  }
}

function cutShort(): Http2Error {
  return new Http2Error("frameSizeError", "Frame is shorter than its fields");
}
