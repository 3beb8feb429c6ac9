import { assert, assertEquals } from "@std/assert";
import { nodeProvider, Secret } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { encryptBlocks } from "../../../src/dtn/bpsec/confidentiality.ts";
import {
  type Bundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import {
  bundleAgeOf,
  encodeBundleAge,
  encodeHopCount,
  hopCountOf,
  previousNodeOf,
} from "../../../src/dtn/bundle/extension_blocks.ts";
import { Reassembly } from "../../../src/dtn/bundle/reassembly.ts";
import { encryptionOf } from "../../../src/dtn/guard/plaintext_guard.ts";
import {
  parseStaticRoutes,
  staticRouter,
} from "../../../src/dtn/routing/static_router.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { copiesOf } from "../../../src/dtn/node/outgoing_bundle.ts";
import { sprayRouter } from "../../../src/dtn/routing/spray_router.ts";
import { DtnWorld, eid } from "./_dtn_world.ts";
import {
  listenerOf,
  MadeContact,
  type MadeContactOptions,
} from "./_made_contact.ts";

const PEER = "dtn://peer/";
const routes = () => staticRouter(parseStaticRoutes(`1 * * ${PEER}`));
const LARGE = Uint8Array.from({ length: 50_000 }, (_, i) => i % 251);

function contactIn(
  world: DtnWorld,
  options: Partial<MadeContactOptions> = {},
): MadeContact {
  return new MadeContact({
    ...{ peerNodeId: PEER, clock: world.clock, maxBundleBytes: 2_000 },
    ...options,
  });
}

/** A bundle of a source without a clock, with an age and hops. */
function bundleOf(payload: Uint8Array, flags = 0): Bundle {
  return createBundle({
    ...{ source: eid("dtn://a/out"), destination: eid("dtn://far/in") },
    creation: { timeMs: 0, sequence: 7 },
    ...{ lifetimeMs: 3_600_000, flags, payload },
    extensions: [
      { type: BLOCK_TYPE.bundleAge, data: encodeBundleAge(5) },
      {
        type: BLOCK_TYPE.hopCount,
        data: encodeHopCount({ limit: 9, count: 2 }),
      },
    ],
  });
}

function encrypted(): Bundle {
  return encryptBlocks(nodeProvider, bundleOf(LARGE), {
    source: eid("dtn://a/"),
    targets: [1],
    key: new Secret(new Uint8Array(32)),
  });
}

/** `bundle` whose BCB does not say that it goes into every fragment. */
function notReplicated({ primary, blocks }: Bundle): Bundle {
  return {
    primary,
    blocks: blocks.map((block) =>
      block.type === BLOCK_TYPE.confidentiality ? { ...block, flags: 0 } : block
    ),
  };
}

/** What fragments make together, which must be one whole. */
function wholeOf(fragments: readonly Bundle[]): Bundle {
  const reassembly = new Reassembly();
  const wholes = fragments.flatMap((fragment) => {
    const outcome = reassembly.add(fragment, 0, 1e9);
    return outcome.kind === "whole" ? [outcome.bundle] : [];
  });
  assertEquals(wholes.length, 1);
  return wholes[0]!;
}

Deno.test("a bundle that a neighbour does not take whole goes in fragments, each with what nodes on its way need", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", { router: routes() });
  const bundle = bundleOf(LARGE);
  await world.settle(node.insert(bundle));
  await world.clock.run(1_000);
  const contact = contactIn(world);
  node.serve(listenerOf(contact));
  await world.until(() => node.bundles.usage.bundles === 0);
  assert(contact.taken.length > 25, `${contact.taken.length}`);
  for (const fragment of contact.taken) {
    assert(encodeBundle(fragment).length <= 2_000);
    assertEquals(`${previousNodeOf(fragment)}`, "dtn://a/");
    assertEquals(hopCountOf(fragment), { limit: 9, count: 2 });
    assert(bundleAgeOf(fragment)! >= 1_005);
  }
  assertEquals(payloadOf(wholeOf(contact.taken)), LARGE);
  const { forwarded, fragments, refused, dropped } = node.counts;
  assertEquals([forwarded, refused, dropped.too_large_for_peer], [1, 0, 0]);
  assertEquals(fragments, contact.taken.length);
});

Deno.test("our copy stays until every fragment is acknowledged, and a next contact gets those that were not", async () => {
  await using world = new DtnWorld();
  const kept = memoryStore();
  const node = await world.node("a", { router: routes() }, kept);
  await world.settle(node.insert(bundleOf(LARGE)));
  // It takes a fragment a second, and is gone after some.
  const first = contactIn(world, { bytesPerSecond: 2_000 });
  node.serve(listenerOf(first));
  await world.until(() => first.taken.length === 5);
  first.close();
  await world.until(() => node.neighbours.length === 0);
  assertEquals([node.bundles.usage.bundles, node.counts.forwarded], [1, 0]);

  // It takes smaller ones.
  const second = contactIn(world, {
    maxBundleBytes: 1_000,
    bytesPerSecond: 2_000,
  });
  node.serve(listenerOf(second));
  await world.until(() => second.taken.length === 20);
  const last = first.taken.at(-1)!;
  assertEquals(
    second.taken[0]!.primary.fragment!.offset,
    last.primary.fragment!.offset + payloadOf(last).length,
  );

  // A node that dies knows nothing of fragments, but has the whole.
  await world.settle(node[Symbol.asyncDispose]());
  const again = await world.node(
    "again",
    { nodeId: eid("dtn://a/"), router: routes() },
    kept,
  );
  assertEquals(again.bundles.usage.bundles, 1);
  const third = contactIn(world);
  again.serve(listenerOf(third));
  await world.until(() => again.bundles.usage.bundles === 0);
  assertEquals(payloadOf(wholeOf(third.taken)), LARGE);
});

Deno.test("a fragment that is refused for want of room is sent again, and those before it are not", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", { router: routes() });
  await world.settle(node.insert(bundleOf(LARGE)));
  const contact = contactIn(world, { bytesPerSecond: 2_000 });
  node.serve(listenerOf(contact));
  await world.until(() => contact.taken.length === 5);
  contact.outcome = { kind: "refused", reason: "noResources" };
  await world.until(() => node.counts.refused > 0);
  assertEquals(node.bundles.usage.bundles, 1);
  contact.outcome = { kind: "acknowledged" };
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(payloadOf(wholeOf(contact.taken)), LARGE);
  const offsets = contact.taken.map(({ primary }) => primary.fragment!.offset);
  assertEquals(offsets, [...new Set(offsets)], "none came twice");
});

Deno.test("what must not be fragmented, or has no room for a payload, is not sent, is counted and stays for others", async () => {
  for (
    const [bundle, maxBundleBytes] of [
      [bundleOf(LARGE, BUNDLE_FLAG.mustNotFragment), 2_000],
      [bundleOf(LARGE), 100], // less than the blocks need
      [bundleOf(LARGE), 130], // a few bytes of the payload in each
      [notReplicated(encrypted()), 2_000], // only the first could be decrypted
    ] as const
  ) {
    await using world = new DtnWorld();
    const node = await world.node("a", { router: routes() });
    await world.settle(node.insert(bundle));
    const small = contactIn(world, { maxBundleBytes });
    node.serve(listenerOf(small));
    await world.until(() => node.counts.dropped.too_large_for_peer === 1);
    await world.clock.run(10_000);
    assertEquals([small.asked, node.counts.dropped.too_large_for_peer], [0, 1]);
    assertEquals(node.bundles.usage.bundles, 1);
    // Another contact with the same neighbour takes it whole.
    const large = contactIn(world, { maxBundleBytes: 100_000 });
    node.serve(listenerOf(large));
    await world.until(() => node.bundles.usage.bundles === 0);
    assertEquals([small.asked, large.taken.length], [0, 1]);
    assertEquals(large.taken[0]!.primary.fragment, undefined);
  }
});

Deno.test("a node that is told not to fragment keeps large bundles for contacts that take them", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", { router: routes(), fragments: false });
  await world.settle(node.insert(bundleOf(LARGE)));
  const small = contactIn(world);
  node.serve(listenerOf(small));
  await world.until(() => node.counts.dropped.too_large_for_peer === 1);
  assertEquals([small.asked, node.bundles.usage.bundles], [0, 1]);
});

Deno.test("of several contacts a large bundle takes the one that takes it whole", async () => {
  await using world = new DtnWorld();
  const [small, large] = [
    contactIn(world),
    contactIn(world, { maxBundleBytes: 100_000 }),
  ];
  const node = await world.node("a", { router: routes() });
  node.serve(listenerOf(large));
  await world.until(() => node.neighbours.length === 1);
  node.serve(listenerOf(small));
  await world.settle(node.insert(bundleOf(LARGE)));
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals([small.asked, large.taken.length], [0, 1]);
});

Deno.test("an encrypted bundle goes as fragments of its ciphertext, each with what decrypts it (RFC 9172 §3.8, §5.2)", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", {
    router: routes(),
    allowsPlaintext: () => false,
  });
  const bundle = encrypted();
  await world.settle(node.insert(bundle));
  const contact = contactIn(world);
  node.serve(listenerOf(contact));
  await world.until(() => node.bundles.usage.bundles === 0);
  for (const fragment of contact.taken) {
    assertEquals(encryptionOf(fragment), "bcb");
  }
  assertEquals(payloadOf(wholeOf(contact.taken)), payloadOf(bundle));
});

Deno.test("each fragment says how many copies the neighbour may make", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", {
    router: sprayRouter({ copies: 8, isBinary: true, store: memoryStore() }),
  });
  await world.settle(node.insert(bundleOf(LARGE)));
  const contact = contactIn(world);
  node.serve(listenerOf(contact));
  await world.until(() => node.counts.forwarded === 1);
  assertEquals([...new Set(contact.taken.map(copiesOf))], [4]);
});

Deno.test("a large bundle crosses a node that takes small ones over TCPCL, and arrives whole and once", async () => {
  await using world = new DtnWorld();
  const [a, b, c] = [
    await world.node("a"),
    await world.node("b"),
    await world.node("c"),
  ];
  const narrow = new TcpclLayer({
    ...{ nodeId: "dtn://b/", transferMruBytes: 4_000 },
    transport: world.network.transport("narrow"),
    clock: world.clock,
  });
  b.serve(await narrow.listen("memory://narrow"));
  a.connect(a.layer, "memory://narrow");
  b.connect(b.layer, "memory://c");
  const got: Uint8Array[] = [];
  void (async () => {
    for await (const { bundle, accept } of c.register(eid("dtn://c/in"))) {
      got.push(payloadOf(bundle));
      accept();
    }
  })();
  const payload = LARGE;
  await world.settle(a.send({ destination: eid("dtn://c/in"), payload }));
  await world.until(() => got.length > 0);
  await world.clock.run(5_000);
  assertEquals(got.length, 1);
  assertEquals(got[0], LARGE);
  assert(a.counts.fragments >= 13, `${a.counts.fragments}`);
  assertEquals([a.counts.dropped.too_large_for_peer, c.counts.delivered], [
    0,
    1,
  ]);
});
