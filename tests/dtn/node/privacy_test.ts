import { assertEquals } from "@std/assert";
import { decodeBundle, payloadOf } from "../../../src/dtn/bundle/bundle.ts";
import { BUNDLE_FLAG } from "../../../src/dtn/bundle/bundle_flags.ts";
import { previousNodeOf } from "../../../src/dtn/bundle/extension_blocks.ts";
import {
  isStrictlyPrivate,
  PRIVACY_BLOCK_TYPE,
  withStrictPrivacy,
} from "../../../src/dtn/guard/privacy_guard.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";
import { listenerOf, MadeContact } from "./_made_contact.ts";

const PEER = "dtn://peer/";
const IN = eid(`${PEER}in`);
const OPEN = eid(`${PEER}open`);

/** A node for whose bundles to `in` the configuration wants strict privacy. */
async function strictNode(world: DtnWorld) {
  return await world.node("a", {
    reports: true,
    wantsPrivacy: ({ primary }) => primary.destination.equals(IN),
  });
}

function contactIn(world: DtnWorld, isPrivate: boolean): MadeContact {
  return new MadeContact({ peerNodeId: PEER, clock: world.clock, isPrivate });
}

function textsOf({ taken }: MadeContact): string[] {
  return taken.filter(({ primary }) =>
    !`${primary.destination}`.includes("routing")
  ).map((bundle) => new TextDecoder().decode(payloadOf(bundle))).sort();
}

Deno.test("what wants strict privacy, by its mark or the configuration, takes the private contact alone", async () => {
  await using world = new DtnWorld();
  const node = await strictNode(world);
  const [open, hidden] = [contactIn(world, false), contactIn(world, true)];
  node.serve(listenerOf(hidden, open));
  await world.settle(Promise.all([
    node.send({ destination: IN, payload: text("configured") }),
    node.send({
      ...{ destination: OPEN, payload: text("marked") },
      isStrictlyPrivate: true,
    }),
    node.send({ destination: OPEN, payload: text("neither") }),
  ]));
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(textsOf(hidden), ["configured", "marked"]);
  assertEquals(textsOf(open), ["neither"]);
  for (const bundle of hidden.taken) {
    assertEquals(isStrictlyPrivate(bundle), true, "so that others keep to it");
    assertEquals(previousNodeOf(bundle), undefined);
  }
  const [other] = open.taken.filter((each) => payloadOf(each).length === 7);
  assertEquals(`${previousNodeOf(other!)}`, "dtn://a/");
});

Deno.test("what wants strict privacy is stored as such, so that no neighbour is told of it", async () => {
  await using world = new DtnWorld();
  const node = await strictNode(world);
  const sent = await world.settle(Promise.all([
    node.send({ destination: IN, payload: text("configured") }),
    node.send({
      ...{ destination: OPEN, payload: new Uint8Array(5_000) },
      isStrictlyPrivate: true,
    }),
    node.send({ destination: OPEN, payload: text("neither") }),
  ]));
  assertEquals(
    sent.map((id) => node.bundles.entry(id)?.isPrivate),
    [true, true, undefined],
  );
});

Deno.test("it waits while no contact is private, is counted, and leaves when one begins", async () => {
  await using world = new DtnWorld();
  const node = await strictNode(world);
  const open = contactIn(world, false);
  node.serve(listenerOf(open));
  await world.settle(node.send({ destination: IN, payload: text("strict") }));
  await world.settle(node.send({ destination: OPEN, payload: text("open") }));
  await world.until(() => textsOf(open).length === 1);
  await world.clock.run(60_000);
  assertEquals(textsOf(open), ["open"]);
  assertEquals(node.bundles.usage.bundles, 1);
  assertEquals(node.counts.dropped.not_private, 1);
  const hidden = contactIn(world, true);
  node.serve(listenerOf(hidden));
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(textsOf(hidden), ["strict"]);
  assertEquals(textsOf(open), ["open"]);
});

Deno.test("it waits behind a private contact that has no room, rather than go over another", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a", { maxSending: 1 });
  const hidden = new MadeContact({
    ...{ peerNodeId: PEER, clock: world.clock, isPrivate: true },
    bytesPerSecond: 100,
  });
  const open = contactIn(world, false);
  node.serve(listenerOf(hidden, open));
  const sent = Array.from({ length: 5 }, (_, i) => `strict ${i}`);
  await world.settle(Promise.all(sent.map((each) =>
    node.send({
      ...{ destination: IN, payload: text(each) },
      isStrictlyPrivate: true,
    })
  )));
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(textsOf(hidden), sent);
  assertEquals(textsOf(open), []);
});

Deno.test("a report on it is as private as the bundle", async () => {
  await using world = new DtnWorld();
  const node = await strictNode(world);
  const [open, hidden] = [contactIn(world, false), contactIn(world, true)];
  node.serve(listenerOf(hidden, open));
  using registration = node.register(eid("dtn://a/in"));
  world.texts(registration);
  await world.settle(node.send({
    ...{ destination: eid("dtn://a/in"), payload: text("hello") },
    ...{ flags: BUNDLE_FLAG.reportDelivery, isStrictlyPrivate: true },
    reportTo: IN,
  }));
  const isReport = ({ primary }: { readonly primary: { flags: number } }) =>
    (primary.flags & BUNDLE_FLAG.adminRecord) !== 0;
  await world.until(() => hidden.taken.some(isReport));
  assertEquals(open.taken.some(isReport), false);
});

Deno.test("the mark is an empty block that whoever does not know it must not pass over", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a");
  const id = await world.settle(node.send({
    ...{ destination: IN, payload: text("x") },
    isStrictlyPrivate: true,
  }));
  const bundle = decodeBundle(node.bundles.bytes(id)!);
  const block = bundle.blocks.find(({ type }) => type === PRIVACY_BLOCK_TYPE)!;
  assertEquals([block.data.length, block.flags], [0, 0x05]);
  assertEquals(withStrictPrivacy(bundle), bundle);
});
