import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  type Bundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import {
  BUNDLE_FLAG,
  REPORT_FLAGS,
} from "../../../src/dtn/bundle/bundle_flags.ts";
import { BLOCK_FLAG } from "../../../src/dtn/bundle/block_flags.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import {
  createBundle,
  type ExtensionInit,
} from "../../../src/dtn/bundle/create_bundle.ts";
import { encodeHopCount } from "../../../src/dtn/bundle/extension_blocks.ts";
import {
  decodeStatusReport,
  REPORT_REASON,
} from "../../../src/dtn/bundle/status_report.ts";
import { staticRouter } from "../../../src/dtn/routing/static_router.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import type { DtnNode } from "../../../src/dtn/node/dtn_node.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";

/** Collects what a node reports to an endpoint of its own, as `status reason sequence`. */
function reportsAt(node: DtnNode): string[] {
  const seen: string[] = [];
  void (async () => {
    for await (
      const { bundle, accept } of node.register(eid(`${node.nodeId}reports`))
    ) {
      const { statuses, reason, creation } = decodeStatusReport(
        payloadOf(bundle),
      );
      seen.push(`${Object.keys(statuses)} ${reason} ${creation.sequence}`);
      accept();
    }
  })();
  return seen;
}

/** A bundle from afar that asks for every report, to `dtn://a/reports`. */
function asking(
  world: DtnWorld,
  sequence: number,
  {
    from = "dtn://from/app",
    to = "dtn://far/in",
    lifetimeMs = 60_000,
    extensions = [] as ExtensionInit[],
  } = {},
): Bundle {
  return createBundle({
    source: eid(from),
    destination: eid(to),
    reportTo: eid("dtn://a/reports"),
    creation: { timeMs: world.clock.wallTime() - 946_684_800_000, sequence },
    flags: REPORT_FLAGS,
    ...{ lifetimeMs, extensions },
    payload: text("x"),
  });
}

Deno.test("a bundle that ends on reception is reported as received, and as deleted with the reason", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { reports: true });
  const seen = reportsAt(a);
  const x = await world.node("x");
  const contact = await world.settle(x.layer.dial("memory://a"));
  const arrive = async (bundle: Bundle) => {
    assertEquals(await world.settle(contact.send(encodeBundle(bundle))), {
      kind: "acknowledged",
    });
  };
  const { reportUnprocessed, deleteBundle } = BLOCK_FLAG;
  const unknown = { type: 200, data: Uint8Array.of(0) };
  await arrive(asking(world, 1, {
    extensions: [{
      type: BLOCK_TYPE.hopCount,
      data: encodeHopCount({ limit: 3, count: 3 }),
    }],
  }));
  await arrive(asking(world, 2, {
    extensions: [{ ...unknown, flags: deleteBundle }],
  }));
  await arrive(asking(world, 3, {
    extensions: [{ ...unknown, flags: reportUnprocessed }],
  }));
  await arrive(asking(world, 4, { lifetimeMs: 0 }));
  await world.until(() => seen.length === 8);
  await world.clock.run(1_000);
  const { noInformation, hopLimitExceeded, blockUnsupported } = REPORT_REASON;
  assertEquals(
    seen.toSorted(),
    [
      `deleted ${REPORT_REASON.lifetimeExpired} 4`,
      `deleted ${blockUnsupported} 2`,
      `deleted ${hopLimitExceeded} 1`,
      `received ${noInformation} 1`,
      `received ${noInformation} 2`,
      `received ${noInformation} 3`,
      `received ${noInformation} 4`,
      `received ${blockUnsupported} 3`,
    ].sort(),
  );
  contact.close();
});

Deno.test("what is forwarded, expires, is cancelled or gives way is reported, and reports are not", async () => {
  await using world = new DtnWorld();
  const store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
    clock: world.clock,
    limits: { maxBundles: 6, shares: [1, 1, 1] },
    evicts: true,
    onEvicted: (entry) => a.evicted(entry),
  });
  const router = staticRouter([]);
  const a: DtnNode & { layer: typeof b.layer } = await world.node("a", {
    ...{ reports: true, store, router },
  });
  const b = await world.node("b", { router });
  const seen = reportsAt(a);
  const from = "dtn://a/app";
  const insert = (bundle: Bundle) => world.settle(a.insert(bundle));
  await insert(asking(world, 1, { from, to: "dtn://b/in" }));
  await insert(asking(world, 2, { from, lifetimeMs: 5_000 }));
  assertEquals(a.delete(await insert(asking(world, 3, { from }))), true);
  a.connect(a.layer, "memory://b");
  await world.until(() => seen.length === 3);
  assertEquals(
    seen.toSorted(),
    [
      `deleted ${REPORT_REASON.lifetimeExpired} 2`,
      `deleted ${REPORT_REASON.transmissionCanceled} 3`,
      `forwarded ${REPORT_REASON.noInformation} 1`,
    ].sort(),
  );
  for (let i = 10; i < 16; i++) await insert(asking(world, i, { from }));
  assertEquals(store.usage.bundles, 6);
  await world.settle(a.insert(asking(world, 20, { from }), 2));
  await world.clock.run(2_000);
  // Its report finds no room, and makes none: it would push out the next, and that the next.
  assertEquals([a.counts.dropped.evicted, store.usage.bundles], [1, 6]);
  assertEquals(seen.length, 3);
  assertEquals(b.counts.created, 0);
});

Deno.test("a node that sends no reports sends none, and none is sent of reports or to nobody", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const b = await world.node("b", { reports: true });
  await world.settle(a.insert(asking(world, 1, { to: "dtn://a/in" })));
  a.next(eid("dtn://a/in"))!.accept();
  const report = asking(world, 2, { to: "dtn://b/in" });
  for (
    const primary of [
      { ...report.primary, flags: BUNDLE_FLAG.adminRecord },
      { ...report.primary, reportTo: eid("dtn:none") },
    ]
  ) {
    const creation = b.nextTimestamp();
    await world.settle(
      b.insert({ ...report, primary: { ...primary, creation } }),
    );
    b.next(eid("dtn://b/in"))!.accept();
  }
  await world.clock.run(1_000);
  assertEquals([a.counts.created, b.counts.created], [0, 0]);
  assertEquals([a.counts.delivered, b.counts.delivered], [1, 2]);
});

Deno.test("a node sends from its own endpoints, or from none: not as another, nor as a group", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const send = (source: string) =>
    world.settle(a.send({
      source: eid(source),
      destination: eid("dtn://b/in"),
      payload: text("x"),
    }));
  for (const source of ["dtn://b/app", "ipn:1.7", "dtn://a/~group"]) {
    await assertRejects(() => send(source), RangeError, "no endpoint");
  }
  for (const source of ["dtn://a/", "dtn://a/app", "dtn:none"]) {
    await send(source);
  }
  assertEquals(a.bundles.usage.bundles, 3);
  assertThrows(() => a.register(eid("dtn://b/app")), RangeError);
});
