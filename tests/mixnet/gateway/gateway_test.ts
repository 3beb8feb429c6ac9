import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import {
  encodeForwardContent,
  NOBODY,
  sealedLength,
} from "../../../src/mixnet/client/forward_content.ts";
import {
  Gateway,
  type GatewayOptions,
} from "../../../src/mixnet/gateway/gateway.ts";
import { MAILBOX_LIMITS } from "../../../src/mixnet/gateway/mailbox.ts";
import { REGULAR } from "../../../src/mixnet/sphinx/geometry.ts";
import {
  createPacket,
  unwrapPacket,
} from "../../../src/mixnet/sphinx/packet.ts";
import { createSurb, recoverReply } from "../../../src/mixnet/sphinx/surb.ts";
import { seededRandom } from "../client/_mix_world.ts";
import { drawRoute } from "../sphinx/_draw.ts";
import { FakeLink } from "./_fake_link.ts";

const ALICE = new Uint8Array(32).fill(1);
const BOB = new Uint8Array(32).fill(2);
const ZERO = new Uint8Array(16);
const SURB_ID = new Uint8Array(16).fill(7);
const PACKET = new Uint8Array(REGULAR.packetLength).fill(9);

Deno.test("the sealed part is stored, and then the acknowledgement goes by its SURB", async () => {
  await using t = start();
  t.serve(ALICE);
  const { payload, sealed, recovery, route } = content(t.id);
  assert(t.gateway.deliver(ALICE, ZERO, payload));
  await t.clock.run(2_000);
  assertEquals(t.received.length, 1);
  const [{ epoch, packet }] = t.received as [{ epoch: number; packet: Bytes }];
  assertEquals(epoch, 5);
  let ack = packet;
  for (const key of route.privateKeys) {
    const hop = unwrapPacket(crypto, REGULAR, key, ack);
    ack = hop.kind === "forward" ? hop.packet : hop.payload;
  }
  assertEquals(recoverReply(crypto, recovery, ack), new Uint8Array(0));
  const [message] = t.links[0]!.sent.map(({ frame }) => frame)
    .filter((frame) => frame.type === "message");
  assert(message);
  assertEquals(message.identifier, ZERO);
  assertEquals(message.payload.subarray(0, sealed.length), sealed);
  assert(message.payload.subarray(sealed.length).every((byte) => byte === 0));
  assertEquals(t.gateway.counts.stored, 1);
  assertEquals(t.gateway.counts.acknowledged, 1);
});

Deno.test("a reply is stored whole under its SURB's id, and not acknowledged", async () => {
  await using t = start();
  const link = t.serve(ALICE);
  const payload = crypto.random(REGULAR.payloadLength);
  assert(t.gateway.deliver(ALICE, SURB_ID, payload));
  await t.clock.run(2_000);
  const { frame } = link.sent.find(({ frame }) => frame.type === "message")!;
  assertEquals(frame, {
    type: "message",
    sequence: 1,
    identifier: SURB_ID,
    payload,
  });
  assertEquals(t.received, []);
  assertEquals(t.gateway.counts.repliesStored, 1);
  assertEquals(t.gateway.counts.acknowledged, 0);
});

Deno.test("cover for nobody is dropped, and acknowledged as a message is or not as a reply is not", async () => {
  await using t = start();
  const { payload } = content(t.id);
  assert(t.gateway.deliver(NOBODY, ZERO, payload));
  assert(t.gateway.deliver(NOBODY, SURB_ID, payload));
  await t.clock.run(2_000);
  assertEquals(t.received.length, 1);
  const { cover, acknowledged, messages, dropped } = t.gateway.counts;
  assertEquals([cover, acknowledged, messages], [2, 1, 0]);
  assertEquals(dropped.unknown_client, 0);
});

Deno.test("what is not stored is not acknowledged, and counted by its reason", async () => {
  await using t = start({ limits: { maxClientMessages: 2, maxMessages: 3 } });
  t.serve(ALICE);
  t.serve(BOB);
  const deliver = (client: Uint8Array) =>
    t.gateway.deliver(client, ZERO, content(t.id).payload);
  assertEquals(deliver(new Uint8Array(32).fill(3)), false);
  assertEquals([deliver(ALICE), deliver(ALICE)], [true, true]);
  assertEquals(deliver(ALICE), false);
  assertEquals([deliver(BOB), deliver(BOB)], [true, false]);
  const garbage = crypto.random(REGULAR.payloadLength);
  assertEquals(t.gateway.deliver(BOB, ZERO, garbage), false);
  await t.clock.run(0);
  const { dropped, stored, acknowledged } = t.gateway.counts;
  assertEquals(dropped, {
    unknown_client: 1,
    client_full: 1,
    full: 1,
    malformed: 1,
    ack_surb: 0,
    ack_full: 0,
    too_many_clients: 0,
  });
  assertEquals(stored, 3);
  assertEquals(acknowledged, 3);
  assertEquals(t.received.length, 3);
});

Deno.test("an acknowledgement that begins at another node goes there, or is counted", async () => {
  await using t = start();
  t.serve(ALICE);
  const other = crypto.random(32);
  t.gateway.deliver(ALICE, ZERO, content(other).payload);
  assertEquals(t.offered, []);
  assertEquals(t.gateway.counts.dropped.ack_surb, 1);
  t.peers.add(other.toHex());
  t.gateway.deliver(ALICE, ZERO, content(other).payload);
  assertEquals(t.offered, [other.toHex()]);
  assertEquals(t.gateway.counts.stored, 2);
  assertEquals(t.received, []);
});

Deno.test("acknowledgements that the node does not take are bounded, and those that it refuses are counted", async () => {
  const never = Promise.withResolvers<void>();
  await using t = start({}, () => never.promise);
  t.serve(ALICE);
  const { payload } = content(t.id);
  for (let i = 0; i < 4_097; i++) t.gateway.deliver(ALICE, ZERO, payload);
  assertEquals(t.gateway.counts.stored, 4_097);
  assertEquals(t.gateway.counts.dropped.ack_full, 1);
  never.reject(new Error("The node is gone"));
  await t.clock.run(0);
  assertEquals(t.gateway.counts.dropped.ack_full, 4_097);
  assertEquals(t.gateway.counts.acknowledged, 0);
});

Deno.test("the downlink is a Poisson process of its rate, whether there is anything to give or not", async () => {
  const counts: number[] = [];
  for (const load of [0, 1_000]) {
    await using t = start({ downlinkPerSecond: 20 });
    const link = t.serve(ALICE);
    const payload = new Uint8Array(REGULAR.payloadLength);
    for (let i = 0; i < load; i++) t.gateway.deliver(ALICE, SURB_ID, payload);
    await t.clock.run(100_000);
    counts.push(link.sent.length);
    assertEquals(link.sequences.length, Math.min(load, link.sent.length));
    const gaps = link.sent.map(({ atMs }, i) =>
      atMs - (link.sent[i - 1]?.atMs ?? 0)
    );
    const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) /
      gaps.length;
    assert(Math.abs(Math.sqrt(variance) / mean - 1) < 0.15, `${variance}`);
  }
  for (const count of counts) {
    assert(Math.abs(count - 2_000) < 4 * Math.sqrt(2_000), counts.join());
  }
});

Deno.test("what a client has collected is gone; what it has not comes again on its next link, from the start", async () => {
  await using t = start();
  const first = t.serve(ALICE);
  for (let i = 0; i < 4; i++) t.reply(ALICE);
  await t.clock.run(2_000);
  assertEquals(first.sequences, [1, 2, 3, 4]);
  first.give({ type: "collected", sequence: 2 });
  await t.clock.run(0);
  assertEquals(t.gateway.counts.messages, 2);
  first.close();
  await t.clock.run(0);
  assertEquals(t.gateway.counts.connected, 0);
  const second = t.serve(ALICE);
  await t.clock.run(2_000);
  assertEquals(second.sequences, [3, 4]);
});

Deno.test("a client collects nothing that was not sent on its link", async () => {
  await using t = start();
  const link = t.serve(ALICE);
  t.reply(ALICE);
  link.give({ type: "collected", sequence: Number.MAX_SAFE_INTEGER });
  await t.clock.run(0);
  assertEquals(link.sequences, []);
  assertEquals(t.gateway.counts.messages, 1);
  await t.clock.run(2_000);
  assertEquals(link.sequences, [1]);
});

Deno.test("a client that comes on another link is served there, and its earlier link ends", async () => {
  await using t = start();
  const first = t.serve(ALICE);
  await t.clock.run(1_000);
  const second = t.serve(ALICE);
  await t.clock.run(1_000);
  assertEquals([first.isOpen, second.isOpen], [false, true]);
  assertEquals(t.gateway.counts.connected, 1);
  const before = first.sent.length;
  t.reply(ALICE);
  await t.clock.run(2_000);
  assertEquals(first.sent.length, before);
  assertEquals(second.sequences, [1]);
});

Deno.test("a client that sends what only gateways send is cut off", async () => {
  await using t = start();
  const link = t.serve(ALICE);
  link.give({
    type: "message",
    sequence: 1,
    identifier: ZERO,
    payload: new Uint8Array(REGULAR.payloadLength),
  });
  await t.clock.run(0);
  assertEquals(link.isOpen, false);
  assertEquals(t.gateway.counts.connected, 0);
});

Deno.test("a flooding client waits for the node, and the others do not wait for it", async () => {
  const busy = Promise.withResolvers<void>();
  await using t = start(
    {},
    (packets) => packets[0]!.epoch === 666 ? busy.promise : Promise.resolve(),
  );
  const flood = t.serve(ALICE);
  const calm = t.serve(BOB);
  for (let i = 0; i < 100; i++) {
    flood.give({ type: "packet", epoch: 666, packet: PACKET });
  }
  calm.give({ type: "packet", epoch: 1, packet: PACKET });
  t.reply(BOB);
  await t.clock.run(2_000);
  assertEquals(flood.reads, 2); // none came at first, then one
  assertEquals(t.received.map(({ epoch }) => epoch), [666, 1]);
  assertEquals(calm.sequences, [1]);
  busy.resolve();
  await t.clock.run(0);
  assertEquals(t.received.length, 101);
});

Deno.test("clients beyond the bound are not served, and get no mailbox, until another has expired", async () => {
  await using t = start({ limits: { maxClients: 2 } });
  const alice = t.serve(ALICE);
  t.serve(BOB);
  const third = new Uint8Array(32).fill(3);
  const refused = t.serve(third);
  await t.clock.run(0);
  assertEquals(refused.isOpen, false);
  assertEquals(t.gateway.counts.clients, 2);
  assertEquals(t.gateway.counts.dropped.too_many_clients, 1);
  assertEquals(t.reply(third), false);
  alice.close();
  await t.clock.run(0);
  t.clock.setWallTime(t.clock.wallTime() + MAILBOX_LIMITS.clientExpiryMs);
  await t.clock.run(10_000);
  assertEquals(t.gateway.counts.clients, 1);
  t.serve(third);
  assert(t.reply(third));
  assert(t.reply(BOB));
});

Deno.test("messages expire while the gateway runs; a connected client does not", async () => {
  await using t = start();
  const link = t.serve(ALICE);
  t.reply(ALICE);
  await t.clock.run(2_000);
  t.clock.setWallTime(t.clock.wallTime() + MAILBOX_LIMITS.messageExpiryMs);
  await t.clock.run(10_000);
  assertEquals(t.gateway.counts.expired, 1);
  assertEquals(t.gateway.counts.messages, 0);
  link.give({ type: "collected", sequence: 1 });
  await t.clock.run(0);
  assertEquals(t.gateway.counts.collected, 0);
  assert(t.reply(ALICE));
});

Deno.test("a mailbox that its store cannot read ends the link, and serve() says why", async () => {
  const store = Object.assign(memoryStore(), {
    get: () => {
      throw new StorageError("io", "Store failed");
    },
  });
  await using t = start({ store });
  const link = new FakeLink(t.clock, ALICE);
  const served = assertRejects(() => t.gateway.serve(link), StorageError);
  t.reply(ALICE);
  await t.clock.run(2_000);
  await served;
  assertEquals(link.isOpen, false);
  assertEquals(t.gateway.counts.connected, 0);
});

Deno.test("a store that fails while messages expire fails that alone, and is tried again", async () => {
  const store = memoryStore();
  let isBroken = false;
  const transaction = store.transaction.bind(store);
  Object.assign(store, {
    transaction: <T>(fn: () => T): T => {
      if (isBroken) throw new StorageError("io", "Store failed");
      return transaction(fn);
    },
  });
  await using t = start({ store });
  t.serve(ALICE);
  t.reply(ALICE);
  t.clock.setWallTime(t.clock.wallTime() + MAILBOX_LIMITS.messageExpiryMs);
  isBroken = true;
  await t.clock.run(20_000);
  assertEquals(t.gateway.counts.storeFailures, 2);
  isBroken = false;
  await t.clock.run(10_000);
  assertEquals(t.gateway.counts.storeFailures, 2);
  assertEquals(t.gateway.counts.expired, 1);
  assertEquals(store.usage().entries, 1);
});

Deno.test("a gateway that closes ends every link, keeps what is stored, and serves no more", async () => {
  const store = memoryStore();
  const first = start({ store });
  const link = first.serve(ALICE);
  first.reply(ALICE);
  await first[Symbol.asyncDispose]();
  assertEquals(link.isOpen, false);
  assertEquals(first.clock.pendingTimers, 0);
  const late = first.serve(ALICE);
  assertEquals(late.isOpen, false);
  await using second = start({ store });
  const again = second.serve(ALICE);
  await second.clock.run(2_000);
  assertEquals(again.sequences, [1]);
});

function start(
  options: Partial<GatewayOptions> = {},
  receive: GatewayOptions["node"]["receive"] = () => Promise.resolve(),
) {
  const clock = new VirtualClock();
  const id = crypto.random(32);
  const received: { readonly epoch: number; readonly packet: Bytes }[] = [];
  const offered: string[] = [];
  const peers = new Set<string>();
  const links: FakeLink[] = [];
  const gateway = new Gateway({
    crypto,
    geometry: REGULAR,
    clock,
    store: memoryStore(),
    downlinkPerSecond: 10,
    random: seededRandom(5),
    node: {
      id,
      receive: (packets) => {
        received.push(...packets);
        return receive(packets);
      },
      offer: (nodeId) => {
        const isPeer = peers.has(nodeId.toHex());
        if (isPeer) offered.push(nodeId.toHex());
        return isPeer;
      },
    },
    ...options,
  });
  return {
    clock,
    id,
    gateway,
    received,
    offered,
    peers,
    links,
    serve(client: Uint8Array): FakeLink {
      const link = new FakeLink(clock, client);
      links.push(link);
      gateway.serve(link);
      return link;
    },
    reply: (client: Uint8Array) =>
      gateway.deliver(client, SURB_ID, new Uint8Array(REGULAR.payloadLength)),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** The payload of a forward packet whose acknowledgement begins at `firstHop`, as the last hop gets it. */
function content(firstHop: Uint8Array) {
  const route = drawRoute(2);
  route.route[0]!.address.set(firstHop);
  const { surb, recovery } = createSurb(crypto, {
    ...route,
    identifier: SURB_ID,
  });
  const sealed = crypto.random(sealedLength(REGULAR));
  const last = drawRoute(1);
  const packet = createPacket(
    crypto,
    REGULAR,
    { ...last, identifier: ZERO },
    encodeForwardContent({ ackEpoch: 5, ackSurb: surb, sealed }),
  );
  const [key] = last.privateKeys as [Bytes];
  const hop = unwrapPacket(crypto, REGULAR, key, packet);
  assert(hop.kind === "final");
  return { payload: hop.payload, sealed, recovery, route };
}
