/**
 * Akamai's fingerprint of an HTTP/2 client ("Passive Fingerprinting of HTTP/2 Clients", 2017), from the first bytes it sends:
 *
 * ```text
 * 1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p
 * │                              │        │ pseudo-header fields of the first request by their first letter
 * │                              │        PRIORITY frames as stream:exclusive:dependency:weight, 0 without
 * │                              increment of the WINDOW_UPDATE of the connection, 00 without
 * SETTINGS in the order sent, GREASE (0x?a?a) left out
 * ```
 *
 * @module
 */
import { type Bytes, concat, DecodeError, equal } from "../core/bytes/mod.ts";
import { hexDigest } from "../core/crypto/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  decodeHeaders,
  decodePriority,
  decodeSettings,
  decodeWindowUpdate,
  FLAG,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  HpackDecoder,
  Http2Error,
  PREFACE_LENGTH,
} from "../http2/mod.ts";

/** Most frames up to the end of the first request's header block; browsers send 3 to 8. */
export const MAX_FIRST_FRAMES = 64;

/**
 * The MD5 digest of {@link akamaiText}; `undefined` as there.
 *
 * @throws {DecodeError} As there.
 */
export function akamai(bytes: Uint8Array): string | undefined {
  const text = akamaiText(bytes);
  return text === undefined ? undefined : hexDigest("md5", text);
}

/**
 * The fingerprint of a client that starts with `bytes`, connection preface first; `undefined` if its first request is not whole
 * yet.
 *
 * @throws {DecodeError} If that is not HTTP/2, or more than {@link MAX_FIRST_FRAMES} frames.
 */
export function akamaiText(bytes: Uint8Array): string | undefined {
  const preface = bytes.subarray(0, PREFACE_LENGTH);
  if (!equal(preface, connectionPreface().subarray(0, preface.length))) {
    throw new DecodeError("HTTP/2 start", "no connection preface");
  }
  try {
    const frames = firstFrames(bytes.subarray(PREFACE_LENGTH));
    return frames && textOf(frames);
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    if (cause instanceof Http2Error || cause instanceof RangeError) {
      throw new DecodeError("HTTP/2 start", cause.message);
    }
    throw cause;
  }
}

/** The frames up to the end of the first header block; `undefined` if that is not whole yet. */
function firstFrames(bytes: Uint8Array): Frame[] | undefined {
  const frames: Frame[] = [];
  for (let at = 0;;) {
    const frame = decodeFrame(bytes.subarray(at));
    if (!frame) return undefined;
    if (frames.length >= MAX_FIRST_FRAMES) {
      throw new DecodeError("HTTP/2 start", "too many frames");
    }
    frames.push(frame);
    at += FRAME_HEADER_LENGTH + frame.payload.length;
    const ends = isHeaders(frame) && (frame.flags & FLAG.endHeaders) !== 0;
    if (ends) return frames;
  }
}

function textOf(frames: readonly Frame[]): string {
  const ofType = (type: number) => frames.filter((each) => each.type === type);
  const settings = ofType(FRAME_TYPE.settings)
    .flatMap(({ payload }) => decodeSettings(payload))
    .filter(([identifier]) => (identifier & 0x0f0f) !== 0x0a0a)
    .map((setting) => setting.join(":"));
  const update = ofType(FRAME_TYPE.windowUpdate)
    .find(({ streamId }) => streamId === 0);
  const priorities = ofType(FRAME_TYPE.priority).map((frame) => {
    const { exclusive, dependency, weight } = decodePriority(frame.payload);
    return [frame.streamId, Number(exclusive), dependency, weight].join(":");
  });
  const pseudo = new HpackDecoder().decode(headerBlock(frames))
    .filter(([name]) => name.startsWith(":")).map(([name]) => name[1]);
  return [
    settings.join(";"),
    update ? decodeWindowUpdate(update.payload) : "00",
    priorities.join(",") || "0",
    pseudo.join(","),
  ].join("|");
}

function headerBlock(frames: readonly Frame[]): Bytes {
  return concat(
    ...frames.filter(isHeaders).map((frame) =>
      frame.type === FRAME_TYPE.headers
        ? decodeHeaders(frame).fragment
        : frame.payload
    ),
  );
}

function isHeaders({ type }: Frame): boolean {
  return type === FRAME_TYPE.headers || type === FRAME_TYPE.continuation;
}
