import { assert, assertEquals, assertRejects } from "@std/assert";
import { Secret } from "../../../src/core/crypto/mod.ts";
import { encodeHex } from "../../../src/core/bytes/mod.ts";
import { restApp } from "../../../src/dtn/app/rest_app.ts";
import {
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { BLOCK_FLAG } from "../../../src/dtn/bundle/block_flags.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import {
  encodeHopCount,
  hopCountOf,
  previousNodeOf,
  withPreviousNode,
} from "../../../src/dtn/bundle/extension_blocks.ts";
import {
  decodeStatusReport,
  REPORT_REASON,
} from "../../../src/dtn/bundle/status_report.ts";
import { encryptionOf } from "../../../src/dtn/guard/plaintext_guard.ts";
import { DtnNodeError } from "../../../src/dtn/node/error.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";
import { keysOf, policy } from "./_secured.ts";

const ENCRYPTS = { role: "source", service: "confidentiality" } as const;
const SIGNS = { role: "source", service: "integrity" } as const;
const DECRYPTS = { role: "acceptor", service: "confidentiality" } as const;
const ACCEPTS = { role: "acceptor", service: "integrity" } as const;
const VERIFIES = { role: "verifier", service: "integrity" } as const;
const SECRET = "meet me at noon, behind the mill";

Deno.test("what an application sends over REST crosses a third node as ciphertext, and another application reads it", async () => {
  await using world = new DtnWorld();
  const allowsPlaintext = () => false;
  const a = await world.node("a", {
    allowsPlaintext,
    security: policy("a", [{ ...ENCRYPTS, to: "dtn://c/*" }, SIGNS]),
  });
  const b = await world.node("b", { allowsPlaintext });
  const c = await world.node("c", {
    security: policy("c", [
      { ...DECRYPTS, from: "dtn://a/*" },
      { ...ACCEPTS, from: "dtn://a/*" },
    ]),
  });
  a.connect(a.layer, "memory://b");
  const ask = (node: typeof a, path: string, init: RequestInit = {}) =>
    world.settle(Promise.resolve(
      restApp({ node, store: node.bundles })(
        new Request(`http://127.0.0.1${path}`, init),
      ),
    ));
  const sent = await ask(a, "/send?dst=dtn://c/in", {
    method: "POST",
    body: SECRET,
  });
  const id = (await sent.text()).trim();
  await world.until(() => b.bundles.entry(id) !== undefined);
  for (const bytes of [a.bundles.bytes(id)!, b.bundles.bytes(id)!]) {
    assertEquals(encryptionOf(decodeBundle(bytes)), "bcb");
    assertEquals(payloadOf(decodeBundle(bytes)).length, SECRET.length);
    for (const part of [SECRET, "noon", "behind the mill"]) {
      assert(!encodeHex(bytes).includes(encodeHex(text(part))));
    }
  }
  b.connect(b.layer, "memory://c");
  await world.until(() => c.bundles.entry(id) !== undefined);
  const got = await ask(c, "/endpoint?in");
  const bundle = decodeBundle(await got.bytes());
  assertEquals(payloadOf(bundle), text(SECRET));
  const types = bundle.blocks.map(({ type }) => type);
  assertEquals(types.toSorted((x, y) => x - y), [1, 6, 10]);
  assertEquals(c.counts.delivered, 1);
});

Deno.test("what lacks a signature, has a wrong one or one of an unknown kind is dropped with the reason that is reported", async () => {
  await using world = new DtnWorld();
  const b = await world.node("b");
  const c = await world.node("c", {
    reports: true,
    security: policy("c", [{ ...VERIFIES, to: "dtn://c/in" }]),
  });
  using reports = b.register(eid("dtn://b/reports"));
  const reasons: number[] = [];
  void (async () => {
    for await (const { bundle, accept } of reports) {
      const { statuses, reason } = decodeStatusReport(payloadOf(bundle));
      assertEquals(Object.keys(statuses), ["deleted"]);
      reasons.push(reason);
      accept();
    }
  })();
  b.connect(b.layer, "memory://c");
  const x = await world.node("x");
  const contact = await world.settle(x.layer.dial("memory://c"));
  const plain = (payload: string) =>
    createBundle({
      source: eid("dtn://a/app"),
      destination: eid("dtn://c/in"),
      reportTo: eid("dtn://b/reports"),
      creation: b.nextTimestamp(),
      flags: BUNDLE_FLAG.reportDeletion,
      lifetimeMs: 60_000,
      payload: text(payload),
    });
  const signer = policy("a", [SIGNS]);
  const changed = (() => {
    const { primary, blocks } = signer.protect(plain("pay 10"));
    const payload = { ...blocks.at(-1)!, data: text("pay 99") };
    return { primary, blocks: blocks.with(-1, payload) };
  })();
  const unknown = (() => {
    const { primary, blocks } = signer.protect(plain("x"));
    const at = blocks.findIndex(({ type }) => type === 11);
    const data = blocks[at]!.data.slice();
    assertEquals([...data.subarray(0, 3)], [0x81, 1, 1]);
    data[2] = 9; // the security context
    return { primary, blocks: blocks.with(at, { ...blocks[at]!, data }) };
  })();
  const good = signer.protect(plain("right"));
  for (const bundle of [plain("bare"), changed, unknown, good]) {
    const outcome = await world.settle(contact.send(encodeBundle(bundle)));
    assertEquals(outcome, { kind: "acknowledged" }); // it ends here: nobody is to send it again
  }
  await world.until(() => reasons.length === 3);
  const { security_missing, security_failed, security_unknown } =
    c.counts.dropped;
  assertEquals([security_missing, security_failed, security_unknown], [
    1,
    1,
    1,
  ]);
  assertEquals(reasons.toSorted((x, y) => x - y), [
    REPORT_REASON.missingSecurity,
    REPORT_REASON.unknownSecurity,
    REPORT_REASON.failedSecurity,
  ]);
  const got = world.texts(c.register(eid("dtn://c/in")));
  await world.until(() => got.length > 0);
  assertEquals(got, ["right"]);
  contact.close();
});

Deno.test("a verifier on the way leaves the signature to the acceptor, and drops what it has no key for", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { security: policy("a", [SIGNS]) });
  const b = await world.node("b", { security: policy("b", [VERIFIES]) });
  const none = keysOf("dtn://a/", {});
  const d = await world.node("d", { security: policy("d", [VERIFIES], none) });
  const c = await world.node("c", { security: policy("c", [ACCEPTS]) });
  const got = world.texts(c.register(eid("dtn://c/in")));
  for (const name of ["b", "d"]) a.connect(a.layer, `memory://${name}`);
  for (const each of [b, d]) each.connect(each.layer, "memory://c");
  await world.settle(
    a.send({ destination: eid("dtn://c/in"), payload: text("x") }),
  );
  await world.until(() => got.length > 0);
  await world.clock.run(1_000);
  assertEquals(got, ["x"]);
  assertEquals(c.counts.dropped.security_missing > 0, false);
  assertEquals(d.bundles.usage.bundles, 0);
  assert(d.counts.dropped.security_failed > 0);
});

Deno.test("what is made here and cannot be protected is not sent, nor stored", async () => {
  await using world = new DtnWorld();
  const wrong = keysOf("dtn://z/", {
    confidentiality: new Secret(new Uint8Array(32)),
  });
  const a = await world.node("a", {
    security: policy("a", [{ ...ENCRYPTS, to: "dtn://c/*" }], wrong),
  });
  const send = (to: string) =>
    world.settle(a.send({ destination: eid(to), payload: text(SECRET) }));
  const error = await assertRejects(() => send("dtn://c/in"), DtnNodeError);
  assertEquals(error.code, "security");
  assertEquals([a.bundles.usage.bundles, a.counts.dropped.unprotected], [0, 1]);
  await send("dtn://b/in"); // the rule says nothing of it
  assertEquals(a.bundles.usage.bundles, 1);
});

Deno.test("what an application made here is signed, and what was carried here with our name on it is not", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { security: policy("a", [SIGNS]) });
  const bundle = () =>
    createBundle({
      source: eid("dtn://a/app"),
      destination: eid("dtn://b/in"),
      creation: a.nextTimestamp(),
      lifetimeMs: 60_000,
      payload: text("x"),
    });
  const isSigned = (id: string) =>
    decodeBundle(a.bundles.bytes(id)!).blocks.some(({ type }) =>
      type === BLOCK_TYPE.integrity
    );
  assert(isSigned(await world.settle(a.insert(bundle()))));
  assert(!isSigned(await world.settle(a.receive(bundle()))));
});

Deno.test("what is for an application of the same node is checked as what comes from afar", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", {
    security: policy("a", [SIGNS, ENCRYPTS, DECRYPTS, ACCEPTS]),
  });
  const got = world.texts(a.register(eid("dtn://a/in")));
  await world.settle(
    a.send({ destination: eid("dtn://a/in"), payload: text(SECRET) }),
  );
  await world.until(() => got.length > 0);
  assertEquals(got, [SECRET]);
  const foreign = createBundle({
    source: eid("dtn://far/app"),
    destination: eid("dtn://a/in"),
    creation: a.nextTimestamp(),
    lifetimeMs: 60_000,
    payload: text("forged"),
  });
  const error = await assertRejects(
    () => world.settle(a.insert(foreign)),
    DtnNodeError,
  );
  assertEquals([error.code, a.counts.dropped.security_missing], [
    "security",
    1,
  ]);
});

Deno.test("what is for us is decrypted without a rule, and is nobody's if it cannot be", async () => {
  await using world = new DtnWorld();
  const a = await world.node("a", { security: policy("a", [ENCRYPTS]) });
  const b = await world.node("b", { security: policy("b", []) });
  const none = keysOf("dtn://a/", {});
  const c = await world.node("c", { security: policy("c", [], none) });
  for (const name of ["b", "c"]) a.connect(a.layer, `memory://${name}`);
  const got = world.texts(b.register(eid("dtn://b/in")));
  for (const to of ["dtn://b/in", "dtn://c/in"]) {
    await world.settle(a.send({ destination: eid(to), payload: text(to) }));
  }
  await world.until(() =>
    got.length > 0 && c.counts.dropped.security_failed > 0
  );
  assertEquals(got, ["dtn://b/in"]);
  assertEquals(c.next(eid("dtn://c/in")), undefined);
});

Deno.test("blocks that a node cannot read pass as they are, and are counted on again where they can be", async () => {
  await using world = new DtnWorld();
  const targets = [BLOCK_TYPE.hopCount, BLOCK_TYPE.previousNode];
  const a = await world.node("a", {
    security: policy("a", [{ ...ENCRYPTS, targets }]),
  });
  const b = await world.node("b");
  const c = await world.node("c", {
    security: policy("c", [{ ...DECRYPTS, targets }]),
  });
  const d = await world.node("d");
  for (const [node, next] of [[a, "b"], [b, "c"]] as const) {
    node.connect(node.layer, `memory://${next}`);
  }
  const bundle = withPreviousNode(
    createBundle({
      source: eid("dtn://a/app"),
      destination: eid("dtn://d/in"),
      creation: a.nextTimestamp(),
      lifetimeMs: 60_000,
      extensions: [{
        type: BLOCK_TYPE.hopCount,
        data: encodeHopCount({ limit: 9, count: 4 }),
      }],
      payload: text("x"),
    }),
    eid("dtn://before/"),
  );
  const id = await world.settle(a.insert(bundle));
  await world.until(() => c.bundles.entry(id) !== undefined);
  const encrypted = decodeBundle(b.bundles.bytes(id)!);
  assertEquals(hopCountOf(encrypted), undefined);
  assertEquals(previousNodeOf(encrypted), undefined);
  const decrypted = decodeBundle(c.bundles.bytes(id)!);
  assertEquals(hopCountOf(decrypted), { limit: 9, count: 5 });
  assertEquals(`${previousNodeOf(decrypted)}`, "dtn://before/");
  c.connect(c.layer, "memory://d");
  await world.until(() => d.bundles.entry(id) !== undefined);
  assertEquals(
    `${previousNodeOf(decodeBundle(d.bundles.bytes(id)!))}`,
    "dtn://c/",
  );
});

Deno.test("a node that discards a block that it does not know takes what secures it along, and the rest is accepted", async () => {
  await using world = new DtnWorld();
  const targets = [BLOCK_TYPE.payload, 200, 201];
  const secured = { targets, to: "dtn://c/in" };
  const a = await world.node("a", {
    security: policy("a", [{ ...SIGNS, ...secured }]),
  });
  const b = await world.node("b");
  const c = await world.node("c", {
    security: policy("c", [{ ...ACCEPTS, ...secured }]),
  });
  const got: number[][] = [];
  using inbox = c.register(eid("dtn://c/in"));
  void (async () => {
    for await (const { bundle, accept } of inbox) {
      got.push(bundle.blocks.map(({ type }) => type));
      accept();
    }
  })();
  a.connect(a.layer, "memory://b");
  b.connect(b.layer, "memory://c");
  await world.settle(a.insert(createBundle({
    source: eid("dtn://a/app"),
    destination: eid("dtn://c/in"),
    creation: a.nextTimestamp(),
    lifetimeMs: 60_000,
    extensions: [
      { type: 200, data: text("y"), flags: BLOCK_FLAG.discardBlock },
      { type: 201, data: text("z") },
    ],
    payload: text("x"),
  })));
  await world.until(() =>
    got.length > 0 || c.counts.dropped.security_failed > 0
  );
  assertEquals(got, [[201, BLOCK_TYPE.previousNode, BLOCK_TYPE.payload]]);
});

Deno.test("routers hear only neighbours that sign, if the policy says so", async () => {
  await using world = new DtnWorld();
  const talk = { from: "dtn://*", to: "dtn://b/routing/*" };
  const a = await world.node("a", { security: policy("a", [SIGNS]) });
  const d = await world.node("d");
  const b = await world.node("b", {
    security: policy("b", [{ ...ACCEPTS, ...talk }]),
  });
  for (const node of [a, d]) { // there is something to say
    const payload = text("x");
    await world.settle(node.send({ destination: eid("dtn://z/in"), payload }));
  }
  a.connect(a.layer, "memory://b");
  await world.until(() => b.counts.received > 0);
  assertEquals(b.counts.dropped.security_missing, 0);
  d.connect(d.layer, "memory://b");
  await world.until(() => b.counts.dropped.security_missing > 0);
});
