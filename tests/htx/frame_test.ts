import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  decodeFrameHeader,
  encodeFrameHeader,
  FRAME_TYPE,
  frameHeaderLength,
} from "../../src/htx/frame.ts";
import {
  decodeClose,
  decodePing,
  decodeU32,
  encodeClose,
  encodePing,
  encodeU32,
} from "../../src/htx/payload.ts";
import { writeNonce } from "../../src/htx/keys.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

Deno.test("encodeFrameHeader() and sealing give the vector's frame", () => {
  const key = decodeHex(vectors.keys["K0c(first32)"]);
  const nonce = new Uint8Array(12);
  writeNonce(decodeHex(vectors.keys.NSc.salt), 0, nonce);
  const plaintext = new TextEncoder().encode("hello betanet");
  const header = new Uint8Array(5);
  encodeFrameHeader(FRAME_TYPE.stream, 1, plaintext.length, header, 0);
  assertEquals(encodeHex(header), vectors.frame.header);
  const sealed = nodeProvider.chacha20poly1305(key).seal(
    nonce,
    plaintext,
    header,
  );
  assertEquals(encodeHex(header) + encodeHex(sealed), vectors.frame.wire);
});

Deno.test("decodeFrameHeader() reads back what encodeFrameHeader() wrote", () => {
  const ids = [0, 1, 63, 64, 16_383, 16_384, 2 ** 30, 2 ** 53 - 1];
  for (const type of Object.values(FRAME_TYPE)) {
    for (const streamId of ids) {
      const into = new Uint8Array(12);
      const end = encodeFrameHeader(type, streamId, 0x012345, into, 0);
      assertEquals(end, frameHeaderLength(type, streamId));
      const plain = end === 4;
      assertEquals(decodeFrameHeader(into, 0, end, 0xffffff), {
        type,
        streamId: plain ? 0 : streamId,
        headerLength: end,
        length: 0x012345,
      });
      for (let cut = 0; cut < end; cut++) {
        assertEquals(decodeFrameHeader(into, 0, cut, 0xffffff), undefined);
      }
    }
  }
});

for (
  const [name, hex, reason] of [
    ["an unknown type", "00000105", "unknown type 0x5"],
    ["a frame over the limit", "01000100", "longer than 65536 bytes"],
    ["a stream id that is not minimal", "000001004001", "shortest form"],
  ] as const
) {
  Deno.test(`decodeFrameHeader() rejects ${name}`, () => {
    const bytes = decodeHex(hex);
    assertThrows(
      () => decodeFrameHeader(bytes, 0, bytes.length, 65_536),
      DecodeError,
      reason,
    );
  });
}

Deno.test("payloads survive a round trip", () => {
  const token = decodeHex("0011223344556677");
  assertEquals(decodePing(encodePing({ answer: true, token })), {
    answer: true,
    token,
  });
  const close = { code: 13, reason: "grüße" };
  assertEquals(decodeClose(encodeClose(close)), close);
  assertEquals(decodeU32(encodeU32(0xfffffffe), "test"), 0xfffffffe);
});

Deno.test("encodeClose() cuts a long reason at a character", () => {
  const { reason } = decodeClose(
    encodeClose({ code: 0, reason: "ü".repeat(200) }),
  );
  assertEquals(reason, "ü".repeat(128));
});

for (
  const [name, decode, hex] of [
    ["decodePing() rejects another kind", decodePing, "020011223344556677"],
    ["decodePing() rejects a short token", decodePing, "0000112233445566"],
    ["decodePing() rejects trailing bytes", decodePing, "00".repeat(10)],
    ["decodeClose() rejects half a code", decodeClose, "00"],
    ["decodeClose() rejects bad UTF-8", decodeClose, "0000ff"],
    ["decodeClose() rejects a long reason", decodeClose, "00".repeat(259)],
    [
      "decodeU32() rejects 3 bytes",
      (b: Uint8Array) => decodeU32(b, "x"),
      "000000",
    ],
    [
      "decodeU32() rejects 5 bytes",
      (b: Uint8Array) => decodeU32(b, "x"),
      "0000000000",
    ],
  ] as const
) {
  Deno.test(name, () => {
    assertThrows(() => decode(decodeHex(hex)), DecodeError);
  });
}
