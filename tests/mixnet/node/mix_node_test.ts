import { assert, assertEquals } from "@std/assert";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import type { PooledPacket } from "../../../src/mixnet/node/mix_node.ts";
import type { NodeCounts } from "../../../src/mixnet/node/node_counts.ts";
import { PoissonMix } from "../../../src/mixnet/node/poisson_mix.ts";
import { thresholdMix } from "../../../src/mixnet/node/pool_mix.ts";
import { ReplayFilter } from "../../../src/mixnet/node/replay_filter.ts";
import { recoverMessage } from "../../../src/mixnet/sphinx/payload.ts";
import { seededRandom } from "./_draws.ts";
import {
  EPOCH_SECONDS,
  imbalance,
  type NetworkNode,
  NodeNetwork,
} from "./_node_network.ts";

/** Two gateways, then two nodes in each of three layers. */
const LAYERS = [0, 0, 1, 1, 2, 2, 3, 3];
const ROUTE = [0, 2, 4, 6, 1];
const SECOND = 1_000;
/** For tests that last hours. */
const HARDLY_LOOPS = { loops: { perSecond: 0, floorPerSecond: 1e-4 } };

function dropsOf({ node }: NetworkNode): Record<string, number> {
  const drops = Object.entries(node.counts.dropped).filter(([, n]) => n > 0);
  return Object.fromEntries(drops);
}

function assertBalanced(network: NodeNetwork) {
  for (const { node } of network.nodes) {
    assertEquals(imbalance(node.counts), 0, JSON.stringify(node.counts));
  }
}

const dropped = ({ dropped }: NodeCounts) =>
  Object.values(dropped).reduce((a, b) => a + b);

Deno.test("packets pass five nodes of a network, arrive whole and once, and every one is accounted for", async () => {
  const network = new NodeNetwork(1, LAYERS);
  const sent: string[] = [];
  for (let i = 0; i < 150; i++) {
    const destination = network.crypto.random(32);
    sent.push(encodeHex(destination));
    const pick = (a: number) => a + Math.floor(network.random() * 2);
    const via = [pick(0), pick(2), pick(4), pick(6), pick(0)];
    await network.give(via[0]!, network.packet(via, { destination }));
    await network.clock.run(network.random() * 20);
    assertBalanced(network);
  }
  await network.clock.run(20 * SECOND);
  assertBalanced(network);
  const got = network.deliveries;
  assertEquals(
    got.map(({ destination }) => destination).sort(),
    sent.toSorted(),
  );
  for (const { destination, payload } of got) {
    assertEquals(
      encodeHex(recoverMessage(payload)),
      destination.slice(0, 16),
    );
  }
  assert(
    got.some(({ destination }, i) => destination !== sent[i]),
    "not mixed at all",
  );
  assertEquals(network.total(dropped), 0);
  const loops = network.total((each) => each.loopsSent - each.loopsReturned);
  assert(
    network.total(({ pooled }) => pooled) <= loops,
    "more than loops left",
  );
  assert(network.total(({ loopsReturned }) => loopsReturned) > 100);
  await network.stop();
});

Deno.test("what a node holds at any moment is in its counters, while packets get lost, are damaged, repeated or late and nodes restart", async () => {
  const network = new NodeNetwork(2, LAYERS);
  network.lose = () => network.random() < 0.05;
  const totals = { lost: 0, loopsReturned: 0 };
  let packet = network.packet(ROUTE);
  for (let i = 0; i < 300; i++) {
    const roll = network.random();
    if (roll < 0.7) packet = network.packet(ROUTE);
    else if (roll < 0.8) {
      packet = packet.slice();
      packet[Math.floor(network.random() * packet.length)]! ^= 1;
    } else if (roll < 0.85) packet = packet.slice(1);
    const epoch = network.epoch + (network.random() < 0.05 ? 7 : 0);
    network.give(0, packet, epoch);
    await network.clock.run(network.random() * 15);
    assertBalanced(network);
    if (i % 60 === 59) {
      const each = network.nodes[2 + Math.floor(network.random() * 6)]!;
      const last = await network.restart(each);
      assertEquals([imbalance(last), last.pooled], [0, 0]);
      totals.loopsReturned += last.loopsReturned;
    }
  }
  await network.clock.run(20 * SECOND);
  assertBalanced(network);
  const entry = network.nodes[0]!.node.counts;
  for (const reason of ["mac", "length", "epoch", "replayed"] as const) {
    assert(entry.dropped[reason] > 0, reason);
  }
  assert(network.lost > 10);
  const loops = network.nodes.map(({ node }) => node.loops.counts);
  assert(loops.some(({ lost }) => lost > 0), "no loop noticed the losses");
  await network.stop();
});

Deno.test("a node drops a replay: at once, after a restart, and in the epoch after", async () => {
  const network = new NodeNetwork(3, LAYERS, HARDLY_LOOPS);
  const packet = network.packet(ROUTE);
  const { epoch } = network;
  const each = network.nodes[0]!;
  await network.give(0, packet);
  await network.give(0, packet);
  assertEquals(dropsOf(each), { replayed: 1 });
  await network.restart(each);
  await network.give(0, packet);
  assertEquals(dropsOf(each), { replayed: 1 });
  await network.clock.run(EPOCH_SECONDS * SECOND);
  assertEquals(network.epoch, epoch + 1);
  await network.give(0, packet, epoch);
  assertEquals(dropsOf(each), { replayed: 2 });
  await network.clock.run(EPOCH_SECONDS * SECOND);
  await network.give(0, packet, epoch);
  assertEquals(dropsOf(each), { replayed: 2, epoch: 1 });
  await network.stop();
});

Deno.test("a node drops a replay under the key of the next epoch, until that key is gone", async () => {
  const network = new NodeNetwork(16, LAYERS, HARDLY_LOOPS);
  const epoch = network.epoch + 1;
  const packet = network.packet(ROUTE, { epoch });
  const each = network.nodes[0]!;
  await network.give(0, packet, epoch);
  for (let replayed = 1; replayed <= 3; replayed++) {
    await network.give(0, packet, epoch);
    assertEquals(dropsOf(each), { replayed });
    await network.clock.run(EPOCH_SECONDS * SECOND);
  }
  assertEquals(network.epoch, epoch + 2);
  await network.give(0, packet, epoch);
  assertEquals(dropsOf(each), { replayed: 3, epoch: 1 });
  await network.stop();
});

Deno.test("a replay with another form of the same group element is a replay", async () => {
  const network = new NodeNetwork(4, LAYERS);
  const packet = network.packet(ROUTE);
  await network.give(0, packet);
  const twin = packet.slice();
  twin[31]! ^= 0x80; // X25519 ignores bit 255
  await network.give(0, twin);
  assertEquals(dropsOf(network.nodes[0]!), { replayed: 1 });
  await network.stop();
});

Deno.test("a node takes packets of the epoch before and after, and of no other", async () => {
  const network = new NodeNetwork(5, LAYERS);
  const { epoch } = network;
  for (const away of [-2, -1, 0, 1, 2]) {
    const packet = network.packet(ROUTE, { epoch: epoch + away });
    await network.give(0, packet, epoch + away);
  }
  assertEquals(dropsOf(network.nodes[0]!), { epoch: 2 });
  assertEquals(network.nodes[0]!.node.epochs, [epoch - 1, epoch, epoch + 1]);
  const misnamed = network.packet(ROUTE, { epoch: epoch + 1 });
  await network.give(0, misnamed, epoch);
  assertEquals(dropsOf(network.nodes[0]!), { epoch: 2, mac: 1 });
  await network.stop();
});

Deno.test("a node erases the tags of an epoch whose key is gone", async () => {
  const network = new NodeNetwork(6, LAYERS, HARDLY_LOOPS);
  const each = network.nodes[0]!;
  const oldest = () => {
    const [entry] = each.store.entries();
    return entry && new DataView(entry.key.buffer).getUint32(0);
  };
  const { epoch } = network;
  await network.give(0, network.packet(ROUTE));
  await network.clock.run(EPOCH_SECONDS * SECOND);
  assertEquals(oldest(), epoch);
  await network.clock.run(EPOCH_SECONDS * SECOND + 10 * SECOND);
  assert((oldest() ?? Infinity) > epoch);
  await network.stop();
});

Deno.test("a point of low order, a foreign flag and a truncated packet have reasons of their own", async () => {
  const network = new NodeNetwork(7, LAYERS);
  const low = network.packet(ROUTE);
  low.fill(0, 0, 32);
  await network.give(0, low);
  await network.give(0, network.packet(ROUTE).subarray(1).slice());
  await network.give(0, new Uint8Array(0));
  assertEquals(dropsOf(network.nodes[0]!), { weak_point: 1, length: 2 });
  await network.stop();
});

Deno.test("a packet that asks for no delay is mixed all the same, one that asks for too much is dropped", async () => {
  const network = new NodeNetwork(8, LAYERS);
  const zero = network.packet(ROUTE, { delayMs: 0 });
  await network.give(0, zero);
  assertEquals(network.nodes[0]!.node.counts.pooled, 1);
  assertEquals(network.nodes[0]!.node.counts.forwarded, 0);
  const long = network.packet(ROUTE, { delayMs: 1e9 });
  await network.give(0, long);
  assertEquals(dropsOf(network.nodes[0]!), { delay_cap: 1 });
  await network.stop();
});

Deno.test("a full pool drops what comes, and nothing that it holds", async () => {
  const network = new NodeNetwork(9, LAYERS, {
    strategy: new PoissonMix<PooledPacket>({
      capacity: 5,
      meanDelayMs: 20,
      maxDelayMs: 1_000,
      random: seededRandom(9),
    }),
  });
  for (let i = 0; i < 8; i++) await network.give(0, network.packet(ROUTE));
  const { counts } = network.nodes[0]!.node;
  assertEquals([counts.pooled, counts.dropped.pool_full], [5, 3]);
  await network.stop();
});

Deno.test("a mix delivers nothing, a gateway says what nobody took, and a packet to an unknown node is dropped", async () => {
  const network = new NodeNetwork(10, LAYERS);
  await network.give(2, network.packet([2]));
  assertEquals(dropsOf(network.nodes[2]!), { no_gateway: 1 });
  const stranger = network.packet([0, 2]);
  network.nodes.splice(2, 1);
  await network.give(0, stranger);
  await network.clock.run(SECOND);
  assertEquals(network.nodes[0]!.node.counts.dropped.egress >= 1, true);
  await network.stop();
  const refusing = new NodeNetwork(11, LAYERS, {
    deliverer: { deliver: () => false },
  });
  await refusing.give(0, refusing.packet([0]));
  const failing = new NodeNetwork(12, LAYERS, {
    deliverer: {
      deliver() {
        throw new Error("The mailbox is broken");
      },
    },
  });
  await failing.give(0, failing.packet([0]));
  for (const each of [refusing, failing]) {
    assertEquals(dropsOf(each.nodes[0]!), { undeliverable: 1 });
    assertBalanced(each);
    await each.stop();
  }
});

Deno.test("a packet for the node itself that is no loop of its own is dropped", async () => {
  const network = new NodeNetwork(13, LAYERS);
  const { id } = network.nodes[2]!;
  await network.give(2, network.packet([2], { destination: id }));
  assertEquals(dropsOf(network.nodes[2]!), { unknown_loop: 1 });
  await network.stop();
});

Deno.test("a full replay filter drops new packets, still knows replays, and raises one alarm until its key is erased", async () => {
  const alarms: unknown[] = [];
  const log = {
    ...silentLogger,
    error: (event: string, fields: unknown) => alarms.push([event, fields]),
  };
  using store = memoryStore();
  const replay = new ReplayFilter({ store, crypto: nodeProvider, capacity: 3 });
  const network = new NodeNetwork(14, [0], { replay, ...HARDLY_LOOPS }, log);
  const packets = Array.from({ length: 5 }, () => network.packet([0]));
  for (const packet of packets) await network.give(0, packet);
  await network.give(0, packets[0]!);
  const [each] = network.nodes as [NetworkNode];
  assertEquals(dropsOf(each), { replay_full: 2, replayed: 1 });
  const { epoch } = network;
  await network.give(0, network.packet([0], { epoch: epoch + 1 }), epoch + 1);
  assertEquals(each.node.counts.delivered, 4);
  await network.give(0, network.packet([0]));
  assertEquals(alarms, [["mixnet.replay_alarm", { cause: "full", tags: 3 }]]);
  assertEquals(each.node.replayAlarm, true);
  await network.clock.advance(2 * EPOCH_SECONDS * SECOND);
  assertEquals(each.node.replayAlarm, false);
  await network.stop();
});

Deno.test("no packet goes on that the replay filter could not write down", async () => {
  using inner = memoryStore();
  const store = {
    ...inner,
    entries: () => inner.entries(),
    transaction(): never {
      throw new StorageError("io", "The disk is gone");
    },
  };
  const replay = new ReplayFilter({ store, crypto: nodeProvider });
  const network = new NodeNetwork(15, [0], { replay });
  await network.give(0, network.packet([0]));
  const [each] = network.nodes as [NetworkNode];
  assertEquals(dropsOf(each), { replay_store: 1 });
  assertEquals([each.node.replayAlarm, network.deliveries.length], [true, 0]);
  assertBalanced(network);
  await network.stop();
});

Deno.test("a draining node lets its pool empty by the delays, then drops the rest, and takes nothing meanwhile", async () => {
  const network = new NodeNetwork(16, LAYERS);
  const [entry] = network.nodes as [NetworkNode];
  for (let i = 0; i < 40; i++) {
    await network.give(0, network.packet(ROUTE, { delayMs: 100 }));
  }
  const pooled = entry.node.counts.pooled;
  assert(pooled > 30);
  const drained = entry.node.drain(150);
  await network.give(0, network.packet(ROUTE));
  assertEquals(dropsOf(entry), { drain: 1 });
  await network.clock.run(150);
  await drained;
  const { counts } = entry.node;
  assertEquals(counts.pooled, 0);
  assert(counts.forwarded > 20, `${counts.forwarded}`);
  assert(counts.dropped.drain > 1, `${counts.dropped.drain}`);
  assertBalanced(network);
  await network.stop();
});

Deno.test("a draining node sends at once what waits for others to fill the pool", async () => {
  const network = new NodeNetwork(17, [0, 1], {
    strategy: thresholdMix<PooledPacket>({
      capacity: 50,
      threshold: 50,
      maxDelayMs: 1_000,
      random: seededRandom(17),
    }),
  });
  const [entry] = network.nodes as [NetworkNode];
  for (let i = 0; i < 7; i++) await network.give(0, network.packet([0, 1]));
  assertEquals(entry.node.counts.pooled, 7);
  await entry.node.drain(1_000);
  assertEquals([entry.node.counts.pooled, entry.node.counts.dropped.drain], [
    0,
    0,
  ]);
  await network.stop();
});

Deno.test("loops leave at their rate whatever the traffic, and never fall silent", async () => {
  const idle = new NodeNetwork(18, LAYERS, { loops: { perSecond: 2 } });
  await idle.clock.run(60 * SECOND);
  const busy = new NodeNetwork(18, LAYERS, { loops: { perSecond: 2 } });
  for (let i = 0; i < 120; i++) {
    await busy.give(0, busy.packet(ROUTE));
    await busy.clock.run(SECOND / 2);
  }
  for (const network of [idle, busy]) {
    for (const { node } of network.nodes) {
      const { loopsSent } = node.counts;
      assert(Math.abs(loopsSent - 120) < 50, `${loopsSent}`);
      assertEquals(node.loopsUnroutable, 0);
    }
    assertBalanced(network);
    await network.stop();
  }
  const silent = new NodeNetwork(19, LAYERS, { loops: { perSecond: 0 } });
  await silent.clock.run(300 * SECOND);
  assert(silent.nodes.every(({ node }) => node.counts.loopsSent > 10));
  await silent.stop();
});

Deno.test("loops go through one node of each other layer, and show which node loses packets", async () => {
  const network = new NodeNetwork(20, LAYERS, {
    loops: { perSecond: 5, graceMs: 500 },
  });
  await network.clock.run(20 * SECOND);
  const { node, id } = network.nodes[4]!; // layer 2
  const layerOf = new Map(
    network.nodes.map(({ id, layer }) => [encodeHex(id), layer]),
  );
  for (const { from, to, returned, lost, latencyMs } of node.loops.links) {
    assertEquals((layerOf.get(from)! + 1) % 4, layerOf.get(to));
    assert(returned > 0 && lost === 0);
    assert(latencyMs >= 1 && latencyMs < 6, `${latencyMs}`);
  }
  assertEquals(
    new Set(node.loops.links.map(({ to }) => layerOf.get(to))).size,
    4,
  );
  assert(node.loops.links.some(({ from }) => from === encodeHex(id)));
  const bad = network.nodes[6]!; // layer 3
  await bad.node[Symbol.asyncDispose]();
  await network.clock.run(20 * SECOND);
  const lossTo = (each: NetworkNode) => {
    const link = node.loops.links.find(({ to }) => to === encodeHex(each.id))!;
    return link.lost / (link.lost + link.returned);
  };
  assert(lossTo(bad) > 0.3, `${lossTo(bad)}`);
  assertEquals(lossTo(network.nodes[7]!), 0);
  await network.stop();
});

Deno.test("at each change of epoch the log names the link that loses most", async () => {
  const named: { from: string; to: string; loss: number }[] = [];
  const info = (event: string, fields: unknown) => {
    if (event === "mixnet.worst_link") named.push(fields as typeof named[0]);
  };
  const network = new NodeNetwork(
    22,
    LAYERS,
    { loops: { perSecond: 0.02, floorPerSecond: 1e-3, graceMs: 500 } },
    { ...silentLogger, info },
  );
  await network.nodes[6]!.node[Symbol.asyncDispose]();
  await network.clock.run(EPOCH_SECONDS * SECOND);
  const bad = encodeHex(network.nodes[6]!.id);
  assert(named.length > 0);
  for (const { from, to, loss } of named) {
    assert(from === bad || to === bad);
    assertEquals(loss, 1);
  }
  await network.stop();
});

Deno.test("a node without a network makes no loops, and counts them", async () => {
  const network = new NodeNetwork(21, [1], { loops: { perSecond: 10 } });
  await network.clock.run(10 * SECOND);
  const [{ node }] = network.nodes as [NetworkNode];
  assertEquals(node.counts.loopsSent, 0);
  assert(node.loopsUnroutable > 50);
  await network.stop();
});

Deno.test("a node measures the entropy of its pool, and warns when there is too little", async () => {
  const warnings: string[] = [];
  const network = new NodeNetwork(
    22,
    LAYERS,
    { entropy: { minBits: 3, holdMs: 1_000 }, loops: { perSecond: 0.5 } },
    { ...silentLogger, warn: (event) => warnings.push(event) },
  );
  const [{ node }] = network.nodes as [NetworkNode];
  for (let i = 0; i < 300; i++) {
    await network.give(0, network.packet(ROUTE, { delayMs: 200 }));
    await network.clock.run(5);
  }
  assert(node.entropy.bits > 4.5, `${node.entropy.bits}`);
  assertEquals(node.entropy.isLow, false);
  const load = node.entropy.poolLoad(network.clock.now());
  assert(load > 20 && load < 60, `${load}`);
  await network.clock.run(60 * SECOND);
  assert(warnings.includes("mixnet.entropy_low"));
  await network.stop();
});
