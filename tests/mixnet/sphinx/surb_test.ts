import { assert, assertEquals, assertThrows } from "@std/assert";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  recoverReply,
  replyPacket,
  SphinxError,
  SURB_LENGTH,
  unwrapPacket,
} from "../../../src/mixnet/mod.ts";
import { expandSharedSecret } from "../../../src/mixnet/sphinx/key_expansion.ts";
import { drawRoute } from "./_draw.ts";

const MESSAGE = new TextEncoder().encode("an answer");

for (const hops of [1, 2, 3, 4, 5]) {
  Deno.test(`a reply comes back by a SURB of ${hops} hops`, () => {
    const { drawn, recovery, surb } = make(hops);
    assertEquals(surb.length, SURB_LENGTH);
    const { packet, firstHop } = replyPacket(crypto, COMPACT, surb, MESSAGE);
    assertEquals(firstHop, drawn.route[0]!.address);
    const { payload, identifier } = deliver(drawn.privateKeys, packet);
    assertEquals(identifier, drawn.identifier);
    assertEquals(recoverReply(crypto, recovery, payload), MESSAGE);
  });
}

Deno.test("no hop tells a reply from a packet by its version", () => {
  const { drawn, surb } = make(5);
  const reply = replyPacket(crypto, COMPACT, surb, MESSAGE).packet;
  const packet = createPacket(crypto, COMPACT, drawn, MESSAGE);
  assertEquals(versions(drawn.privateKeys, packet), Array(5).fill(259));
  assertEquals(versions(drawn.privateKeys, reply), Array(5).fill(259));
});

Deno.test("a SURB in the form of 260 tells its holder one seed, the last hop's", () => {
  const { recovery, surb } = make(3);
  assertEquals(surb.subarray(-16), recovery[2]);
  for (const seed of recovery.slice(0, 2)) {
    assert(!surb.toHex().includes(seed.toHex()));
  }
});

Deno.test("recoverReply() refuses a changed reply and that of another SURB", () => {
  const { drawn, recovery, surb } = make(3);
  const { packet } = replyPacket(crypto, COMPACT, surb, MESSAGE);
  const { payload } = deliver(drawn.privateKeys, packet);
  const other = make(3).recovery;
  for (
    const recover of [
      () => recoverReply(crypto, recovery, payload.with(0, payload[0]! ^ 1)),
      () => recoverReply(crypto, other, payload),
    ]
  ) {
    assertEquals(assertThrows(recover, SphinxError).code, "payload");
  }
});

Deno.test("createSurb() wants an identifier, replyPacket() a whole SURB", () => {
  const drawn = { ...drawRoute(2), identifier: new Uint8Array(16) };
  assertThrows(() => createSurb(crypto, drawn), RangeError, "not zero");
  const { surb } = make(2);
  const reply = () => replyPacket(crypto, COMPACT, surb.subarray(1), MESSAGE);
  assertEquals(assertThrows(reply, SphinxError).code, "surb");
});

function make(hops: number) {
  const drawn = drawRoute(hops);
  return { drawn, ...createSurb(crypto, drawn) };
}

function deliver(privateKeys: readonly Uint8Array[], packet: Uint8Array) {
  for (const key of privateKeys.slice(0, -1)) {
    const hop = unwrapPacket(crypto, COMPACT, key, packet);
    assert(hop.kind === "forward");
    packet = hop.packet;
  }
  const last = unwrapPacket(crypto, COMPACT, privateKeys.at(-1)!, packet);
  assert(last.kind === "final");
  return last;
}

/** The version that each hop reads. */
function versions(
  privateKeys: readonly Uint8Array[],
  packet: Uint8Array,
): number[] {
  return privateKeys.map((key) => {
    const shared = crypto.x25519.sharedSecret(key, packet.subarray(0, 32));
    const { streamKey } = expandSharedSecret(crypto, shared);
    const beta = packet.subarray(48, 348);
    const [, ...version] = crypto.aesCtr(streamKey, new Uint8Array(16), beta);
    const hop = unwrapPacket(crypto, COMPACT, key, packet);
    if (hop.kind === "forward") packet = hop.packet;
    return version[0]! << 16 | version[1]! << 8 | version[2]!;
  });
}
