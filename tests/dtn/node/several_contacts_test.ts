import { assert, assertEquals } from "@std/assert";
import { payloadOf } from "../../../src/dtn/bundle/bundle.ts";
import type { SendingCost } from "../../../src/dtn/node/neighbour.ts";
import {
  parseStaticRoutes,
  staticRouter,
} from "../../../src/dtn/routing/static_router.ts";
import { lyapunovScheduler } from "../../../src/dtn/schedule/lyapunov_scheduler.ts";
import { fifoScheduler } from "../../../src/dtn/schedule/ordered_scheduler.ts";
import { DtnWorld, eid } from "./_dtn_world.ts";
import {
  listenerOf,
  MadeContact,
  type MadeContactOptions,
} from "./_made_contact.ts";

const FREE: SendingCost = {
  ...{ bytesPerSecond: Infinity, latencyMs: 0, energyPerByte: 0 },
  ...{ moneyPerByte: 0, exposure: 0, reliability: 1 },
};
const FAR = "dtn://far/";
const PEER = "dtn://peer/";
/** Everything over one neighbour, and our copy goes when it has it. */
const routes = () => staticRouter(parseStaticRoutes(`1 * * ${PEER}`));

function contactIn(
  world: DtnWorld,
  options: Partial<MadeContactOptions> = {},
): MadeContact {
  return new MadeContact({ peerNodeId: PEER, clock: world.clock, ...options });
}

/** Sends `count` bundles of about `size` bytes, each marked with its number. */
async function send(
  world: DtnWorld,
  node: Awaited<ReturnType<DtnWorld["node"]>>,
  count: number,
  size: number,
): Promise<void> {
  await world.settle(Promise.all(Array.from({ length: count }, (_, i) => {
    const payload = new Uint8Array(size);
    new DataView(payload.buffer).setUint32(0, i);
    return node.send({ destination: eid(`${FAR}in`), payload });
  })));
}

function numbersOf(...contacts: readonly MadeContact[]): number[] {
  return contacts.flatMap(({ taken }) =>
    taken.map((bundle) => {
      const { buffer, byteOffset } = payloadOf(bundle);
      return new DataView(buffer, byteOffset).getUint32(0);
    })
  ).sort((a, b) => a - b);
}

Deno.test("drift plus penalty takes the private contact, and the one that costs as well when more waits than that carries", async () => {
  for (
    const [name, penalty] of Object.entries({
      money: { moneyPerByte: 0.01 },
      exposure: { exposure: 1 },
    })
  ) {
    await using world = new DtnWorld();
    const cheap = contactIn(world, { bytesPerSecond: 2_000 });
    const dear = contactIn(world, { bytesPerSecond: 20_000 });
    const node = await world.node("a", {
      router: routes(),
      // A kB of the dear contact costs 3 for money or 2 for exposure, and is worth 1: 20 or 10 kB outweigh that.
      scheduler: lyapunovScheduler({ v: 10, privacyWeight: 2 }),
    });
    node.serve(listenerOf(cheap), { ...FREE, bytesPerSecond: 2_000 });
    node.serve(listenerOf(dear), {
      ...FREE,
      bytesPerSecond: 20_000,
      ...penalty,
    });
    await world.until(() => node.neighbours.length === 1);
    // A bundle of 1 kB a second, of two that the cheap contact carries.
    for (let i = 0; i < 20; i++) {
      await send(world, node, 1, 900);
      await world.clock.run(1_000);
    }
    assertEquals([cheap.taken.length, dear.taken.length], [20, 0], name);
    // A hundred at once: it would take them fifty seconds.
    await send(world, node, 100, 900);
    await world.until(() => node.bundles.usage.bundles === 0);
    assertEquals(cheap.taken.length + dear.taken.length, 120, name);
    assert(dear.taken.length > 60, `${name}: ${dear.taken.length}`);
    assert(cheap.taken.length > 30, `${name}: ${cheap.taken.length}`);
  }
});

Deno.test("what a scheduler holds back on the dear contact goes when it has waited long enough", async () => {
  await using world = new DtnWorld();
  const dear = contactIn(world);
  const node = await world.node("a", {
    router: routes(),
    scheduler: lyapunovScheduler({ v: 10, agingKbPerS: 1 }),
  });
  // A kB costs 3 and is worth 1: 20 kB wait, or one for 19 seconds.
  node.serve(listenerOf(dear), { ...FREE, moneyPerByte: 0.01 });
  await send(world, node, 1, 900);
  await world.clock.run(15_000);
  assertEquals(dear.taken.length, 0);
  await world.clock.run(10_000);
  assertEquals(dear.taken.length, 1);
});

Deno.test("all contacts of a neighbour carry its bundles, each once", async () => {
  await using world = new DtnWorld();
  const slow = contactIn(world, { bytesPerSecond: 10_000 });
  const fast = contactIn(world, { bytesPerSecond: 20_000 });
  const scheduler = fifoScheduler();
  const node = await world.node("a", { router: routes(), scheduler });
  node.serve(listenerOf(fast), { ...FREE, bytesPerSecond: 20_000 });
  node.serve(listenerOf(slow), { ...FREE, bytesPerSecond: 10_000 });
  await world.until(() => node.neighbours.length === 1);
  const startMs = world.clock.now();
  await send(world, node, 400, 900);
  // Of a known speed, no more is under way than takes two seconds.
  assert(slow.asked <= 24 && fast.asked <= 45, `${slow.asked} ${fast.asked}`);
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(numbersOf(slow, fast), Array.from({ length: 400 }, (_, i) => i));
  // 400 kB at 30 kB/s, where one alone would take 20 s or 40 s.
  const tookMs = world.clock.now() - startMs;
  assert(tookMs < 15_500, `${tookMs} ms`);
});

Deno.test("an older contact that is dead holds what it has for a minute, and gets no more", async () => {
  await using world = new DtnWorld();
  const dead = contactIn(world, { isSilent: true });
  const alive = contactIn(world);
  const node = await world.node("a", { router: routes(), maxSending: 8 });
  node.serve(listenerOf(dead));
  await send(world, node, 4, 900);
  await world.until(() => dead.asked === 4);
  node.serve(listenerOf(alive));
  await send(world, node, 100, 900);
  await world.until(() => alive.taken.length === 100);
  assertEquals([dead.asked, node.bundles.usage.bundles], [4, 4]);
  await world.clock.run(61_000);
  assertEquals(numbersOf(alive).length, 104);
  assertEquals(node.bundles.usage.bundles, 0);
  const { silent, unknown, forwarded } = node.counts;
  assertEquals([silent, unknown, forwarded], [1, 4, 104]);
});

Deno.test("a contact is not silent while what is under way takes its time, nor while one bundle after the other is answered", async () => {
  await using world = new DtnWorld();
  const slow = contactIn(world, { bytesPerSecond: 200 });
  const node = await world.node("a", { router: routes(), silenceMs: 10_000 });
  node.serve(listenerOf(slow), { ...FREE, bytesPerSecond: 200 });
  await send(world, node, 4, 10_000);
  await world.until(() => slow.taken.length === 1);
  for (let i = 0; i < 4; i++) await world.clock.run(60_000);
  assertEquals([slow.taken.length, node.counts.silent], [4, 0]);
});

Deno.test("a neighbour that is silent on its only contact gets its bundles again when it is back", async () => {
  await using world = new DtnWorld();
  const dead = contactIn(world, { isSilent: true });
  const node = await world.node("a", { router: routes(), silenceMs: 5_000 });
  node.serve(listenerOf(dead));
  await send(world, node, 10, 900);
  await world.until(() => dead.asked === 10);
  await world.clock.run(7_000);
  assertEquals([node.neighbours, node.counts.silent], [[], 1]);
  const back = contactIn(world);
  node.serve(listenerOf(back));
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(numbersOf(back), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("a contact that fails each bundle pauses alone, and another carries them", async () => {
  await using world = new DtnWorld();
  const [broken, whole] = [contactIn(world), contactIn(world)];
  broken.fails = true;
  const node = await world.node("a", { router: routes() });
  node.serve(listenerOf(whole), { ...FREE, bytesPerSecond: 50_000 });
  node.serve(listenerOf(broken), { ...FREE, bytesPerSecond: 100_000 });
  await world.until(() => node.neighbours.length === 1);
  await send(world, node, 200, 900);
  await world.clock.run(2_000);
  assertEquals(numbersOf(whole).length, 200);
  // At once and after a second, as much as its window.
  assert(broken.asked <= 192, `${broken.asked}`);
  assertEquals([node.bundles.usage.bundles, node.counts.silent], [0, 0]);
});

Deno.test("large bundles that only one contact takes wait for room there, in order, however much room the others have", async () => {
  await using world = new DtnWorld();
  const small = contactIn(world, { maxBundleBytes: 1_500 });
  const large = contactIn(world, { bytesPerSecond: 20_000 });
  const node = await world.node("a", { router: routes() });
  node.serve(listenerOf(large), { ...FREE, bytesPerSecond: 20_000 });
  await world.until(() => node.neighbours.length === 1);
  node.serve(listenerOf(small));
  await send(world, node, 50, 10_000);
  await world.clock.run(100);
  assert(large.asked <= 5, `${large.asked}`);
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(numbersOf(large), Array.from({ length: 50 }, (_, i) => i));
  assertEquals([small.asked, node.counts.fragments], [0, 0]);
});

Deno.test("a layer that only hands over is given bundles and fragments at the speed that its contact is said to have", async () => {
  await using world = new DtnWorld();
  const contact = contactIn(world, { maxBundleBytes: 1_500 });
  contact.outcome = { kind: "handedOver" };
  const node = await world.node("a", { router: routes() });
  node.serve(listenerOf(contact), { ...FREE, bytesPerSecond: 2_000 });
  await send(world, node, 20, 900);
  await world.until(() => contact.taken.length >= 1);
  await world.clock.run(5_000);
  // Beside the first window of 4 kB.
  const { length } = contact.taken;
  assert(length >= 8 && length <= 16, `${length} kB in 5 s`);
  await world.until(() => node.bundles.usage.bundles === 0);
  assertEquals(numbersOf(contact).length, 20);
  await send(world, node, 1, 20_000);
  await world.clock.run(5_000);
  const { fragments } = node.counts;
  assert(fragments >= 5 && fragments <= 10, `${fragments} of 1.5 kB in 5 s`);
  await world.settle(node[Symbol.asyncDispose]());
  assertEquals(node.counts.unknown, 1, "closing waits for no turn");
});

Deno.test("a neighbour that comes in the very turn in which the last one goes gets what waits", async () => {
  await using world = new DtnWorld();
  const node = await world.node("a");
  const [before, after] = ["dtn://b/", "dtn://c/"].map((peerNodeId) =>
    contactIn(world, { peerNodeId })
  ) as [MadeContact, MadeContact];
  before.outcome = { kind: "refused", reason: "noResources" };
  node.serve(listenerOf(before));
  await send(world, node, 1, 100);
  before.close();
  node.serve(listenerOf(after));
  await world.until(() => node.counts.forwarded === 1);
  assertEquals(after.taken.length, 2, "what routers say, and the bundle");
});
