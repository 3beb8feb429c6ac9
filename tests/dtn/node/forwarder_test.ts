import { assert, assertEquals } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { CRC_TYPE } from "../../../src/dtn/bundle/crc.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import type { RefusalReason } from "../../../src/dtn/cla/convergence_layer.ts";
import {
  parseStaticRoutes,
  staticRouter,
} from "../../../src/dtn/routing/static_router.ts";
import { fifoScheduler } from "../../../src/dtn/schedule/ordered_scheduler.ts";
import { bundleId } from "../../../src/dtn/bundle/bundle_id.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";

/** A neighbour that speaks TCPCL and decides by itself what to do with every bundle for `dtn://far/`. */
class Stub {
  /** Texts of what came, again if it came again. */
  readonly came: string[] = [];
  /** What to answer; to take it if absent. */
  refusal: RefusalReason | undefined;
  /** Whether it says nothing to what comes. */
  isSilent = false;
  #close: () => void = () => {};

  static async start(world: DtnWorld, name: string): Promise<Stub> {
    const layer = new TcpclLayer({
      nodeId: `dtn://${name}/`,
      transport: world.network.transport(name),
      clock: world.clock,
    });
    const stub = new Stub();
    void stub.#take(await layer.listen(`memory://${name}`));
    return stub;
  }

  /** Drops the contact, and takes none again. */
  close(): void {
    this.#close();
  }

  async #take(listener: Awaited<ReturnType<TcpclLayer["listen"]>>) {
    for await (const contact of listener) {
      this.#close = () => {
        listener.close();
        contact.close();
      };
      void (async () => {
        for await (const received of contact.received) {
          const bundle = decodeBundle(received.bytes);
          if (!`${bundle.primary.destination}`.startsWith("dtn://far/")) {
            received.accept();
            continue;
          }
          this.came.push(new TextDecoder().decode(payloadOf(bundle)));
          if (this.isSilent) continue;
          if (this.refusal) received.refuse(this.refusal);
          else received.accept();
        }
      })();
    }
  }
}

async function nodeWith(
  world: DtnWorld,
  count: number,
  options: Parameters<DtnWorld["node"]>[1] = {},
  kept = memoryStore(),
) {
  const a = await world.node("a", options, kept);
  const names = Array.from({ length: count }, (_, i) => `${i}`);
  await world.settle(Promise.all(
    names.map((name) =>
      a.send({ destination: eid("dtn://far/in"), payload: text(name) })
    ),
  ));
  return { a, names };
}

Deno.test("a neighbour that refuses everything for good is asked once for each bundle, and hinders no other", async () => {
  for (const refusal of ["notAcceptable", "unknown"] as const) {
    await using world = new DtnWorld();
    const [bad, good] = [
      await Stub.start(world, "bad"),
      await Stub.start(world, "good"),
    ];
    bad.refusal = refusal;
    const { a, names } = await nodeWith(world, 500);
    a.connect(a.layer, "memory://bad");
    a.connect(a.layer, "memory://good");
    await world.until(() => bad.came.length >= 500 && good.came.length >= 500);
    await world.clock.run(10_000);
    assertEquals(bad.came.sort(), names.sort());
    assertEquals(good.came.sort(), names);
    assertEquals(a.counts.refused, 500);
  }
});

Deno.test("a neighbour without room is asked ever more seldom, and gets everything once it has room", async () => {
  await using world = new DtnWorld();
  const full = await Stub.start(world, "full");
  full.refusal = "noResources";
  const { a, names } = await nodeWith(world, 500);
  a.connect(a.layer, "memory://full");
  await world.clock.run(60_000);
  // At once and after 1, 2, 4, 8, 16 and 30 s, 64 each time.
  assert(full.came.length >= 5 * 64 && full.came.length <= 7 * 64);
  assertEquals(a.bundles.usage.bundles, 500);
  full.refusal = undefined;
  full.came.length = 0;
  await world.until(() => full.came.length === 500);
  assertEquals(full.came.sort(), names.sort());
});

Deno.test("a neighbour that never answers leaves room for the bundles of others", async () => {
  await using world = new DtnWorld();
  const [silent, good] = [
    await Stub.start(world, "silent"),
    await Stub.start(world, "good"),
  ];
  silent.isSilent = true;
  const { a, names } = await nodeWith(world, 9_000, {
    scheduler: fifoScheduler({ maxWaiting: 16_384 }),
  });
  a.connect(a.layer, "memory://silent");
  await world.until(() => silent.came.length === 64);
  a.connect(a.layer, "memory://good");
  await world.until(() => good.came.length === 9_000);
  assertEquals(good.came.sort(), names.sort());
  silent.close();
});

Deno.test("bundles that wait for a neighbour go another way when it leaves", async () => {
  await using world = new DtnWorld();
  const [first, second] = [
    await Stub.start(world, "first"),
    await Stub.start(world, "second"),
  ];
  first.isSilent = true;
  const router = staticRouter(
    parseStaticRoutes("1 * * dtn://first/\n2 * * dtn://second/"),
  );
  const { a, names } = await nodeWith(world, 100, { router });
  a.connect(a.layer, "memory://first");
  await world.until(() => first.came.length === 64);
  a.connect(a.layer, "memory://second");
  await world.clock.run(5_000);
  assertEquals(second.came, []);
  first.close();
  await world.until(() => second.came.length === 100);
  assertEquals(second.came.sort(), names.sort());
  await world.until(() => a.bundles.usage.bundles === 0);
});

Deno.test("bundles that have left are deleted together", async () => {
  await using world = new DtnWorld();
  const good = await Stub.start(world, "good");
  const memory = memoryStore();
  let transactions = 0;
  const transaction = memory.transaction.bind(memory);
  memory.transaction = (fn) => {
    transactions++;
    return transaction(fn);
  };
  const router = staticRouter(parseStaticRoutes("1 * * dtn://good/"));
  const { a, names } = await nodeWith(world, 1_000, { router }, memory);
  transactions = 0;
  a.connect(a.layer, "memory://good");
  await world.until(() => a.bundles.usage.bundles === 0);
  assertEquals(good.came.sort(), names.sort());
  assert(transactions < 300, `${transactions} for 1,000 bundles`);
});

Deno.test("a bundle that gave way to one of a higher class waits for nobody, and is counted", async () => {
  await using world = new DtnWorld();
  const silent = await Stub.start(world, "silent");
  silent.isSilent = true;
  const store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
    clock: world.clock,
    limits: { maxBundles: 3, shares: [1, 1, 1] },
    evicts: true,
    onEvicted: (entry) => a.evicted(entry),
  });
  const scheduler = fifoScheduler();
  const { a } = await nodeWith(world, 3, { store, scheduler, maxSending: 1 });
  a.connect(a.layer, "memory://silent");
  await world.until(() => silent.came.length === 1);
  assertEquals(scheduler.size, 2);
  for (const name of ["x", "y"]) {
    await world.settle(a.send({
      destination: eid("dtn://far/in"),
      payload: text(name),
      priority: 2,
    }));
  }
  assertEquals(a.counts.dropped.evicted, 2);
  assertEquals([store.usage.bundles, scheduler.size], [3, 3]);
  silent.close();
});

Deno.test("a bundle that may not go to one neighbour in clear goes to another", async () => {
  await using world = new DtnWorld();
  const [open, closed] = [
    await Stub.start(world, "open"),
    await Stub.start(world, "closed"),
  ];
  const { a, names } = await nodeWith(world, 100, {
    router: staticRouter(
      parseStaticRoutes("1 * * dtn://closed/\n2 * * dtn://open/"),
    ),
    allowsPlaintext: (_, peer) => peer === "dtn://open/",
  });
  a.connect(a.layer, "memory://open");
  a.connect(a.layer, "memory://closed");
  await world.until(() => open.came.length === 100);
  assertEquals(open.came.sort(), names.sort());
  assertEquals(closed.came, []);
});

Deno.test("a node that has become stricter still reads what it has, and damage stops nothing behind it", async () => {
  await using world = new DtnWorld();
  const kept = memoryStore();
  const { clock } = world;
  const store = new BundleStore({ store: kept, crypto: nodeProvider, clock });
  const made = ["quirk", "damage", "whole"].map((name, sequence) =>
    createBundle({
      source: eid("dtn://far/out"),
      destination: eid("dtn://a/in"),
      creation: { timeMs: 1, sequence },
      lifetimeMs: 2 ** 40,
      payload: text(name),
      crcType: CRC_TYPE.none,
    })
  );
  for (const [i, bundle] of made.entries()) {
    const hex = encodeBundle(bundle).toHex();
    const bytes = Uint8Array.fromHex(
      [
        hex.replace(/^9f8807/, "9f881807"), // longer than it needs to be
        hex.slice(0, -2),
        hex,
      ][i]!,
    );
    await world.settle(store.put({
      id: bundleId(bundle),
      source: "dtn://far/out",
      destination: "dtn://a/in",
      size: bytes.length,
      priority: 1,
      expiresMs: 2 ** 42,
      receivedMs: clock.wallTime(),
    }, bytes));
  }
  const a = await world.node("a", {}, kept);
  const got = world.texts(a.register(eid("dtn://a/in")));
  await world.until(() => got.length === 2);
  assertEquals(got, ["quirk", "whole"]);
  assertEquals(a.counts.dropped.malformed, 1);
  assertEquals(a.bundles.usage.bundles, 0);
});
