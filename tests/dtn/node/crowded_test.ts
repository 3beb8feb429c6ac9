import { assert, assertEquals, assertLess } from "@std/assert";
import type { Clock } from "../../../src/core/async/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { payloadOf } from "../../../src/dtn/bundle/bundle.ts";
import { bundleId } from "../../../src/dtn/bundle/bundle_id.ts";
import type { DtnNodeOptions } from "../../../src/dtn/node/dtn_node_options.ts";
import { epidemicRouter } from "../../../src/dtn/routing/epidemic_router.ts";
import type { Router } from "../../../src/dtn/routing/router.ts";
import { DtnWorld, eid, text } from "./_dtn_world.ts";
import { listenerOf, MadeContact } from "./_made_contact.ts";

/** More than may wait for one neighbour. */
const COUNT = 8_500;

/** An epidemic router that counts how often it is asked. */
function countingRouter(): Router & { asked: number } {
  const router = epidemicRouter({ crypto: nodeProvider, known: () => [] });
  const counting = {
    ...router,
    asked: 0,
    route(...args: Parameters<Router["route"]>) {
      counting.asked++;
      return router.route(...args);
    },
  };
  return counting;
}

async function crowdedNode(world: DtnWorld) {
  const router = countingRouter();
  const node = await world.node("a", { router });
  const letter = (n: number, priority: 1 | 2 = 1) =>
    node.send({
      destination: eid("dtn://far/in"),
      payload: text(`${n}`),
      priority,
    });
  await world.settle(
    Promise.all(Array.from({ length: COUNT }, (_, n) => letter(n))),
  );
  return { node, router, letter };
}

function contactWith(world: DtnWorld, name: string, bytesPerSecond = 1e9) {
  const { clock } = world;
  return new MadeContact({
    peerNodeId: `dtn://${name}/`,
    clock,
    bytesPerSecond,
  });
}

Deno.test("a neighbour that has room again gets what was left out, from there on rather than from the first", async () => {
  await using world = new DtnWorld();
  const { node, router } = await crowdedNode(world);
  assertEquals(router.asked, 0, "nobody was there");
  const contact = contactWith(world, "b", 100_000);
  node.serve(listenerOf(contact));
  await world.until(() => contact.taken.length === COUNT);
  assertEquals(router.asked, COUNT + 1, "the one left out was asked twice");
});

Deno.test("what was left out, of several classes and for several neighbours, comes to each once", async () => {
  await using world = new DtnWorld();
  const { node, letter } = await crowdedNode(world);
  const contacts = [
    contactWith(world, "b", 100_000),
    contactWith(world, "c", 200_000),
  ];
  node.serve(listenerOf(...contacts));
  await world.clock.run(100);
  await world.settle(letter(COUNT, 2));
  for (const { taken } of contacts) {
    await world.until(() => taken.length > COUNT);
    assertEquals(taken.length, COUNT + 1);
    assertEquals(new Set(taken.map(bundleId)).size, COUNT + 1);
  }
});

const MIB = 1_048_576;
/** Bundles of this size, for everybody who comes. */
const LARGE_BYTES = 400_000;
const LARGE_COUNT = 60;

async function laden(world: DtnWorld, options: Partial<DtnNodeOptions> = {}) {
  const node = await world.node("a", options);
  const send = () =>
    node.send({
      destination: eid("dtn://far/in"),
      payload: new Uint8Array(LARGE_BYTES),
    });
  await world.settle(Promise.all(Array.from({ length: LARGE_COUNT }, send)));
  return node;
}

function silentContacts(world: DtnWorld, count: number): MadeContact[] {
  return Array.from({ length: count }, (_, i) =>
    new MadeContact({
      peerNodeId: `dtn://silent${i}/`,
      clock: world.clock,
      isSilent: true,
    }));
}

function largeOf({ taken }: MadeContact): number {
  return taken.filter((each) => payloadOf(each).length === LARGE_BYTES).length;
}

function bytesUnderWay(contacts: readonly MadeContact[]): number {
  return contacts.reduce((sum, { askedBytes }) => sum + askedBytes, 0);
}

Deno.test("a hundred neighbours that tell no outcome hold 16 MiB and a bundle, one that does gets all the same, and they get more as they leave", async () => {
  await using world = new DtnWorld();
  const node = await laden(world);
  const silent = silentContacts(world, 100);
  node.serve(listenerOf(...silent));
  await world.until(() => node.neighbours.length === 100);
  await world.clock.run(1_000);
  const held = bytesUnderWay(silent);
  assert(held > 15 * MIB, `${held}`);
  assertLess(
    held,
    16 * MIB + LARGE_BYTES + 100 * 1_000,
    "beside summary vectors",
  );

  const friend = contactWith(world, "b");
  node.serve(listenerOf(friend));
  await world.until(() => largeOf(friend) === LARGE_COUNT);

  const asked = silent.reduce((sum, each) => sum + each.asked, 0);
  for (const each of silent.filter((each) => each.asked > 0)) each.close();
  await world.clock.run(1_000);
  const later = silent.reduce((sum, each) => sum + each.asked, 0);
  assert(later > asked, "the others had room then");
});

Deno.test("fifty neighbours that come a moment after each other are looked at together, and each gets everything", async () => {
  await using world = new DtnWorld();
  let workMs = 0;
  const inner = countingRouter();
  const router: Router = {
    ...inner,
    route(...args) {
      workMs++; // what looking at a bundle takes
      return inner.route(...args);
    },
  };
  const clock: Clock = {
    wallTime: () => world.clock.wallTime(),
    now: () => world.clock.now() + workMs,
    setTimeout: (fn, delayMs) => world.clock.setTimeout(fn, delayMs),
  };
  const node = await world.node("a", { router, clock });
  const count = 100;
  await world.settle(Promise.all(
    Array.from(
      { length: count },
      (_, n) =>
        node.send({ destination: eid("dtn://far/in"), payload: text(`${n}`) }),
    ),
  ));
  const contacts = Array.from(
    { length: 50 },
    (_, i) => contactWith(world, `b${i}`),
  );
  for (const contact of contacts) {
    node.serve(listenerOf(contact));
    await world.clock.run(20);
  }
  // The first at once, and then every 400 ms, which is four times what one look takes.
  assertLess(workMs, 5 * count);
  for (const { taken } of contacts) {
    await world.until(() => taken.length === count);
  }
  assertEquals(contacts[0]!.taken.length, count);
});

Deno.test("a small bundle of a higher class passes a large one that has no room", async () => {
  await using world = new DtnWorld();
  const node = await laden(world, { router: countingRouter() });
  node.serve(listenerOf(...silentContacts(world, 100)));
  await world.clock.run(1_000);
  const late = new MadeContact({
    peerNodeId: "dtn://late/",
    clock: world.clock,
    isSilent: true,
  });
  node.serve(listenerOf(late));
  await world.clock.run(1_000);
  const send = (priority: 1 | 2) =>
    world.settle(node.send({
      ...{ destination: eid("dtn://far/in"), payload: text("ho"), priority },
    }));
  await send(1);
  await world.clock.run(1_000);
  assertEquals(late.asked, 0, "it waits behind the large ones");
  late.close();

  const other = new MadeContact({
    peerNodeId: "dtn://other/",
    clock: world.clock,
    isSilent: true,
  });
  node.serve(listenerOf(other));
  await world.clock.run(1_000);
  assertEquals(other.asked, 0);
  await send(2);
  await world.clock.run(1_000);
  assertEquals(other.asked, 1);
});
