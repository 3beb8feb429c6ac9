import { assertEquals, assertThrows } from "@std/assert";
import {
  concat,
  DecodeError,
  decodeHex,
  encodeHex,
  utf8,
} from "../../src/core/bytes/mod.ts";
import { TransportError } from "../../src/core/transport/mod.ts";
import { WebSocketDecoder } from "../../src/core/transport/websocket_decoder.ts";
import {
  applyMask,
  CLOSE_CODE,
  decodeClose,
  decodeHeader,
  encodeClose,
  encodeFrame,
  OPCODE,
  type Opcode,
} from "../../src/core/transport/websocket_frame.ts";
import { generator, pseudoRandom } from "../compliance/transport.ts";

const MASK = decodeHex("37fa213d");

function frame(opcode: Opcode, payload: Uint8Array, mask?: Uint8Array) {
  const into = new Uint8Array(payload.length + 14);
  return into.slice(0, encodeFrame(opcode, payload, mask, into));
}

function decoder(masked = false, maxFrameBytes = 1_048_576) {
  return new WebSocketDecoder({ masked, maxFrameBytes });
}

Deno.test("encodeFrame() writes the frames of RFC 6455 §5.7", () => {
  const hello = utf8("Hello");
  assertEquals(encodeHex(frame(OPCODE.text, hello)), "810548656c6c6f");
  assertEquals(
    encodeHex(frame(OPCODE.text, hello, MASK)),
    "818537fa213d7f9f4d5158",
  );
  assertEquals(encodeHex(frame(OPCODE.ping, hello)), "890548656c6c6f");
  assertEquals(
    encodeHex(frame(OPCODE.pong, hello, MASK)),
    "8a8537fa213d7f9f4d5158",
  );
  const head = (length: number) =>
    encodeHex(frame(OPCODE.binary, new Uint8Array(length))).slice(0, 20);
  assertEquals(head(256).slice(0, 8), "827e0100");
  assertEquals(head(65_536), "827f0000000000010000");
});

Deno.test("applyMask() agrees with RFC 6455 §5.3 at every offset and alignment", () => {
  for (let length = 0; length < 20; length++) {
    for (let align = 0; align < 4; align++) {
      for (let offset = 0; offset < 4; offset++) {
        const bytes = pseudoRandom(length + align, length).subarray(align);
        const expected = bytes.map((byte, i) => byte ^ MASK[(offset + i) & 3]!);
        applyMask(bytes, MASK, offset);
        assertEquals(bytes, expected);
      }
    }
  }
});

Deno.test("WebSocketDecoder gives back what encodeFrame() wrote, in pieces of any size", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = generator(seed);
    const mask = seed % 2 ? pseudoRandom(4, seed) : undefined;
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 3000 * random()];
    const payloads = sizes.map((size) => pseudoRandom(Math.floor(size), seed));
    const wire = concat(
      ...payloads.flatMap((payload) => [
        frame(OPCODE.binary, payload, mask),
        frame(OPCODE.ping, payload.subarray(0, 125), mask),
      ]),
      frame(OPCODE.close, encodeClose(CLOSE_CODE.normal), mask),
      new Uint8Array(10), // ignored
    );
    const reading = decoder(mask !== undefined);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < wire.length;) {
      const size = 1 + Math.floor(random() * (seed % 3 ? 100_000 : 20));
      const piece = wire.slice(at, at + size);
      parts.push(piece.subarray(0, reading.feed(piece)));
      at += size;
    }
    assertEquals(encodeHex(concat(...parts)), encodeHex(concat(...payloads)));
    assertEquals(
      reading.takePing(),
      payloads.at(-1)!.slice(0, 125),
    );
    assertEquals(reading.takePing(), undefined);
    assertEquals(reading.closeCode, 1000);
  }
});

Deno.test("WebSocketDecoder takes fragments with control frames between them", () => {
  const wire = concat(
    decodeHex("020141"), // binary, not final, "A"
    decodeHex("8900"), // ping
    decodeHex("000142"), // continuation, not final, "B"
    decodeHex("8a0178"), // pong
    decodeHex("800143"), // continuation, final, "C"
    decodeHex("820144"), // binary, "D"
    decodeHex("8800"), // close without a code
  );
  const reading = decoder();
  assertEquals(wire.subarray(0, reading.feed(wire)), utf8("ABCD"));
  assertEquals(reading.takePing(), new Uint8Array());
  assertEquals(reading.closeCode, CLOSE_CODE.absent);
});

const MALFORMED = {
  "a reserved bit": "c20141",
  "a reserved bit in a control frame": "990141",
  "an unknown data opcode": "830141",
  "an unknown control opcode": "8b0141",
  "text": "810141",
  "a 16-bit length below 126": "827e007d",
  "a 64-bit length below 65536": "827f000000000000ffff",
  "a 64-bit length above 2^53 - 1": "827f0020000000000000",
  "a 64-bit length above 2^63": "827fffffffffffffffff",
  "a continuation of nothing": "800141",
  "a message inside another": "020141820142",
  "a fragmented ping": "090141",
  "a fragmented close": "080203e8",
  "a ping of 126 bytes": "897e007e",
  "a close of one byte": "880103",
  "a close code that may not be sent": "880203ed",
  "a close code out of range": "880203e7",
  "a close reason that is not UTF-8": "880303e8ff",
  "a masked frame from a server": "82810000000041",
};
for (const [name, hex] of Object.entries(MALFORMED)) {
  Deno.test(`WebSocketDecoder refuses ${name}`, () => {
    assertThrows(() => decoder().feed(decodeHex(hex)), DecodeError);
  });
}

Deno.test("WebSocketDecoder refuses an unmasked frame from a client", () => {
  assertThrows(() => decoder(true).feed(decodeHex("820141")), DecodeError);
});

Deno.test("WebSocketDecoder refuses a frame above its limit before its payload comes", () => {
  const atLimit = decoder(false, 1000);
  assertEquals(atLimit.feed(frame(OPCODE.binary, new Uint8Array(1000))), 1000);
  const header = frame(OPCODE.binary, new Uint8Array(1001)).subarray(0, 4);
  const error = assertThrows(() => atLimit.feed(header), TransportError);
  assertEquals(error.code, "limit");
});

Deno.test("decodeHeader() rejects trailing and missing bytes", () => {
  assertThrows(() => decodeHeader(decodeHex("820141")), DecodeError);
  assertThrows(() => decodeHeader(decodeHex("827e01")), DecodeError);
});

Deno.test("decodeClose() takes every code that RFC 6455 §7.4 allows", () => {
  const takes = (code: number) => {
    try {
      return decodeClose(new Uint8Array([code >> 8, code & 255])) === code;
    } catch {
      return false;
    }
  };
  const taken = Array.from({ length: 6000 }, (_, code) => code).filter(takes);
  const low = taken.filter((code) => code < 3000);
  assertEquals(low, [
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009],
    ...[1010, 1011, 1012, 1013, 1014],
  ]);
  assertEquals([taken[low.length], taken.at(-1)], [3000, 4999]);
});
