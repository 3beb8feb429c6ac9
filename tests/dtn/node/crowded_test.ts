import { assertEquals } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { bundleId } from "../../../src/dtn/bundle/bundle_id.ts";
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
