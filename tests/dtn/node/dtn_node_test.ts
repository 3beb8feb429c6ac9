import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { nodeProvider, Secret } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  type Bundle,
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { BLOCK_FLAG } from "../../../src/dtn/bundle/block_flags.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import {
  createBundle,
  type ExtensionInit,
} from "../../../src/dtn/bundle/create_bundle.ts";
import {
  bundleAgeOf,
  encodeBundleAge,
  hopCountOf,
  previousNodeOf,
} from "../../../src/dtn/bundle/extension_blocks.ts";
import { QUIRKS } from "../../../src/dtn/bundle/quirk.ts";
import { decodeStatusReport } from "../../../src/dtn/bundle/status_report.ts";
import { BundleError } from "../../../src/dtn/bundle/error.ts";
import { encryptBlocks } from "../../../src/dtn/bpsec/confidentiality.ts";
import { DtnNodeError } from "../../../src/dtn/node/error.ts";
import { COPIES_BLOCK_TYPE } from "../../../src/dtn/node/outgoing_bundle.ts";
import { sprayRouter } from "../../../src/dtn/routing/spray_router.ts";
import {
  parseStaticRoutes,
  staticRouter,
} from "../../../src/dtn/routing/static_router.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";

Deno.test("a bundle crosses three nodes, of which it sees each, and arrives once", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const b = await world.node("b");
  const c = await world.node("c");
  a.connect(a.layer, "memory://b");
  b.connect(b.layer, "memory://c");
  using inbox = c.register(eid("dtn://c/in"));
  const seen: string[] = [];
  void (async () => {
    for await (const { bundle, accept } of inbox) {
      const { count } = hopCountOf(bundle)!;
      seen.push(`${previousNodeOf(bundle)} ${count}`);
      seen.push(new TextDecoder().decode(payloadOf(bundle)));
      accept();
    }
  })();
  await world.settle(a.send({
    destination: eid("dtn://c/in"),
    source: eid("dtn://a/app"),
    payload: text("hello"),
  }));
  await world.until(() => seen.length > 0);
  await world.clock.run(5_000);
  assertEquals(seen, ["dtn://b/ 1", "hello"]);
  assertEquals(c.counts.delivered, 1);
  assertEquals(b.counts.dropped.known, 0);
});

Deno.test("a bundle waits for a contact, over a restart of its node, and goes when there is one", async () => {
  await using world = new DtnWorld();
  const kept = memoryStore();
  const first = await world.node("a", {}, kept);
  await world.settle(first.send({
    destination: eid("dtn://c/in"),
    payload: text("later"),
  }));
  await world.settle(first[Symbol.asyncDispose]());
  first.bundles[Symbol.dispose]();
  const again = await world.node("a2", { nodeId: eid("dtn://a/") }, kept);
  assertEquals(again.bundles.usage.bundles, 1);
  again.connect(again.layer, "memory://c");
  await world.clock.run(3_000);
  const c = await world.node("c");
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  assertEquals(got, ["later"]);
  await world.until(() => again.bundles.usage.bundles === 0);
  assert(again.counts.failedDials > 0);
});

Deno.test("what an application has not accepted is given to the next that registers, and an endpoint has one", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const endpoint = eid("dtn://a/in");
  await world.settle(a.send({ destination: endpoint, payload: text("1") }));
  {
    using first = a.register(endpoint);
    assertThrows(() => a.register(endpoint), DtnNodeError, "is taken");
    for await (const { bundle } of first) {
      assertEquals(payloadOf(bundle), text("1"));
      break;
    }
  }
  const got = world.texts(a.register(endpoint));
  await world.until(() => got.length === 1);
  assertEquals(a.counts.delivered, 1);
  assertThrows(() => a.register(eid("dtn://b/in")), RangeError, "no endpoint");
});

Deno.test("a bundle is acknowledged only when it is stored: a neighbour that is full gets it when it has room", async () => {
  await using world = new DtnWorld();
  const store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
    clock: world.clock,
    limits: { maxBundles: 1, shares: [1, 1, 1] },
  });
  const router = staticRouter([]);
  const a = await world.node("a", { router });
  const b = await world.node("b", { store, router });
  a.connect(a.layer, "memory://b");
  for (const n of [1, 2]) {
    await world.settle(a.send({
      destination: eid("dtn://b/in"),
      payload: text(`${n}`),
    }));
  }
  await world.clock.run(3_000);
  assertEquals([a.bundles.usage.bundles, store.usage.bundles], [1, 1]);
  assert(a.counts.refused > 0 && b.counts.dropped.full > 0);
  const got = world.texts(b.register(eid("dtn://b/in")));
  await world.until(() => got.length === 2);
  assertEquals(got, ["1", "2"]);
  assertEquals(a.bundles.usage.bundles, 0);
});

Deno.test("nothing leaves unencrypted unless a policy says so", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", {
    allowsPlaintext: (bundle, peer) =>
      peer === "dtn://b/" && `${bundle.primary.destination}` === "dtn://b/open",
  });
  const b = await world.node("b");
  a.connect(a.layer, "memory://b");
  const open = world.texts(b.register(eid("dtn://b/open")));
  const closed = world.texts(b.register(eid("dtn://b/in")));
  const send = (to: string, payload: Uint8Array) =>
    world.settle(a.send({ destination: eid(to), payload }));
  await send("dtn://b/in", text("secret"));
  await send("dtn://b/open", text("weather"));
  const cose = Uint8Array.of(0xd0, 0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x41, 7);
  await send("dtn://b/in", cose);
  await world.until(() => open.length === 1 && closed.length === 1);
  await world.clock.run(5_000);
  assertEquals(open, ["weather"]);
  assertEquals(closed, [new TextDecoder().decode(cose)]);
  assert(a.counts.dropped.plaintext > 0);
  assertEquals(a.bundles.usage.bundles, 1);
});

Deno.test("a bundle that has had all its hops ends, and so does one that is too old", async () => {
  await using world = new DtnWorld();
  const line = [];
  for (const name of ["a", "b", "c", "d"]) {
    line.push(await world.node(name, { hopLimit: 2 }));
  }
  for (let i = 0; i < 3; i++) {
    line[i]!.connect(line[i]!.layer, `memory://${"bcd"[i]}`);
  }
  const [a, , c] = line;
  await world.settle(a!.send({
    destination: eid("dtn://far/in"),
    payload: text("x"),
    lifetimeMs: 10_000,
  }));
  await world.clock.run(3_000);
  assertEquals(line.map(({ bundles }) => bundles.usage.bundles), [1, 1, 1, 0]);
  assertEquals(line[3]!.counts.dropped.hop_limit, 1);
  await world.clock.run(10_000);
  assertEquals(line.map(({ bundles }) => bundles.usage.bundles), [0, 0, 0, 0]);
  assertEquals(c!.counts.dropped.expired, 1);
});

Deno.test("a bundle of a source without a clock has an age that we can read, which is counted on, or is refused", async () => {
  await using world = new DtnWorld();
  const line = [];
  for (const name of ["a", "b", "c"]) line.push(await world.node(name));
  const [a, b, c] = line;
  const timeless = (extensions: readonly ExtensionInit[]) =>
    createBundle({
      source: eid("dtn://sensor/"),
      destination: eid("dtn://far/in"),
      creation: { timeMs: 0, sequence: 1 },
      lifetimeMs: 30_000,
      extensions,
      payload: text("x"),
    });
  const age = { type: BLOCK_TYPE.bundleAge, data: encodeBundleAge(10_000) };
  const hidden = encryptBlocks(nodeProvider, timeless([age]), {
    source: eid("dtn://sensor/"),
    targets: [2],
    key: new Secret(new Uint8Array(32)),
  });
  for (const bundle of [timeless([]), hidden]) {
    await assertRejects(() => world.settle(a!.insert(bundle)), BundleError);
  }
  const contact = await world.settle(b!.layer.dial("memory://a"));
  const outcome = await world.settle(contact.send(encodeBundle(hidden)));
  assertEquals(outcome, { kind: "refused", reason: "notAcceptable" });
  contact.close();
  const id = await world.settle(a!.insert(timeless([age])));
  await world.clock.run(5_000);
  a!.connect(a!.layer, "memory://b");
  b!.connect(b!.layer, "memory://c");
  await world.until(() => c!.bundles.entry(id) !== undefined);
  const aged = bundleAgeOf(decodeBundle(c!.bundles.bytes(id)!))!;
  assert(aged >= 15_000 && aged < 20_000, `${aged}`);
  await world.clock.run(16_000);
  assertEquals(line.map(({ bundles }) => bundles.usage.bundles), [0, 0, 0]);
});

Deno.test("what a lenient node overlooks in a bundle crosses it, to another and to an application", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { quirks: QUIRKS });
  const b = await world.node("b", { quirks: QUIRKS });
  const strict = await world.node("s");
  const { primary, blocks } = createBundle({
    source: eid("dtn://x/app"),
    destination: eid("dtn://b/in"),
    creation: a.nextTimestamp(),
    lifetimeMs: 60_000,
    payload: text("x"),
  });
  const flags = BUNDLE_FLAG.adminRecord | BUNDLE_FLAG.reportDelivery;
  const bytes = encodeBundle(
    { primary: { ...primary, flags }, blocks },
    { quirks: QUIRKS },
  );
  const x = await world.node("x");
  for (const [to, kind] of [["a", "acknowledged"], ["s", "refused"]] as const) {
    const contact = await world.settle(x.layer.dial(`memory://${to}`));
    assertEquals((await world.settle(contact.send(bytes))).kind, kind);
    contact.close();
  }
  a.connect(a.layer, "memory://b");
  const got = world.texts(b.register(eid("dtn://b/in")));
  await world.until(() => got.length > 0);
  assertEquals(got, ["x"]);
  assertEquals(strict.counts.dropped.malformed, 1);
});

Deno.test("reports go to whom a bundle says, if the nodes send any", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { reports: true });
  const b = await world.node("b", { reports: true });
  a.connect(a.layer, "memory://b");
  using reports = a.register(eid("dtn://a/reports"));
  const got = world.texts(b.register(eid("dtn://b/in")));
  const seen: string[] = [];
  void (async () => {
    for await (const { bundle, accept } of reports) {
      const { statuses } = decodeStatusReport(payloadOf(bundle));
      seen.push(Object.keys(statuses).join());
      accept();
    }
  })();
  await world.settle(a.send({
    destination: eid("dtn://b/in"),
    payload: text("x"),
    reportTo: eid("dtn://a/reports"),
    flags: BUNDLE_FLAG.reportReception | BUNDLE_FLAG.reportDelivery,
  }));
  await world.until(() => seen.length === 2 && got.length === 1);
  assertEquals(seen.sort(), ["delivered", "received"]);
});

Deno.test("what does not decode is refused for good, and hurts nobody", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const b = await world.node("b");
  const contact = await world.settle(b.layer.dial("memory://a"));
  const outcome = await world.settle(contact.send(text("no bundle")));
  assertEquals(outcome, { kind: "refused", reason: "notAcceptable" });
  assertEquals(a.counts.dropped.malformed, 1);
  contact.close();
});

Deno.test("what would never expire, or is at a node that each is for itself, is refused for good", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const b = await world.node("b");
  const contact = await world.settle(b.layer.dial("memory://a"));
  const init = {
    source: eid("dtn://x/out"),
    destination: eid("dtn://y/in"),
    creation: { timeMs: 849_000_000_000, sequence: 0 },
    lifetimeMs: 86_400_000 * 36_500,
    payload: text("x"),
  };
  for (
    const more of [
      { creation: { timeMs: 0, sequence: 1 } },
      { destination: eid("ipn:!.7") },
      { source: eid("ipn:!.7") },
    ]
  ) {
    const bytes = encodeBundle(createBundle({ ...init, ...more }));
    assertEquals(await world.settle(contact.send(bytes)), {
      kind: "refused",
      reason: "notAcceptable",
    });
  }
  assertEquals(a.counts.dropped.malformed, 3);
  const aged = createBundle({
    ...init,
    creation: { timeMs: 0, sequence: 1 },
    extensions: [{ type: BLOCK_TYPE.bundleAge, data: encodeBundleAge(5) }],
  });
  assertEquals(await world.settle(contact.send(encodeBundle(aged))), {
    kind: "acknowledged",
  });
  contact.close();
});

Deno.test("a bundle of others is held to the same rules whichever way it comes", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  let sequence = 0;
  const made = (init: Partial<Parameters<typeof createBundle>[0]>) =>
    createBundle({
      source: eid("dtn://x/out"),
      destination: eid("dtn://y/in"),
      creation: { timeMs: 849_000_000_000, sequence: sequence++ },
      lifetimeMs: 86_400_000 * 36_500,
      payload: text("x"),
      ...init,
    });
  const unknown = (flags: number) => ({
    extensions: [{ type: 200, data: Uint8Array.of(0), flags }],
  });
  const insert = (bundle: Bundle) => world.settle(a.insert(bundle));
  const refused = async (bundle: Bundle) => {
    const error = await assertRejects(() => insert(bundle), DtnNodeError);
    return error.code;
  };
  for (
    const each of [{ destination: eid("ipn:!.7") }, { source: eid("ipn:!.7") }]
  ) {
    await assertRejects(() => insert(made(each)), BundleError);
  }
  const { deleteBundle, discardBlock } = BLOCK_FLAG;
  assertEquals(await refused(made(unknown(deleteBundle))), "unprocessable");
  const routing = { destination: eid("dtn://a/routing/epidemic") };
  assertEquals(await refused(made(routing)), "unprocessable");
  const id = await insert(made(unknown(discardBlock)));
  const { blocks } = decodeBundle(a.bundles.bytes(id)!);
  assertEquals(blocks.map(({ type }) => type), [BLOCK_TYPE.payload]);
  const { malformed, unprocessable, routing: heard } = a.counts.dropped;
  assertEquals([malformed, unprocessable, heard], [2, 1, 1]);
});

Deno.test("only reports of our own are expedited: anyone can say that a bundle is one", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a");
  const classes = [];
  for (const source of ["dtn://x/", "dtn://a/"]) {
    const id = await world.settle(a.insert(createBundle({
      source: eid(source),
      destination: eid("dtn://y/in"),
      creation: a.nextTimestamp(),
      flags: BUNDLE_FLAG.adminRecord,
      lifetimeMs: 60_000,
      payload: text("x"),
    })));
    classes.push(a.bundles.entry(id)?.priority);
  }
  assertEquals(classes, [1, 2]);
});

Deno.test("the copies that a bundle may have are known when a neighbour comes later", async () => {
  await using world = new DtnWorld();
  const spraying = () =>
    sprayRouter({ store: memoryStore(), copies: 1, isBinary: true });
  const a = await world.node("a", { router: spraying() });
  const b = await world.node("b", { router: spraying() });
  const nameless = new TcpclLayer({
    nodeId: "",
    transport: world.network.transport("nameless"),
    clock: world.clock,
  });
  const contact = await world.settle(nameless.dial("memory://a"));
  const bundle = createBundle({
    source: eid("dtn://x/out"),
    destination: eid("dtn://y/in"),
    creation: { timeMs: 849_000_000_000, sequence: 0 },
    lifetimeMs: 86_400_000 * 36_500,
    payload: text("x"),
    extensions: [{ type: COPIES_BLOCK_TYPE, data: Uint8Array.of(8) }],
  });
  await world.settle(contact.send(encodeBundle(bundle)));
  contact.close();
  await world.settle(contact.closed);
  a.connect(a.layer, "memory://b");
  await world.until(() => b.bundles.usage.bundles === 1);
  const [entry] = b.bundles.entries();
  const { blocks } = decodeBundle(b.bundles.bytes(entry!.id)!);
  const copies = blocks.find(({ type }) => type === COPIES_BLOCK_TYPE);
  assertEquals(copies?.data, Uint8Array.of(4));
});

Deno.test("a static route keeps one copy: it leaves when the neighbour has it", async () => {
  await using world = new DtnWorld();
  const router = () => staticRouter(parseStaticRoutes("1 * * dtn://b/"));
  const a = await world.node("a", { router: router() });
  const b = await world.node("b", { router: staticRouter([]) });
  a.connect(a.layer, "memory://b");
  for (let n = 0; n < 100; n++) {
    await world.settle(a.send({
      destination: eid("dtn://c/in"),
      payload: text(`${n}`),
    }));
  }
  await world.until(() => b.bundles.usage.bundles === 100);
  assertEquals(a.bundles.usage.bundles, 0);
  assertEquals(a.counts.forwarded, 100);
});

Deno.test("binary spray tells the neighbour how many copies it may make", async () => {
  await using world = new DtnWorld();
  const spray = (name: string) =>
    world.node(name, {
      router: sprayRouter({ store: memoryStore(), copies: 4, isBinary: true }),
    });
  const a = await spray("a");
  const b = await spray("b");
  const others = [await spray("c"), await spray("d"), await spray("e")];
  a.connect(a.layer, "memory://b");
  await world.settle(a.send({
    destination: eid("dtn://z/in"),
    payload: text("x"),
  }));
  await world.until(() => b.bundles.usage.bundles === 1);
  for (const name of ["c", "d", "e"]) b.connect(b.layer, `memory://${name}`);
  await world.clock.run(5_000);
  const copies = others.map(({ bundles }) => bundles.usage.bundles);
  assertEquals(copies.reduce((sum, n) => sum + n), 1);
});

Deno.test("a contact that ends while bundles are under way loses none, and gives none twice to an application", async () => {
  await using world = new DtnWorld();
  const router = staticRouter([]);
  const a = await world.node("a", { router });
  const b = await world.node("b", { router });
  const got = world.texts(b.register(eid("dtn://b/in")));
  a.connect(a.layer, "memory://b");
  const sent: string[] = [];
  for (let n = 0; n < 300; n++) {
    sent.push(`${n}`);
    void a.send({ destination: eid("dtn://b/in"), payload: text(`${n}`) });
    if (n % 100 === 50) {
      await world.clock.run(2);
      const contact = await world.settle(b.layer.dial("memory://a"));
      await world.clock.run(3);
      contact.close();
    }
  }
  await world.until(() => got.length >= 300);
  await world.clock.run(5_000);
  assertEquals(got.toSorted(), sent.toSorted());
});

Deno.test("send() says why a bundle is not stored, and a closed node takes none", async () => {
  await using world = new DtnWorld();
  const store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
    clock: world.clock,
    limits: { maxBundles: 1, shares: [1, 1, 1] },
  });
  const a = await world.node("a", { store });
  const send = () =>
    world.settle(
      a.send({ destination: eid("dtn://z/in"), payload: text("x") }),
    );
  const id = await send();
  assertEquals(decodeBundle(store.bytes(id)!).primary.lifetimeMs, 86_400_000);
  assertEquals((await assertRejects(send, DtnNodeError)).code, "full");
  await world.settle(a[Symbol.asyncDispose]());
  assertEquals((await assertRejects(send, DtnNodeError)).code, "closed");
});
