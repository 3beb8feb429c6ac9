import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  decodeFrame,
  decodeHeaders,
  decodeSettings,
  decodeWindowUpdate,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  HpackDecoder,
  PREFACE_LENGTH,
  type Priority,
  type Setting,
} from "../../src/http2/mod.ts";
import { offeredPskOf } from "../../src/utls/hello_kind.ts";
import { decodeClientHello, type OfferedPsk } from "../../src/utls/mod.ts";

const DIRECTORY = new URL("../vectors/chrome/", import.meta.url);

/** Hellos of one browser build. */
export interface Capture {
  readonly file: string;
  /** Major version. */
  readonly version: number;
  readonly full: readonly CapturedHello[];
  readonly psk: readonly CapturedHello[];
  readonly h2: { readonly akamai_text: string; readonly raw: string };
}

/** One captured hello. */
export interface CapturedHello {
  /** The whole record, hex. */
  readonly record: string;
  readonly ja4: string;
  readonly ja3n: string;
}

/** The builds captured, oldest first; of 156 also one without AES instructions. */
export function captures(): Capture[] {
  return [...Deno.readDirSync(DIRECTORY)]
    .map(({ name }) => name)
    .filter((name) => /-\d{3}[.-].*json$/.test(name) && !/flows/.test(name))
    .map((file) => ({
      ...JSON.parse(Deno.readTextFileSync(new URL(file, DIRECTORY))),
      file,
      version: Number(/-(\d{3})[.-]/.exec(file)![1]),
    }))
    .sort((a, b) => a.version - b.version);
}

/** A connection of a flow of Chromium 156. */
export interface Flow {
  readonly hellos: readonly CapturedHello[];
  readonly client_records_type_ver_len: readonly (readonly [
    type: number,
    version: string,
    length: number,
  ])[];
}

/** Connections of Chromium 156 by kind. */
export function flows(): Record<string, readonly Flow[]> {
  const path = new URL("debian-chromium-156-flows.json", DIRECTORY);
  return JSON.parse(Deno.readTextFileSync(path));
}

/** The handshake message of a captured hello. */
export function messageOf({ record }: CapturedHello): Uint8Array {
  return decodeHex(record).subarray(5);
}

/** The pre-shared key a hello offers, and its message with the binder zeroed. */
export function pskOf(
  message: Uint8Array,
): { psk: OfferedPsk; unbound: Uint8Array } | undefined {
  const psk = offeredPskOf(decodeClientHello(message));
  return psk &&
    { psk, unbound: message.slice().fill(0, -psk.binderLength) };
}

/** What a build sent first on an HTTP/2 connection. */
export interface Http2Start {
  readonly settings: readonly Setting[];
  readonly windowIncrement: number;
  readonly priority: Priority | undefined;
  readonly fields: readonly HeaderField[];
}

/** Decodes the first frames of a build. */
export function http2StartOf({ h2: { raw } }: Capture): Http2Start {
  const frames: Frame[] = [];
  let rest = decodeHex(raw).subarray(PREFACE_LENGTH);
  for (let frame = decodeFrame(rest); frame; frame = decodeFrame(rest)) {
    frames.push(frame);
    rest = rest.subarray(FRAME_HEADER_LENGTH + frame.payload.length);
  }
  const first = (type: number) => frames.find((frame) => frame.type === type)!;
  const headers = decodeHeaders(first(FRAME_TYPE.headers));
  return {
    settings: decodeSettings(first(FRAME_TYPE.settings).payload),
    windowIncrement: decodeWindowUpdate(first(FRAME_TYPE.windowUpdate).payload),
    priority: headers.priority,
    fields: new HpackDecoder().decode(headers.fragment),
  };
}
