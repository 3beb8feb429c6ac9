import { assertEquals } from "@std/assert";
import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import {
  decodeFrame,
  decodeHeaders,
  decodeSettings,
  decodeWindowUpdate,
  FLAG,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  HpackDecoder,
  Http2Connection,
  PREFACE_LENGTH,
} from "../../src/http2/mod.ts";

const CAPTURES = new URL("../vectors/chrome/", import.meta.url);

Deno.test("Http2Connection sends the first flight of each captured Chrome, byte for byte", () => {
  const captures = readCaptures();
  assertEquals(captures.length >= 21, true);
  for (const { name, bytes } of captures) {
    const frames = framesOf(bytes.subarray(PREFACE_LENGTH));
    const [settings, windowUpdate] = frames;
    const headers = frames.find(({ type }) => type === FRAME_TYPE.headers)!;
    const { priority, fragment } = decodeHeaders(headers);
    const connection = new Http2Connection({
      role: "client",
      settings: decodeSettings(settings!.payload),
      windowIncrement: decodeWindowUpdate(windowUpdate!.payload),
    });
    const greeting = connection.takeOutgoing()!;
    const fields = new HpackDecoder().decode(fragment);
    connection.request(fields, { endStream: true, priority: priority! });
    const request = connection.takeOutgoing()!;

    const start = encodeHex(bytes.subarray(0, greeting.length));
    assertEquals(encodeHex(greeting), start, name);
    const [sent] = framesOf(request);
    assertEquals(sent, headers, name);
    assertEquals(headers.flags, FLAG.endStream | FLAG.endHeaders | 0x20);
  }
});

function readCaptures(): { name: string; bytes: Uint8Array }[] {
  return [...Deno.readDirSync(CAPTURES)].flatMap(({ name }) => {
    if (!/^(headless|debian).*[0-9s]\.json$/.test(name)) return [];
    const { h2 } = JSON.parse(
      Deno.readTextFileSync(new URL(name, CAPTURES)),
    ) as { h2?: { raw: string } };
    return h2 ? [{ name, bytes: decodeHex(h2.raw) }] : [];
  });
}

function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let left = bytes;;) {
    const frame = decodeFrame(left);
    if (!frame) return frames;
    frames.push(frame);
    left = left.subarray(FRAME_HEADER_LENGTH + frame.payload.length);
  }
}
