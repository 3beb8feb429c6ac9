import { assertEquals, assertThrows } from "@std/assert";
import { MixnetError } from "../../../src/mixnet/error.ts";
import {
  checkLinkFrame,
  decodeLinkFrame,
  encodeLinkFrame,
  linkBodyLength,
  type LinkFrame,
  linkFrameLength,
} from "../../../src/mixnet/link/link_frame.ts";
import { COMPACT } from "../../../src/mixnet/sphinx/geometry.ts";

const LENGTH = COMPACT.packetLength;
const FRAMES: readonly LinkFrame[] = [
  { type: "padding" },
  { type: "packet", epoch: 2 ** 32 - 1, packet: filled(LENGTH, 7) },
  {
    type: "message",
    sequence: Number.MAX_SAFE_INTEGER,
    identifier: filled(16, 8),
    payload: filled(COMPACT.payloadLength, 9),
  },
  { type: "collected", sequence: 258 },
];

function filled(length: number, byte: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(byte);
}

function body(frame: LinkFrame): Uint8Array<ArrayBuffer> {
  const bytes = filled(linkBodyLength(LENGTH), 0xee);
  encodeLinkFrame(frame, bytes);
  return bytes;
}

Deno.test("linkFrameLength() is 21 bytes more than a packet", () => {
  assertEquals(linkFrameLength(2_413), 2_434);
});

for (const frame of FRAMES) {
  Deno.test(`a ${frame.type} frame decodes to what was encoded`, () => {
    checkLinkFrame(frame, LENGTH);
    assertEquals(decodeLinkFrame(body(frame)), frame);
  });
}

Deno.test("encodeLinkFrame() writes type, epoch, content and zeros", () => {
  const collected = body(FRAMES[3]!);
  assertEquals(
    collected.subarray(0, 13),
    Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2),
  );
  assertEquals(collected.subarray(13), filled(LENGTH - 8, 0));
});

Deno.test("decodeLinkFrame() wants a known type and zeros where nothing is", () => {
  const cases: [LinkFrame, at: number, byte: number][] = [
    [FRAMES[0]!, 0, 4],
    [FRAMES[0]!, 4, 1],
    [FRAMES[0]!, LENGTH + 4, 1],
    [FRAMES[2]!, 1, 1],
    [FRAMES[2]!, 5, 0x80],
    [FRAMES[2]!, LENGTH + 4, 1],
    [FRAMES[3]!, 13, 1],
    [FRAMES[3]!, 5, 0x80],
  ];
  for (const [frame, at, byte] of cases) {
    const bytes = body(frame);
    bytes[at] = byte;
    const error = assertThrows(() => decodeLinkFrame(bytes), MixnetError);
    assertEquals(error.code, "malformed", `${frame.type} at ${at}`);
  }
});

Deno.test("checkLinkFrame() refuses lengths and numbers out of range", () => {
  const [, packet, message, collected] = FRAMES;
  const wrong = [
    { ...packet, packet: filled(LENGTH - 1, 0) },
    { ...packet, epoch: 2 ** 32 },
    { ...packet, epoch: 0.5 },
    { ...message, identifier: filled(15, 0) },
    { ...message, payload: filled(COMPACT.payloadLength + 1, 0) },
    { ...message, sequence: -1 },
    { ...collected, sequence: 2 ** 53 },
  ] as LinkFrame[];
  for (const frame of wrong) {
    assertThrows(() => checkLinkFrame(frame, LENGTH), RangeError);
  }
});
