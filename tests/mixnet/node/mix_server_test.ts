import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../../../src/core/crypto/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { MemoryNetwork } from "../../../src/core/transport/mod.ts";
import type {
  DirectoryDocument,
  DirectoryNode,
} from "../../../src/mixnet/directory/directory_document.ts";
import type { NetworkParameters } from "../../../src/mixnet/directory/network_parameters.ts";
import { EpochKeys } from "../../../src/mixnet/directory/epoch_keys.ts";
import { dialLink } from "../../../src/mixnet/link/dial_link.ts";
import { LinkListeners } from "../../../src/mixnet/link/link_listeners.ts";
import type { MixLink } from "../../../src/mixnet/link/mix_link.ts";
import {
  MixServer,
  type MixServerOptions,
} from "../../../src/mixnet/node/mix_server.ts";
import { LocalUnwrapPool } from "../../../src/mixnet/node/unwrap_pool.ts";
import { sphinxGeometry } from "../../../src/mixnet/sphinx/geometry.ts";
import {
  createPacket,
  unwrapPacket,
} from "../../../src/mixnet/sphinx/packet.ts";
import { drawBytes, seededRandom } from "./_draws.ts";
import { imbalance } from "./_node_network.ts";

const PARAMETERS: NetworkParameters = {
  network: "flood",
  epochSeconds: 60,
  payloadLength: 1_700,
  layers: 2,
  meanDelayMs: 20,
  maxDelayMs: 1_000,
  clientPacketsPer1000S: 0,
  clientLoopsPer1000S: 0,
  nodeLoopsPer1000S: 0,
};
const GEOMETRY = sphinxGeometry(PARAMETERS.payloadLength);

/** A mix, the node after it, which only keeps what comes, and two nodes before it. */
class Line {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(40);
  readonly crypto: CryptoProvider = {
    ...nodeProvider,
    random: (length) => drawBytes(this.random, length),
  };
  readonly network = new MemoryNetwork({
    clock: this.clock,
    random: this.random,
    latencyMs: 1,
  });
  readonly keys = new EpochKeys({ crypto: this.crypto, store: memoryStore() });
  readonly sinkKey = this.crypto.random(32);
  readonly ids = ["mix", "sink", "good", "bad"].map(() =>
    this.crypto.random(32)
  );
  readonly links: X25519KeyPair[] = this.ids.map(() =>
    generateX25519(this.crypto)
  );
  readonly got: string[] = [];

  get epoch(): number {
    return Math.floor(this.clock.wallTime() / 60_000);
  }

  document(epoch: number): DirectoryDocument {
    const sphinx = [
      this.keys.publicKeys.get(epoch) ?? this.keys.publicKeys.get(this.epoch)!,
      this.crypto.x25519.publicKey(this.sinkKey),
    ];
    const nodes = this.ids.map((identityKey, i): DirectoryNode => ({
      identityKey,
      network: PARAMETERS.network,
      role: "mix",
      addresses: [`memory://node${i}`],
      linkKey: this.links[i]!.publicKey,
      sphinxKeys: new Map(i < 2 ? [[epoch, sphinx[i]!]] : []),
      asn: i,
      sequence: 1,
      expiresMs: Infinity,
      layer: i === 1 ? 2 : 1,
    }));
    return { nodes } as unknown as DirectoryDocument;
  }

  packet() {
    const { nodes } = this.document(this.epoch);
    const [mix, sink] = nodes as [DirectoryNode, DirectoryNode];
    const destination = this.crypto.random(32);
    const route = [mix, sink].map(({ identityKey, sphinxKeys }) => ({
      address: identityKey,
      publicKey: sphinxKeys.get(this.epoch)!,
      delayNs: 20_000_000,
    }));
    const identifier = new Uint8Array(16);
    const packet = createPacket(
      this.crypto,
      GEOMETRY,
      { route, destination, identifier },
      new Uint8Array(0),
    );
    return { packet, name: destination.toHex() };
  }

  link(i: number) {
    return {
      crypto: this.crypto,
      clock: this.clock,
      network: PARAMETERS.network,
      packetLength: GEOMETRY.packetLength,
      staticKeyPair: this.links[i]!,
    };
  }

  async serve(
    more: Partial<MixServerOptions> = {},
  ): Promise<{ server: MixServer; sink: LinkListeners }> {
    const [first, second] = await Promise.all(
      [0, 1].map((i) =>
        this.network.transport(`node${i}`).listen(`memory://node${i}`)
      ),
    );
    this.keys.advance(this.epoch);
    const sink = new LinkListeners([second!], this.link(1));
    void this.#keep(sink);
    const server = new MixServer({
      ...this.link(0),
      random: this.random,
      id: this.ids[0]!,
      linkKeyPair: this.links[0]!,
      keys: this.keys,
      directory: this,
      parameters: PARAMETERS,
      isGateway: false,
      pool: new LocalUnwrapPool(this.crypto),
      store: memoryStore(),
      listeners: [first!],
      dial: (address, signal) =>
        this.network.transport("node0").dial(address, { signal }),
      log: silentLogger,
      ...more,
    });
    return { server, sink };
  }

  async dial(i: number): Promise<MixLink> {
    const dialing = this.network.transport(`node${i}`).dial("memory://node0")
      .then((connection) =>
        dialLink(connection, {
          ...this.link(i),
          remoteStaticKey: this.links[0]!.publicKey,
        })
      );
    await this.clock.run(50);
    return await dialing;
  }

  async #keep(sink: LinkListeners) {
    for await (const link of sink) {
      for await (const frames of link.frames()) {
        for (const frame of frames) {
          if (frame.type !== "packet") continue;
          const out = unwrapPacket(
            this.crypto,
            GEOMETRY,
            this.sinkKey,
            frame.packet,
          );
          if (out.kind === "final") this.got.push(out.destination.toHex());
        }
      }
    }
  }
}

Deno.test("a peer that floods a node with replays and noise takes nothing from another, and fills no memory", async () => {
  const line = new Line();
  const { server, sink } = await line.serve();
  const [good, bad] = [await line.dial(2), await line.dial(3)];
  const { epoch } = line;
  const first = line.packet();
  const noise = Array.from({ length: 13 }, () => ({
    type: "packet" as const,
    epoch,
    packet: line.crypto.random(GEOMETRY.packetLength),
  }));
  const replays = noise.map((frame) => ({ ...frame, packet: first.packet }));
  let flooded = 0;
  let isOver = false;
  const flooding = (async () => {
    while (!isOver && flooded < 3_000) {
      await bad.send([...replays, ...noise]);
      flooded += 26;
    }
  })();
  const wanted = [first.name];
  for (let i = 0; i < 60; i++) {
    const { packet, name } = line.packet();
    wanted.push(name);
    await good.send([{ type: "packet", epoch, packet }]);
    await line.clock.run(10);
    const { counts } = server.node;
    assertEquals(imbalance(counts), 0);
    assert(counts.unwrapping <= 2 * 64, `${counts.unwrapping}`);
    assert(counts.pooled <= wanted.length, `${counts.pooled}`);
  }
  isOver = true;
  await line.clock.run(500);
  await flooding;
  await line.clock.run(500);
  assertEquals(line.got.toSorted(), wanted.toSorted());
  const { counts } = server.node;
  assert(flooded > 1_000, `${flooded}`);
  assertEquals(counts.received, flooded + 60);
  assertEquals(counts.dropped.replayed, flooded / 2 - 1);
  assertEquals(counts.dropped.mac, flooded / 2);
  assertEquals(server.egress.stats.sent, wanted.length);
  const ending = server.drain(1_000);
  await line.clock.run(5_000);
  await ending;
  await sink[Symbol.asyncDispose]();
  await line.clock.run(5_000);
});

Deno.test("a peer sends no faster than peerRate, whatever others send", async () => {
  const line = new Line();
  const peerRate = { framesPerSecond: 100, burstFrames: 200 };
  const { server, sink } = await line.serve({ peerRate });
  const [good, bad] = [await line.dial(2), await line.dial(3)];
  const { epoch } = line;
  const packet = line.crypto.random(GEOMETRY.packetLength);
  const noise = Array.from(
    { length: 26 },
    () => ({ type: "packet" as const, epoch, packet }),
  );
  const flooding = (async () => {
    for (;;) await bad.send(noise);
  })().catch(() => {});
  const wanted: string[] = [];
  for (let i = 0; i < 60; i++) {
    const { packet, name } = line.packet();
    wanted.push(name);
    await good.send([{ type: "packet", epoch, packet }]);
    await line.clock.run(50);
  }
  await line.clock.run(500);
  assertEquals(line.got.toSorted(), wanted.toSorted());
  const flooded = server.node.counts.received - wanted.length;
  assert(flooded >= 450 && flooded <= 550 + 2 * 26, `${flooded}`);
  assert(server.links.stats.slowed > 0);
  bad.close();
  await flooding;
  const ending = server.drain(1_000);
  await line.clock.run(5_000);
  await ending;
  await sink[Symbol.asyncDispose]();
  await line.clock.run(5_000);
});

Deno.test("what a node handed on is at its links: sent, dropped or waiting, through its drain too", async () => {
  const line = new Line();
  const { server, sink } = await line.serve();
  const good = await line.dial(2);
  const { epoch } = line;
  const lateAfter = sink[Symbol.asyncDispose]();
  await line.clock.run(1_000);
  await lateAfter;
  for (let i = 0; i < 20; i++) {
    const { packet } = line.packet();
    await good.send([{ type: "packet", epoch, packet }]);
    await line.clock.run(10);
  }
  const ending = server.drain(50);
  await line.clock.run(5_000);
  await ending;
  const { counts } = server.node;
  const { sent, queued, dropped } = server.egress.stats;
  const lost = Object.values(dropped).reduce((a, b) => a + b);
  assertEquals(imbalance(counts), 0);
  assertEquals([counts.received, counts.pooled, queued], [20, 0, 0]);
  assertEquals(counts.forwarded + counts.dropped.egress, sent + lost);
  assert(counts.dropped.drain + lost > 0);
  await line.clock.run(20_000);
});
