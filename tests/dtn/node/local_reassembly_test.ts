import { assert, assertEquals, assertRejects } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore, sqliteStore } from "../../../src/core/storage/mod.ts";
import {
  type Bundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import { bundleId } from "../../../src/dtn/bundle/bundle_id.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import {
  encodeHopCount,
  hopCountOf,
} from "../../../src/dtn/bundle/extension_blocks.ts";
import { fragmentBundle } from "../../../src/dtn/bundle/fragment.ts";
import { DtnNodeError } from "../../../src/dtn/node/error.ts";
import { staticRouter } from "../../../src/dtn/routing/static_router.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { makeFolder } from "../../cli/_htx_process.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";
import { policy } from "./_secured.ts";

const LETTER = Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n");

/** A bundle from `dtn://a/app` for `dtn://c/in`. */
function letter(world: DtnWorld, sequence = 0, lifetimeMs = 60_000): Bundle {
  return createBundle({
    source: eid("dtn://a/app"),
    destination: eid("dtn://c/in"),
    creation: { timeMs: world.clock.wallTime() - 946_684_800_000, sequence },
    lifetimeMs,
    extensions: [{
      type: BLOCK_TYPE.hopCount,
      data: encodeHopCount({ limit: 9, count: 0 }),
    }],
    payload: text(LETTER),
  });
}

type WorldNode = Awaited<ReturnType<DtnWorld["node"]>>;

async function insert(
  world: DtnWorld,
  node: WorldNode,
  bundles: readonly Bundle[],
): Promise<void> {
  for (const bundle of bundles) await world.settle(node.insert(bundle));
}

Deno.test("fragments cross a node as bundles, and are given to the application as one, once", async () => {
  await using world = new DtnWorld();
  const b = await world.node("b");
  const c = await world.node("c");
  const fragments = fragmentBundle(letter(world), 200);
  assert(fragments.length > 3);
  await insert(world, b, fragments);
  assertEquals(b.bundles.usage.bundles, fragments.length);
  const got: Bundle[] = [];
  using inbox = c.register(eid("dtn://c/in"));
  void (async () => {
    for await (const { bundle, accept } of inbox) {
      got.push(bundle);
      accept();
    }
  })();
  b.connect(b.layer, "memory://c");
  await world.until(() => got.length > 0);
  await world.clock.run(2_000);
  assertEquals(got.length, 1);
  assertEquals(payloadOf(got[0]!), text(LETTER));
  assertEquals(got[0]!.primary.fragment, undefined);
  assertEquals(hopCountOf(got[0]!), { limit: 9, count: 1 });
  assertEquals([b.bundles.usage.bundles, c.bundles.usage.bundles], [0, 0]);
  const { stored, reassembled, delivered } = c.counts;
  assertEquals([stored, reassembled, delivered], [fragments.length, 1, 1]);
});

Deno.test("fragments that were stored outlive the node: the rest makes them whole", async () => {
  await using world = new DtnWorld();
  await using folder = await makeFolder();
  const open = () => sqliteStore(`${folder.path}/bundles.sqlite`);
  const whole = letter(world);
  const fragments = fragmentBundle(whole, 200);
  for (const [i, fragment] of fragments.toReversed().entries()) {
    // The bundle store does not get to commit at its end.
    using kept = open();
    const c = await world.node(`c${i}`, { nodeId: eid("dtn://c/") }, kept);
    await insert(world, c, [fragment]);
    const isLast = i === fragments.length - 1;
    assertEquals(c.bundles.usage.bundles, isLast ? 1 : i + 1);
    assertEquals(c.bundles.knows(bundleId(whole)), isLast);
    assertEquals(
      c.next(eid("dtn://c/in"))?.id,
      isLast ? bundleId(whole) : undefined,
    );
    await world.settle(c[Symbol.asyncDispose]());
  }
  using kept = open();
  const c = await world.node("c", {}, kept);
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  for (const fragment of fragments) {
    const error = await assertRejects(
      () => world.settle(c.insert(fragment)),
      DtnNodeError,
    );
    assertEquals(error.code, "known");
  }
  await world.clock.run(1_000);
  assertEquals(got, [LETTER]);
  assertEquals(c.bundles.usage.bundles, 0);
});

Deno.test("what was stored whole in pieces, and not put together before the end, is when an application asks", async () => {
  await using world = new DtnWorld();
  const kept = memoryStore();
  const { clock } = world;
  const first = new BundleStore({ store: kept, crypto: nodeProvider, clock });
  const fragments = fragmentBundle(letter(world), 200);
  for (const fragment of fragments) {
    const bytes = encodeBundle(fragment);
    const nowMs = clock.wallTime();
    await world.settle(first.put({
      id: bundleId(fragment),
      source: "dtn://a/app",
      destination: "dtn://c/in",
      size: bytes.length,
      priority: 1,
      receivedMs: nowMs,
      expiresMs: nowMs + 60_000,
    }, bytes));
  }
  const c = await world.node("c", {}, kept);
  assertEquals(c.next(eid("dtn://c/in")), undefined); // it has begun to look
  await world.until(() => c.counts.reassembled === 1);
  const delivery = c.next(eid("dtn://c/in"))!;
  assertEquals(payloadOf(delivery.bundle), text(LETTER));
  delivery.accept();
  assertEquals(c.bundles.usage.bundles, 0);
});

Deno.test("a whole bundle makes its fragments needless, and fragments that come after it are known", async () => {
  await using world = new DtnWorld();
  const c = await world.node("c");
  const whole = letter(world);
  const [first, ...others] = fragmentBundle(whole, 200);
  await insert(world, c, [first!, whole]);
  assertEquals(c.bundles.usage.bundles, 1);
  await assertRejects(() => world.settle(c.insert(others[0]!)), DtnNodeError);
  assertEquals(c.counts.dropped.known, 2);
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  assertEquals(got, [LETTER]);
});

Deno.test("fragments that overlap, cut in several ways, make one bundle; what contradicts those before it is dropped", async () => {
  await using world = new DtnWorld();
  const c = await world.node("c");
  const whole = letter(world);
  const [coarse, fine] = [300, 180].map((max) => fragmentBundle(whole, max));
  const forged = {
    primary: fine![1]!.primary,
    blocks: fine![1]!.blocks.map((block) => ({
      ...block,
      data: block.data.map((byte) => byte ^ 1),
    })),
  };
  await insert(world, c, [...fine!.filter((_, i) => i !== 1 && i % 2 === 1)]);
  await insert(world, c, coarse!.slice(0, -1));
  await insert(world, c, [forged]);
  assertEquals(c.counts.reassembled, 0);
  await insert(world, c, coarse!.slice(-1));
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  assertEquals(got, [LETTER]);
  assertEquals(c.bundles.usage.bundles, 0);
  assertEquals(c.counts.dropped.fragment_conflict, 1);
});

Deno.test("fragments that contradict each other wait for another with what is missing", async () => {
  await using world = new DtnWorld();
  const c = await world.node("c");
  const whole = letter(world);
  const [one, two, ...others] = fragmentBundle(whole, 200);
  const shifted = { // says other bytes of the first piece, and all of the second
    primary: {
      ...one!.primary,
      fragment: { ...one!.primary.fragment!, offset: 1 },
    },
    blocks: one!.blocks.with(-1, {
      ...one!.blocks.at(-1)!,
      data: new Uint8Array(
        payloadOf(one!).length + payloadOf(two!).length - 1,
      ),
    }),
  };
  await insert(world, c, [one!, shifted, ...others]);
  assertEquals([c.counts.reassembled, c.counts.dropped.fragment_conflict], [
    0,
    1,
  ]);
  await insert(world, c, [two!]);
  assertEquals(c.counts.reassembled, 1);
});

Deno.test("fragments go when their lifetime is over, and so does what is known of them", async () => {
  await using world = new DtnWorld();
  const c = await world.node("c");
  const [first, ...others] = fragmentBundle(letter(world, 0, 5_000), 200);
  await insert(world, c, [first!]);
  await world.clock.run(7_000);
  assertEquals([c.bundles.usage.bundles, c.counts.dropped.expired], [0, 1]);
  const again = fragmentBundle(letter(world, 0), 200);
  await insert(world, c, again.slice(1));
  assertEquals(c.counts.reassembled, 0);
  const error = await assertRejects(
    () => world.settle(c.insert(others[0]!)),
    DtnNodeError,
  );
  assertEquals(error.code, "expired");
});

Deno.test("what is signed and encrypted in pieces is checked when it is whole; one bit less, and nothing of it stays", async () => {
  await using world = new DtnWorld();
  const services = ["integrity", "confidentiality"] as const;
  const rules = (role: "source" | "acceptor") =>
    services.map((service) => ({ role, service, to: "dtn://c/in" }));
  const c = await world.node("c", {
    security: policy("c", rules("acceptor")),
  });
  const sender = policy("a", rules("source"));
  const good = fragmentBundle(sender.protect(letter(world)), 300);
  const bad = fragmentBundle(sender.protect(letter(world, 1)), 300);
  const last = bad.at(-1)!;
  const flipped = {
    ...last,
    blocks: last.blocks.with(-1, {
      ...last.blocks.at(-1)!,
      data: payloadOf(last).map((byte, i) => i === 0 ? byte ^ 1 : byte),
    }),
  };
  await insert(world, c, [...good, ...bad.slice(0, -1), flipped]);
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  await world.clock.run(1_000);
  assertEquals(got, [LETTER]);
  assertEquals(c.counts.dropped.security_failed, 1);
  assertEquals(c.bundles.usage.bundles, 0);
});

Deno.test("what is encrypted here goes in fragments to a node that takes no more at once, and is whole there", async () => {
  await using world = new DtnWorld();
  const service = "confidentiality" as const;
  const to = "dtn://c/in";
  const a = await world.node("a", {
    allowsPlaintext: () => false,
    security: policy("a", [{ role: "source", service, to }]),
  });
  const c = await world.node("c", {
    security: policy("c", [{ role: "acceptor", service, to }]),
  });
  const small = new TcpclLayer({
    nodeId: "dtn://c/",
    transport: world.network.transport("small"),
    clock: world.clock,
    transferMruBytes: 2_000,
  });
  c.serve(await small.listen("memory://small"));
  a.connect(a.layer, "memory://small");
  const got = world.texts(c.register(eid(to)));
  const long = LETTER.repeat(40);
  await world.settle(a.send({ destination: eid(to), payload: text(long) }));
  await world.until(() => got.length > 0);
  await world.clock.run(2_000);
  assertEquals(got, [long]);
  assert(c.counts.stored > 10);
  assertEquals([a.bundles.usage.bundles, c.bundles.usage.bundles], [0, 0]);
});

Deno.test("a store that is full of fragments has room for the whole", async () => {
  await using world = new DtnWorld();
  const fragments = fragmentBundle(letter(world), 200);
  const store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
    clock: world.clock,
    limits: { maxBundles: fragments.length, shares: [1, 1, 1] },
  });
  const c = await world.node("c", { store, router: staticRouter([]) });
  await insert(world, c, fragments);
  assertEquals([c.counts.reassembled, store.usage.bundles], [1, 1]);
});

Deno.test("a payload too long to be put together is refused at its first fragment", async () => {
  await using world = new DtnWorld();
  const c = await world.node("c");
  const [first] = fragmentBundle(letter(world), 200);
  const huge = {
    ...first!,
    primary: {
      ...first!.primary,
      fragment: { offset: 0, totalLength: 100 * 1024 ** 3 },
    },
  };
  const error = await assertRejects(
    () => world.settle(c.insert(huge)),
    DtnNodeError,
  );
  assertEquals(error.code, "too_large");
  assertEquals([c.bundles.usage.bundles, c.counts.dropped.too_large], [0, 1]);
});
