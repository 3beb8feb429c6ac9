/**
 * What ClientHello and ServerHello have in common (RFC 8446 §4.1).
 *
 * ```text
 * 1B  message type
 * 3B  length of what follows
 * 2B  legacy_version
 * 32B random
 * 1B  length, then a legacy session id, 0 to 32 bytes
 * …   what one hello has and not the other
 * 2B  length, then extensions: 2B type, 2B length, data; may be absent as a whole (TLS 1.2 and older)
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";

/** Most extensions a hello may have; browsers send about 20. */
export const MAX_EXTENSIONS = 256;

/** One extension, its data as sent. */
export interface Extension {
  /** Its number in the IANA registry. */
  readonly type: number;
  /** What its length counts. */
  readonly data: Uint8Array;
}

/** Room for a hello of a browser before the first growth. */
const START_CAPACITY = 2_048;

/** How a hello begins. */
export interface HelloStart {
  /** `legacy_version`. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
}

/**
 * Reads how the hello begins that is all of `message`; `body` is at what follows.
 *
 * @throws {DecodeError} If it is not of `type`, or a length does not fit.
 */
export function readHello(
  message: Uint8Array,
  type: number,
  what: string,
): HelloStart & { readonly body: Reader } {
  const r = new Reader(message, what);
  if (r.u8() !== type) throw new DecodeError(what, `not a ${what}`);
  const body = r.sub(r.u24());
  r.end();
  const legacyVersion = body.u16();
  const random = body.take(32);
  const sessionId = body.take(body.u8());
  if (sessionId.length > 32) {
    throw new DecodeError(what, `session id of ${sessionId.length} bytes`);
  }
  return { body, legacyVersion, random, sessionId };
}

/**
 * Reads the extensions at the end of a hello, if it does not end before their length.
 *
 * @throws {DecodeError} As {@link decodeExtensions}.
 */
export function readExtensions(
  body: Reader,
): { readonly extensions?: readonly Extension[] } {
  if (body.remaining === 0) return {};
  const list = body.sub(body.u16());
  body.end();
  return { extensions: decodeExtensions(list) };
}

/**
 * Decodes the extensions that fill the rest of `r`.
 *
 * @throws {DecodeError} If a length does not fit, or there are more than {@link MAX_EXTENSIONS}.
 */
export function decodeExtensions(r: Reader): Extension[] {
  const extensions: Extension[] = [];
  while (r.remaining > 0) {
    if (extensions.length >= MAX_EXTENSIONS) {
      throw new DecodeError(r.what, `more than ${MAX_EXTENSIONS} extensions`);
    }
    extensions.push({ type: r.u16(), data: r.take(r.u16()) });
  }
  return extensions;
}

/** Writes how a hello begins, but for its type and length. */
export function writeHello(
  { legacyVersion, random, sessionId }: HelloStart,
): Writer {
  return new Writer(START_CAPACITY).u16(legacyVersion).put(random)
    .u8(sessionId.length).put(sessionId);
}

/** The hello of `type` of which all is written but its extensions. */
export function finishHello(
  w: Writer,
  type: number,
  extensions: readonly Extension[] | undefined,
): Bytes {
  if (extensions) encodeExtensions(w, extensions);
  const body = w.finish();
  return new Writer(4 + body.length).u8(type).u24(body.length).put(body)
    .finish();
}

/** Writes `extensions` behind the length of all. */
function encodeExtensions(
  w: Writer,
  extensions: readonly Extension[],
): void {
  let length = 0;
  for (const { data } of extensions) length += 4 + data.length;
  w.u16(length);
  for (const { type, data } of extensions) {
    w.u16(type).u16(data.length).put(data);
  }
}
