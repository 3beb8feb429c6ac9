import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import {
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../../../src/core/crypto/mod.ts";
import {
  type Connection,
  type Listener,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";
import { dialLink } from "../../../src/mixnet/link/dial_link.ts";
import { PADDING } from "../../../src/mixnet/link/link_frame.ts";
import {
  LinkListeners,
  type LinkListenersOptions,
} from "../../../src/mixnet/link/link_listeners.ts";
import type { MixLink } from "../../../src/mixnet/link/mix_link.ts";
import {
  ACCEPT_OPTIONS,
  DIAL_OPTIONS,
  packetFrame,
  take,
} from "./_link_pair.ts";

/** A node that listens at two addresses, and peers that dial it. */
class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly #dialed: Connection[] = [];
  #links!: LinkListeners;

  static async start(
    options: Partial<LinkListenersOptions> = {},
  ): Promise<World> {
    const world = new World();
    const listeners: Listener[] = [];
    for (const address of ["memory://node:1", "memory://node:2"]) {
      listeners.push(await world.network.transport("node").listen(address));
    }
    world.#links = new LinkListeners(listeners, {
      ...ACCEPT_OPTIONS,
      clock: world.clock,
      ...options,
    });
    return world;
  }

  get links(): LinkListeners {
    return this.#links;
  }

  async connect(host: string, port = 1): Promise<Connection> {
    const dialing = this.network.transport(host).dial(`memory://node:${port}`);
    await this.clock.run(0);
    const connection = await dialing;
    this.#dialed.push(connection);
    return connection;
  }

  async dial(
    host: string,
    staticKeyPair: X25519KeyPair = generateX25519(nodeProvider),
    port = 1,
  ): Promise<MixLink> {
    const dialing = dialLink(await this.connect(host, port), {
      ...DIAL_OPTIONS,
      staticKeyPair,
      clock: this.clock,
    });
    await Promise.allSettled([dialing, this.clock.run(0)]);
    await this.clock.run(0);
    return await dialing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#dialed) connection.close();
    await Promise.all([this.#links[Symbol.asyncDispose](), this.clock.run(0)]);
    assertEquals(this.#links.stats.links, 0);
    assertEquals(this.#links.stats.pending, 0);
  }
}

Deno.test("LinkListeners gives the links that peers make at any of its addresses", async () => {
  await using world = await World.start();
  const accepted = world.links[Symbol.asyncIterator]();
  for (const port of [1, 2]) {
    const link = await world.dial("a", generateX25519(nodeProvider), port);
    const { value } = await accepted.next();
    const [, , got] = await Promise.all([
      link.send([packetFrame(port)]),
      world.clock.run(0),
      take(value.frames(), 1),
    ]);
    assertEquals(got, [packetFrame(port)]);
  }
  const { accepted: made, refused } = world.links.stats;
  assertEquals([made, refused], [2, {}]);
});

Deno.test("LinkListeners gives a slow handshake its time, and no more", async () => {
  await using world = await World.start({
    handshakeTimeoutMs: 1_000,
    maxPending: 3,
    maxPendingPerNetwork: 2,
  });
  for (const host of ["a", "a", "a", "b", "c"]) await world.connect(host);
  await world.clock.run(999);
  assertEquals(world.links.stats.pending, 3);
  assertEquals(world.links.stats.refused, { pending_network: 1, pending: 1 });
  await world.clock.run(1);
  assertEquals(world.links.stats.refused.timeout, 3);
  await world.dial("a");
  assertEquals(world.links.stats.accepted, 1);
});

Deno.test("LinkListeners has a bound for links, and for those of one network", async () => {
  await using world = await World.start({
    maxLinks: 3,
    maxLinksPerNetwork: 2,
  });
  for (const host of ["a", "a", "b"]) await world.dial(host);
  await assertRejects(() => world.dial("a"));
  assertEquals(world.links.stats.refused, { links: 1 });
  for await (const link of world.links) {
    if (!link.remoteAddress.includes("b")) continue;
    link.close();
    break;
  }
  await world.clock.run(0);
  await assertRejects(() => world.dial("a"));
  await world.dial("b");
  assertEquals(world.links.stats.refused, { links: 1, links_network: 1 });
  assertEquals(world.links.stats.links, 3);
});

Deno.test("LinkListeners counts whom we do not want, and what is no handshake", async () => {
  const wanted = generateX25519(nodeProvider);
  await using world = await World.start({
    isAllowed: (key) => key.every((byte, i) => byte === wanted.publicKey[i]),
  });
  await world.dial("a", wanted);
  await world.dial("a");
  const garbage = await world.connect("a");
  await garbage.write(new Uint8Array(10_000));
  const short = await world.connect("a");
  await short.write(new Uint8Array(10));
  await short.closeWrite();
  await (await world.connect("a")).closeWrite();
  await world.clock.run(0);
  const { refused, accepted } = world.links.stats;
  assertEquals(accepted, 1);
  assertEquals(refused, {
    refused: 1,
    unauthenticated: 1,
    truncated: 1,
    disconnected: 1,
  });
});

Deno.test("LinkListeners closes the older of two links of one key", async () => {
  await using world = await World.start();
  const key = generateX25519(nodeProvider);
  await world.dial("a", key);
  await world.dial("b", key);
  const accepted = world.links[Symbol.asyncIterator]();
  const [older, newer] = [await accepted.next(), await accepted.next()];
  assert(!older.value.isOpen && newer.value.isOpen);
  assertEquals(world.links.stats.replaced, 1);
  assertEquals(world.links.stats.links, 1);
});

Deno.test("LinkListeners slows a flooding peer, and no other", async () => {
  await using world = await World.start({
    keyRate: { framesPerSecond: 100, burstFrames: 50 },
  });
  const [flooder, other] = [await world.dial("a"), await world.dial("b")];
  const accepted = world.links[Symbol.asyncIterator]();
  const counts = [0, 0];
  for (let i = 0; i < 2; i++) {
    const { value } = await accepted.next();
    void (async () => {
      for await (const batch of value.frames()) counts[i]! += batch.length;
    })();
  }
  let sent = 0;
  const flooding = (async () => {
    while (flooder.isOpen) {
      await flooder.send([packetFrame(1), packetFrame(2)]);
      sent += 2;
    }
  })().catch(() => {});
  for (let i = 0; i < 100; i++) {
    await Promise.all([other.send([packetFrame(3)]), world.clock.run(100)]);
  }
  assertEquals(counts[1], 100);
  assert(counts[0]! >= 1_000 && counts[0]! <= 1_150, `${counts[0]} frames`);
  assert(sent < counts[0]! + 300, `${sent} were taken off its hands`);
  assert(world.links.stats.slowed > 10);
  flooder.close();
  await flooding;
});

Deno.test("LinkListeners counts links that fail", async () => {
  await using world = await World.start({ idleTimeoutMs: 1_000 });
  const link = await world.dial("a");
  await link.send([PADDING]);
  const { value } = await world.links[Symbol.asyncIterator]().next();
  const reading = Array.fromAsync(value.frames());
  await world.clock.run(1_001);
  assertEquals(await reading, []);
  assertEquals(world.links.stats.failed, { timeout: 1 });
});

Deno.test("LinkListeners closes links that nobody takes beyond its backlog", async () => {
  await using world = await World.start();
  for (let i = 0; i < 129; i++) await world.dial("a");
  assertEquals(world.links.stats.refused, { backlog: 1 });
  assertEquals(world.links.stats.accepted, 128);
});

Deno.test("LinkListeners.stop() ends handshakes, and leaves links that were taken", async () => {
  await using world = await World.start();
  const link = await world.dial("a");
  const accepted = world.links[Symbol.asyncIterator]();
  const { value: taken } = await accepted.next();
  await world.dial("a");
  await world.connect("a");
  await world.clock.run(0);
  world.links.stop();
  await world.clock.run(0);
  assertEquals(world.links.stats.refused, { stopped: 1 });
  assertEquals(world.links.stats.links, 1);
  assertEquals((await accepted.next()).done, true);
  const [, , got] = await Promise.all([
    link.send([packetFrame(1)]),
    world.clock.run(0),
    take(taken.frames(), 1),
  ]);
  assertEquals(got, [packetFrame(1)]);
});
