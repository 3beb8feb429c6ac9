import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "../../../src/core/bytes/mod.ts";
import { nobleProvider, nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  recoverMessage,
  REGULAR,
  SphinxError,
  type SphinxErrorCode,
  type SphinxGeometry,
  sphinxGeometry,
  unwrapPacket,
} from "../../../src/mixnet/mod.ts";
import { type DrawnRoute, drawRoute } from "./_draw.ts";

const crypto = nodeProvider;
const MESSAGE = new TextEncoder().encode("to be read at the end");

for (const geometry of [COMPACT, REGULAR, sphinxGeometry(33)]) {
  for (const hops of [1, 2, 3, 4, 5]) {
    Deno.test(`a packet of ${geometry.packetLength} bytes goes through ${hops} hops`, () => {
      const drawn = drawRoute(hops);
      for (const length of [0, 1, geometry.messageLength]) {
        const message = crypto.random(length);
        const packet = createPacket(crypto, geometry, drawn, message);
        assertEquals(travel(geometry, drawn, packet), message);
      }
    });
  }
}

Deno.test("a message that ends in ones and zeros comes out as it went in", () => {
  const drawn = drawRoute(2);
  for (const message of [[0], [1], [1, 0, 0], [0, 1], [1, 1, 1]]) {
    const bytes = Uint8Array.from(message);
    const packet = createPacket(crypto, REGULAR, drawn, bytes);
    assertEquals(travel(REGULAR, drawn, packet), bytes);
  }
});

Deno.test("node and noble unwrap a packet to the same bytes", () => {
  const drawn = drawRoute(3);
  const packet = createPacket(nobleProvider, COMPACT, drawn, MESSAGE);
  const [key] = drawn.privateKeys;
  assertEquals(
    unwrapPacket(nobleProvider, COMPACT, key!, packet),
    unwrapPacket(nodeProvider, COMPACT, key!, packet),
  );
});

Deno.test("two packets of one message have nothing in common but their length", () => {
  const drawn = drawRoute(3);
  const [a, b] = [1, 2].map(() =>
    createPacket(crypto, REGULAR, drawn, MESSAGE)
  );
  const same = a!.filter((byte, i) => byte === b![i]).length;
  assert(same < 40, `${same} of ${a!.length} bytes`); // 9.4 expected, 40 beyond 10 sigma
});

Deno.test("createPacket() refuses what no packet can carry", () => {
  const { route, destination, identifier } = drawRoute(5);
  const make = (
    hops = route,
    to = destination,
    id = identifier,
    message = MESSAGE,
  ) =>
  () =>
    createPacket(
      crypto,
      COMPACT,
      { route: hops, destination: to, identifier: id },
      message,
    );
  assertThrows(make([]), RangeError, "1 to 5 hops");
  assertThrows(make([...route, route[0]!]), RangeError, "1 to 5 hops");
  for (const delayNs of [-1, 0.5, 2 ** 53]) {
    const hop = { ...route[0]!, delayNs };
    assertThrows(make([hop]), RangeError, "whole number of ns");
  }
  const short = new Uint8Array(31);
  assertThrows(make([{ ...route[0]!, address: short }]), RangeError);
  assertThrows(make([{ ...route[0]!, publicKey: short }]), RangeError);
  assertThrows(make(route, short), RangeError, "destination");
  assertThrows(make(route, destination, short), RangeError, "identifier");
  const long = new Uint8Array(COMPACT.messageLength + 1);
  assertThrows(make(route, destination, identifier, long), RangeError);
  const weak = { ...route[0]!, publicKey: new Uint8Array(32) };
  assertEquals(codeOf(make([weak])), "weak_point");
});

Deno.test("unwrapPacket() drops packets of another length", () => {
  const { packet, key } = one();
  for (
    const other of [
      packet.subarray(1),
      concat(packet, packet.subarray(0, 1)),
      new Uint8Array(),
    ]
  ) {
    assertEquals(
      codeOf(() => unwrapPacket(crypto, REGULAR, key, other)),
      "length",
    );
  }
});

Deno.test("unwrapPacket() drops a header in which any bit was changed, and a payload comes out as noise", () => {
  const { packet, key, drawn } = one();
  for (let at = 32; at < 348; at += 1) {
    const changed = packet.slice();
    changed[at]! ^= 1 << at % 8;
    assertEquals(
      codeOf(() => unwrapPacket(crypto, REGULAR, key, changed)),
      "mac",
    );
  }
  for (const at of [348, 379, 380, 1_000, packet.length - 1]) {
    const changed = packet.slice();
    changed[at]! ^= 1;
    assertEquals(codeOf(() => travel(REGULAR, drawn, changed)), "payload");
  }
});

Deno.test("unwrapPacket() drops packets for another key", () => {
  const { packet } = one();
  const key = crypto.random(32);
  assertEquals(codeOf(() => unwrapPacket(crypto, REGULAR, key, packet)), "mac");
});

Deno.test("recoverMessage() refuses what has no zeros in front or no end", () => {
  const whole = new Uint8Array(40);
  assertEquals(codeOf(() => recoverMessage(whole)), "payload");
  assertEquals(recoverMessage(whole.with(20, 1)), new Uint8Array(4));
  assertEquals(codeOf(() => recoverMessage(whole.with(20, 2))), "payload");
  assertEquals(
    codeOf(() => recoverMessage(whole.with(20, 1).with(3, 1))),
    "payload",
  );
  assertEquals(codeOf(() => recoverMessage(new Uint8Array(3))), "payload");
});

function one() {
  const drawn = drawRoute(3);
  const packet = createPacket(crypto, REGULAR, drawn, MESSAGE);
  return { drawn, packet, key: drawn.privateKeys[0]! };
}

function travel(
  geometry: SphinxGeometry,
  { route, destination, identifier, privateKeys }: DrawnRoute,
  packet: Uint8Array,
): Uint8Array {
  const tags = new Set<string>();
  for (const [i, { delayNs }] of route.slice(0, -1).entries()) {
    const hop = unwrapPacket(crypto, geometry, privateKeys[i]!, packet);
    assert(hop.kind === "forward");
    assertEquals(hop.nextAddress, route[i + 1]!.address);
    assertEquals(hop.delayNs, delayNs);
    assertEquals(hop.packet.length, geometry.packetLength);
    tags.add(hop.replayTag.toHex());
    packet = hop.packet;
  }
  const last = unwrapPacket(crypto, geometry, privateKeys.at(-1)!, packet);
  assert(last.kind === "final");
  assertEquals(last.destination, destination);
  assertEquals(last.identifier, identifier);
  assertEquals(tags.add(last.replayTag.toHex()).size, route.length);
  return recoverMessage(last.payload);
}

function codeOf(run: () => unknown): SphinxErrorCode | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
}
