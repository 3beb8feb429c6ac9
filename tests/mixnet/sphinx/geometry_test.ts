import { assertEquals, assertThrows } from "@std/assert";
import {
  COMPACT,
  HEADER_LENGTH,
  PAYLOAD_OVERHEAD,
  REGULAR,
  sphinxGeometry,
} from "../../../src/mixnet/sphinx/geometry.ts";

Deno.test("sphinxGeometry() derives every size from the payload's", () => {
  assertEquals(REGULAR, {
    payloadLength: 2_065,
    packetLength: 2_413,
    messageLength: 2_048,
  });
  assertEquals(COMPACT.packetLength, 2_048);
  assertEquals(COMPACT.messageLength, 1_683);
  const { packetLength, messageLength } = sphinxGeometry(33);
  assertEquals(packetLength, HEADER_LENGTH + 33);
  assertEquals(messageLength, 33 - PAYLOAD_OVERHEAD);
});

Deno.test("sphinxGeometry() refuses lengths that no payload has", () => {
  for (const length of [0, 32, 65_536, 40.5, NaN]) {
    assertThrows(() => sphinxGeometry(length), RangeError, "33 to 65,535");
  }
});
