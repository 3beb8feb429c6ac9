/**
 * SETTINGS payload (RFC 9113 §6.5): any number of
 *
 * ```text
 * 2B  identifier, see SETTING
 * 4B  value
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../core/bytes/mod.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "./frame.ts";
import { type ErrorCodeName, Http2Error } from "./http2_error.ts";

/** Settings with a meaning; others are ignored. */
export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** One setting, as on the wire. */
export type Setting = readonly [identifier: number, value: number];

/** The settings that govern one direction. */
export interface Settings {
  /** Largest HPACK dynamic table in bytes. */
  readonly headerTableSize: number;
  /** Whether the server may push. */
  readonly enablePush: boolean;
  /** Most streams the peer may have open at once. */
  readonly maxConcurrentStreams: number;
  /** Bytes the peer may send on a new stream. */
  readonly initialWindowSize: number;
  /** Longest frame payload in bytes. */
  readonly maxFrameSize: number;
  /** Advised limit of a header list in bytes, as HPACK counts them. */
  readonly maxHeaderListSize: number;
}

/** What holds before any SETTINGS (RFC 9113 §6.5.2). */
export const DEFAULT_SETTINGS: Settings = {
  headerTableSize: 4_096,
  enablePush: true,
  maxConcurrentStreams: Infinity,
  initialWindowSize: 65_535,
  maxFrameSize: DEFAULT_MAX_FRAME_BYTES,
  maxHeaderListSize: Infinity,
};

/** Most settings one frame may have. */
export const MAX_SETTINGS = 64;

/**
 * Decodes a payload into settings in their order, unknown and repeated ones included.
 *
 * @throws {Http2Error} `frameSizeError` if it is not a multiple of 6 bytes, `enhanceYourCalm` beyond {@link MAX_SETTINGS}.
 */
export function decodeSettings(payload: Uint8Array): Setting[] {
  if (payload.length % 6 !== 0) {
    throw new Http2Error("frameSizeError", "SETTINGS of a broken length");
  }
  if (payload.length > 6 * MAX_SETTINGS) {
    throw new Http2Error("enhanceYourCalm", "Too many settings in one frame");
  }
  const r = new Reader(payload, "SETTINGS");
  const settings: Setting[] = [];
  while (r.remaining > 0) settings.push([r.u16(), r.u32()]);
  return settings;
}

/** Encodes a payload. */
export function encodeSettings(settings: readonly Setting[]): Bytes {
  const w = new Writer(6 * settings.length);
  for (const [identifier, value] of settings) w.u16(identifier).u32(value);
  return w.finish();
}

/**
 * `settings` after `changes`, in their order; unknown ones have no effect.
 *
 * @throws {Http2Error} If a value is outside its range, with the code of RFC 9113 §6.5.2.
 */
export function applySettings(
  settings: Settings,
  changes: readonly Setting[],
): Settings {
  const next = { ...settings };
  for (const [identifier, value] of changes) {
    if (identifier === SETTING.headerTableSize) next.headerTableSize = value;
    else if (identifier === SETTING.enablePush) {
      check("protocolError", value <= 1);
      next.enablePush = value === 1;
    } else if (identifier === SETTING.maxConcurrentStreams) {
      next.maxConcurrentStreams = value;
    } else if (identifier === SETTING.initialWindowSize) {
      check("flowControlError", value < 2 ** 31);
      next.initialWindowSize = value;
    } else if (identifier === SETTING.maxFrameSize) {
      const inRange = value >= DEFAULT_MAX_FRAME_BYTES && value < 2 ** 24;
      check("protocolError", inRange);
      next.maxFrameSize = value;
    } else if (identifier === SETTING.maxHeaderListSize) {
      next.maxHeaderListSize = value;
    }
  }
  return next;
}

function check(code: ErrorCodeName, inRange: boolean): void {
  if (!inRange) throw new Http2Error(code, "Setting outside its range");
}
