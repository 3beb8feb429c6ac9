import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  decodePacketBody,
  demandRoom,
  encodePacketBody,
  fragmentRoom,
  type PacketBody,
} from "../../../src/mixnet/client/packet_body.ts";
import { fragmentSurbs, split } from "../../../src/mixnet/client/split.ts";
import { openReply, sealReply } from "../../../src/mixnet/client/reply_body.ts";
import { REGULAR } from "../../../src/mixnet/sphinx/geometry.ts";

const LENGTH = 1_600;
const id = nodeProvider.random(16);
const surb = () => ({
  epoch: 7,
  surb: nodeProvider.random(396),
  key: nodeProvider.random(32),
});
const BODIES: PacketBody[] = [
  { kind: "loop", nonce: id },
  {
    kind: "fragment",
    messageId: id,
    index: 1,
    count: 3,
    surbs: [surb(), surb(), surb()],
    bytes: nodeProvider.random(280),
  },
  {
    kind: "demand",
    messageId: id,
    next: 5,
    later: nodeProvider.random(32),
    surbs: [surb()],
  },
];

Deno.test("every kind of body has one length and reads back", () => {
  for (const body of BODIES) {
    const bytes = encodePacketBody(LENGTH, body);
    assertEquals(bytes.length, LENGTH);
    assertEquals(decodePacketBody(bytes), body);
  }
});

Deno.test("a body that is cut short within a part, of an unknown kind, or out of place is refused", () => {
  const fragment = encodePacketBody(LENGTH, BODIES[1]!);
  for (let length = 0; length < LENGTH; length++) {
    assertThrows(
      () => decodePacketBody(fragment.slice(0, length)),
      DecodeError,
    );
  }
  assertThrows(() => decodePacketBody(fragment.with(0, 3)), DecodeError);
  assertThrows(() => decodePacketBody(fragment.with(18, 3)), DecodeError);
  assertThrows(() => encodePacketBody(LENGTH - 1, BODIES[1]!), RangeError);
});

Deno.test("split() fills every fragment, SURBs first", () => {
  assertEquals(fragmentSurbs(LENGTH), 3);
  assertEquals(demandRoom(LENGTH), 3);
  assertEquals(fragmentRoom(LENGTH, 0), 1_576);
  assertEquals(split(0, 0, LENGTH), [{ start: 0, end: 0, surbs: 0 }]);
  assertEquals(split(1_577, 0, LENGTH), [
    { start: 0, end: 1_576, surbs: 0 },
    { start: 1_576, end: 1_577, surbs: 0 },
  ]);
  assertEquals(split(281, 4, LENGTH), [
    { start: 0, end: 280, surbs: 3 },
    { start: 280, end: 281, surbs: 1 },
  ]);
  assertThrows(() => split(1_576 * 65_535 + 1, 0, LENGTH), RangeError);
});

Deno.test("a reply's packet has one length, and opens with its key only", () => {
  const key = nodeProvider.random(32);
  const fragment = { index: 1, count: 2, bytes: nodeProvider.random(100) };
  const message = sealReply(nodeProvider, REGULAR, key, fragment);
  assertEquals(message.length, REGULAR.messageLength);
  assertEquals(openReply(nodeProvider, key, message), fragment);
  const other = nodeProvider.random(32);
  assertEquals(openReply(nodeProvider, other, message), undefined);
  for (const at of [0, 50, 2_047]) {
    const changed = message.with(at, message[at]! ^ 1);
    assertEquals(openReply(nodeProvider, key, changed), undefined);
  }
  const outside = sealReply(nodeProvider, REGULAR, key, {
    ...fragment,
    index: 2,
  });
  assertEquals(openReply(nodeProvider, key, outside), undefined);
});
