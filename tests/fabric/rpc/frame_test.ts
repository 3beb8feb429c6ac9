import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  decodeHello,
  decodeStatuses,
  encodeFrame,
  encodeHello,
  encodeStatuses,
} from "../../../src/fabric/rpc/frame.ts";
import { FrameDecoder } from "../../../src/fabric/rpc/frame_decoder.ts";

/** Frames of `bytes` that come in chunks of `size`, copied, and what is left. */
function framesOf(bytes: Uint8Array, size: number) {
  const decoder = FrameDecoder.ofLink();
  const frames = [];
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.slice(at, at + size));
    for (let frame; (frame = decoder.next());) {
      frames.push([frame.type, [...frame.body]]);
    }
  }
  return { frames, decoder };
}

Deno.test("frames are the same however their bytes come", () => {
  const bytes = new Uint8Array([
    ...encodeFrame("record", Uint8Array.of(1, 2, 3)),
    ...encodeFrame("statuses", new Uint8Array()),
    ...encodeFrame("message", new Uint8Array(300).fill(9)),
  ]);
  const want = [
    ["record", [1, 2, 3]],
    ["statuses", []],
    ["message", Array(300).fill(9)],
  ];
  for (let size = 1; size <= bytes.length; size++) {
    const { frames, decoder } = framesOf(bytes, size);
    assertEquals(frames, want);
    assertEquals(decoder.isInside, false);
  }
  const cut = framesOf(bytes.subarray(0, -1), 7);
  assertEquals([cut.frames.length, cut.decoder.isInside], [2, true]);
});

Deno.test("a frame has a type and u32 length before its body", () => {
  const frame = encodeFrame("receipts", Uint8Array.of(7));
  assertEquals(frame, Uint8Array.of(3, 0, 0, 0, 1, 7));
});

Deno.test("what follows a frame can be taken as it is", () => {
  const decoder = FrameDecoder.ofLink();
  decoder.push(
    new Uint8Array([...encodeFrame("opening", Uint8Array.of(1)), 5, 6, 7]),
  );
  assertEquals(decoder.next()?.type, "opening");
  assertEquals(decoder.rest(), Uint8Array.of(5, 6, 7));
});

Deno.test("frames of unknown type or too long are refused before their body has come", () => {
  const refuses = (...bytes: number[]) => {
    const decoder = FrameDecoder.ofLink();
    decoder.push(Uint8Array.from(bytes));
    assertThrows(() => decoder.next(), DecodeError);
  };
  refuses(6, 0, 0, 0, 0);
  refuses(255, 0, 0, 0, 0);
  refuses(1, 0xff, 0xff, 0xff, 0xff);
  refuses(2, 0, 2, 0, 1);
});

Deno.test("hello and statuses are read as they were written, and nothing else is", () => {
  const hello = {
    records: [Uint8Array.of(1), Uint8Array.of(2, 3)],
    maxMessages: 10,
    maxBytes: 1_000,
  };
  assertEquals(decodeHello(encodeHello(hello)), hello);
  const statuses = [
    { id: new Uint8Array(16), code: "full", reason: "" },
    { id: new Uint8Array(16).fill(1), code: "refused", reason: "why" },
  ] as const;
  assertEquals(decodeStatuses(encodeStatuses(statuses)), statuses);
  for (
    const [bytes, decode] of [
      [encodeHello(hello), decodeHello],
      [encodeStatuses(statuses), decodeStatuses],
    ] as const
  ) {
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => decode(bytes.subarray(0, length)), DecodeError);
    }
  }
});
