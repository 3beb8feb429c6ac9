import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError } from "../../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  decodePacketBody,
  demandRoom,
  encodePacketBody,
  fragmentRoom,
  type PacketBody,
} from "../../../src/mixnet/client/packet_body.ts";
import {
  decodeForwardContent,
  encodeForwardContent,
  sealedLength,
} from "../../../src/mixnet/client/forward_content.ts";
import {
  seal,
  SEAL_OVERHEAD,
  unseal,
} from "../../../src/mixnet/client/seal.ts";
import { fragmentSurbs, split } from "../../../src/mixnet/client/split.ts";
import { openReply, sealReply } from "../../../src/mixnet/client/reply_body.ts";
import { MIN_PAYLOAD_LENGTH } from "../../../src/mixnet/directory/network_parameters.ts";
import {
  REGULAR,
  sphinxGeometry,
} from "../../../src/mixnet/sphinx/geometry.ts";

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

Deno.test("bodies are laid out as the profile says", () => {
  const body = (...parts: Uint8Array[]) => {
    const bytes = new Uint8Array(LENGTH);
    bytes.set(concat(...parts));
    return bytes;
  };
  const of = (...bytes: number[]) => Uint8Array.from(bytes);
  const [way, other] = [surb(), surb()];
  assertEquals(
    encodePacketBody(LENGTH, { kind: "loop", nonce: id }),
    body(of(0), id),
  );
  assertEquals(
    encodePacketBody(LENGTH, {
      kind: "fragment",
      messageId: id,
      index: 0x102,
      count: 0x304,
      surbs: [way, other],
      bytes: of(9, 8, 7),
    }),
    body(
      of(1),
      id,
      of(1, 2, 3, 4, 2, 0, 3),
      ...[of(0, 0, 0, 7), way.surb, way.key],
      ...[of(0, 0, 0, 7), other.surb, other.key],
      of(9, 8, 7),
    ),
  );
  const later = nodeProvider.random(32);
  assertEquals(
    encodePacketBody(LENGTH, {
      kind: "demand",
      messageId: id,
      next: 0x506,
      later,
      surbs: [way],
    }),
    body(of(2), id, of(5, 6), later, of(1, 0, 0, 0, 7), way.surb, way.key),
  );
});

Deno.test("a forward packet's message is the epoch, the acknowledgement's SURB and what is sealed, of one length", () => {
  const [ackSurb, sealed] = [396, 1_648].map(nodeProvider.random) as [
    ReturnType<typeof nodeProvider.random>,
    ReturnType<typeof nodeProvider.random>,
  ];
  const message = encodeForwardContent({
    ackEpoch: 0xfedcba98,
    ackSurb,
    sealed,
  });
  assertEquals(
    message,
    concat(Uint8Array.of(0xfe, 0xdc, 0xba, 0x98), ackSurb, sealed),
  );
  assertEquals(message.length, REGULAR.messageLength);
  assertEquals(decodeForwardContent(REGULAR, message), {
    ackEpoch: 0xfedcba98,
    ackSurb,
    sealed,
  });
  for (const wrong of [message.slice(1), concat(message, Uint8Array.of(0))]) {
    assertThrows(() => decodeForwardContent(REGULAR, wrong), DecodeError);
  }
});

Deno.test("what is sealed opens with its key and as it was only, and adds 48 bytes", () => {
  const [keys, others] = [
    generateX25519(nodeProvider),
    generateX25519(nodeProvider),
  ];
  const plain = nodeProvider.random(1_600);
  const sealed = seal(nodeProvider, keys.publicKey, plain);
  assertEquals(sealed.length, 1_648);
  assertEquals(unseal(nodeProvider, keys, sealed), plain);
  assertEquals(unseal(nodeProvider, others, sealed), undefined);
  for (const at of [0, 31, 32, 1_647]) {
    const changed = sealed.with(at, sealed[at]! ^ 1);
    assertEquals(unseal(nodeProvider, keys, changed), undefined);
  }
  assertEquals(unseal(nodeProvider, keys, sealed.slice(0, 40)), undefined);
  const lowOrder = sealed.slice();
  lowOrder.fill(0, 0, 32);
  assertEquals(unseal(nodeProvider, keys, lowOrder), undefined);
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

Deno.test("20,000 bodies and reply bodies that a hostile sender wrote are read or refused", () => {
  const key = nodeProvider.random(32);
  using aead = nodeProvider.chacha20poly1305(key);
  const seen = { read: 0, refused: 0 };
  for (let i = 0; i < 20_000; i++) {
    const body = encodePacketBody(LENGTH, BODIES[i % BODIES.length]!);
    for (let j = 0; j < 3; j++) {
      body[Math.floor(Math.random() * 60)] = Math.random() * 256;
    }
    body[0]! %= 4;
    try {
      const read = decodePacketBody(body);
      if (read.kind === "fragment") assert(read.index < read.count);
      assertEquals(encodePacketBody(LENGTH, read).length, LENGTH);
      seen.read++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      seen.refused++;
    }
    const sealed = aead.seal(new Uint8Array(12), body.subarray(0, i % 50));
    const reply = openReply(nodeProvider, key, sealed);
    assert(!reply || reply.index < reply.count && reply.bytes.length < 50);
  }
  assert(seen.read > 1_000 && seen.refused > 1_000, JSON.stringify(seen));
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

Deno.test("the shortest payload of a network holds a way back in messages and demands, a shorter one does not", () => {
  const ways = [MIN_PAYLOAD_LENGTH, MIN_PAYLOAD_LENGTH - 1].map((length) => {
    const body = sealedLength(sphinxGeometry(length)) - SEAL_OVERHEAD;
    return [fragmentSurbs(body), demandRoom(body)];
  });
  assertEquals(ways[0], [1, 1]);
  assertEquals(Math.min(...ways[1]!), 0);
});

Deno.test("a reply's packet has one length, and opens with its key only", () => {
  const key = nodeProvider.random(32);
  const fragment = { index: 1, count: 2, bytes: nodeProvider.random(100) };
  const message = sealReply(nodeProvider, REGULAR, key, fragment);
  assertEquals(message.length, REGULAR.messageLength);
  using aead = nodeProvider.chacha20poly1305(key);
  const plain = new Uint8Array(REGULAR.messageLength - 16);
  plain.set(concat(Uint8Array.of(0, 1, 0, 2, 0, 100), fragment.bytes));
  assertEquals(aead.open(new Uint8Array(12), message), plain);
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
