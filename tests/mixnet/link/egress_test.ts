import { assert, assertEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  type Listener,
  MemoryNetwork,
} from "../../../src/core/transport/mod.ts";
import { acceptLink } from "../../../src/mixnet/link/dial_link.ts";
import { Egress, type EgressOptions } from "../../../src/mixnet/link/egress.ts";
import type { MixLink } from "../../../src/mixnet/link/mix_link.ts";
import {
  ACCEPT_OPTIONS,
  ACCEPTOR,
  DIAL_OPTIONS,
  packetFrame,
} from "./_link_pair.ts";

const NODE: Bytes = new Uint8Array(32).fill(1);
const STRANGER: Bytes = new Uint8Array(32).fill(2);

/** A clock, an egress, and a node that it can reach unless it is down. */
class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly egress: Egress;
  /** Epochs of the packets that arrived, which number them. */
  readonly got: number[] = [];
  readonly links: MixLink[] = [];
  readonly dialed: string[] = [];
  #listener: Listener | undefined;
  isKnown = true;

  constructor(options: Partial<EgressOptions> = {}) {
    const { remoteStaticKey: _, ...link } = DIAL_OPTIONS;
    const peer = {
      linkKey: ACCEPTOR.publicKey,
      addresses: ["memory://nowhere", "memory://node"],
    };
    this.egress = new Egress({
      ...link,
      clock: this.clock,
      peer: (id) => id[0] === 1 && this.isKnown ? peer : undefined,
      dial: (address, signal) => {
        this.dialed.push(address);
        return this.network.transport("us").dial(address, { signal });
      },
      random: () => 0.5,
      ...options,
    });
  }

  async up(): Promise<void> {
    this.#listener = await this.network.transport("node").listen(
      "memory://node",
    );
    void this.#accept(this.#listener);
  }

  /** The node stops: no listener, no link. */
  down(): void {
    this.#listener?.close();
    for (const link of this.links) link.close();
  }

  offer(from: number, to: number): boolean[] {
    const results = [];
    for (let n = from; n < to; n++) {
      results.push(this.egress.offer(NODE, n, packetFrame(n).packet));
    }
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down();
    await Promise.all([this.egress.close(), this.clock.run(2_000)]);
  }

  async #accept(listener: Listener): Promise<void> {
    for await (const connection of listener) void this.#serve(connection);
  }

  async #serve(connection: Connection): Promise<void> {
    const { clock } = this;
    const link = await acceptLink(connection, { ...ACCEPT_OPTIONS, clock });
    this.links.push(link);
    for await (const batch of link.frames()) {
      for (const frame of batch) {
        if (frame.type === "packet") this.got.push(frame.epoch);
      }
    }
  }
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, n) => n);
}

Deno.test("Egress sends what is offered, over one link that it dials at the next address", async () => {
  await using world = new World();
  await world.up();
  assertEquals(world.offer(0, 100), new Array(100).fill(true));
  await world.clock.run(10);
  world.offer(100, 200);
  await world.egress.drain();
  await world.clock.run(10);
  assertEquals(world.got, range(200));
  assertEquals(world.dialed, ["memory://nowhere", "memory://node"]);
  const { sent, queued, links, failedDials } = world.egress.stats;
  assertEquals([sent, queued, links, failedDials], [200, 0, 1, 1]);
});

Deno.test("Egress keeps packets while a peer is down, and drops the newest when full", async () => {
  await using world = new World({ maxQueuedPackets: 3 });
  assertEquals(world.offer(0, 5), [true, true, true, false, false]);
  await world.clock.run(5_000);
  assertEquals(world.egress.stats.queued, 3);
  await world.up();
  await world.clock.run(10_000);
  assertEquals(world.got, [0, 1, 2]);
  assertEquals(world.egress.stats.dropped.full, 2);
  assertEquals(world.egress.stats.sent, 3);
});

Deno.test("Egress drops packets that waited too long, and pauses longer and longer", async () => {
  await using world = new World({ maxAgeMs: 2_000 });
  world.offer(0, 4);
  await world.clock.run(6_000);
  // pauses of 50, 100, 200, 400, 800 and 1,600 ms, two addresses each time
  assertEquals(world.egress.stats.failedDials, 12);
  const { dropped, queued, peers } = world.egress.stats;
  assertEquals([dropped.expired, queued, peers], [4, 0, 0]);
});

Deno.test("Egress dials again when a link breaks, and accounts for every packet", async () => {
  await using world = new World();
  await world.up();
  for (let n = 0; n < 400; n += 20) {
    world.offer(n, n + 20);
    await world.clock.run(50);
    if (n === 100) {
      world.offer(400, 800);
      world.links.at(-1)!.close(); // what is being written is lost
    }
  }
  await Promise.all([world.egress.drain(), world.clock.run(1_000)]);
  const { sent, dropped, links } = world.egress.stats;
  assertEquals(links, 2);
  assertEquals(sent + dropped.lost, 800);
  assertEquals(new Set(world.got).size, world.got.length, "none doubled");
  assert(world.got.length <= sent && world.got.length > 300);
});

Deno.test("Egress counts packets for strangers, and for nodes that leave the directory", async () => {
  await using world = new World();
  assertEquals(world.egress.offer(STRANGER, 1, packetFrame(1).packet), false);
  world.offer(0, 3);
  await world.clock.run(1);
  world.isKnown = false;
  await world.clock.run(1_000);
  const { dropped, queued } = world.egress.stats;
  assertEquals([dropped.unknown_peer, queued], [4, 0]);
});

Deno.test("Egress closes an idle link, and dials when there is work again", async () => {
  await using world = new World({ idleTimeoutMs: 1_000 });
  await world.up();
  world.offer(0, 1);
  await world.clock.run(1_999);
  assertEquals(world.egress.stats.peers, 0);
  assertEquals(await world.links[0]!.closed, undefined);
  world.offer(1, 2);
  await world.clock.run(500);
  assertEquals(world.got, [0, 1]);
  assertEquals(world.egress.stats.links, 2);
});

Deno.test("Egress keeps an idle link with padding where told to", async () => {
  await using world = new World({ keepAliveMs: 1_000 });
  await world.up();
  world.offer(0, 1);
  await world.clock.run(10_500);
  assertEquals(world.egress.stats.padding, 10);
  assertEquals(world.links[0]!.stats.padding, 10);
  assertEquals(world.egress.stats.links, 1);
});

Deno.test("Egress takes no packets of a peer on the link it dialed", async () => {
  await using world = new World();
  await world.up();
  world.offer(0, 1);
  await world.clock.run(10);
  await world.links[0]!.send([packetFrame(1), packetFrame(2)]);
  await world.clock.run(10);
  assertEquals(world.egress.stats.unsolicited, 2);
});

Deno.test("Egress drops what waits when it is closed", async () => {
  await using world = new World();
  world.offer(0, 3);
  await world.clock.run(10);
  await Promise.all([world.egress.close(), world.clock.run(0)]);
  assertEquals(world.offer(3, 4), [false]);
  const { dropped, queued } = world.egress.stats;
  assertEquals([dropped.closed, queued], [4, 0]);
  assertEquals(world.clock.pendingTimers, 0);
});

Deno.test("Egress.offer() refuses a packet of another length", async () => {
  await using world = new World();
  const short = new Uint8Array(5);
  assertThrows(() => world.egress.offer(NODE, 1, short), RangeError);
});
